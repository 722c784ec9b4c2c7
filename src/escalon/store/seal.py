"""From an act to the entries it writes: who, where, which object, the commitments, the chain."""

from escalon import __version__
from escalon.conduct.act import Event, Signed
from escalon.conduct.canonical import canonical, utc_text
from escalon.conduct.encoding import encode, field_values
from escalon.conduct.state import State
from escalon.protocol import StudyFolder
from escalon.store.chain import NEW, REASON, Entry, Value, commitment
from escalon.store.entropy import Entropy
from escalon.store.facts import to_fact
from escalon.store.references import object_ref

Latest = dict[tuple[str, str], str]


class Sealer:
    """Turns the events of an act into entries, and remembers what each object was last said to be."""

    def __init__(self, folder: StudyFolder, entropy: Entropy, origin: str) -> None:
        self._study_id = folder.study.identity.study_id
        self._entropy = entropy
        self._versions = {"origin": origin, "software": __version__, "study": folder.hash}
        self._latest: Latest = {}
        self._replaced: list[tuple[tuple[str, str], str | None]] = []

    def restore(self, latest: Latest) -> None:
        """Start from what each object was last said to be."""
        self._latest = dict(latest)

    def mark(self) -> None:
        """Remember this moment for ``undo``."""
        self._replaced.clear()

    def undo(self) -> None:
        """Forget what was noted since ``mark``."""
        for key, before in reversed(self._replaced):
            if before is None:
                del self._latest[key]
            else:
                self._latest[key] = before
        self._replaced.clear()

    def note(self, entry: Entry) -> None:
        """Remember ``entry`` as the latest word on its object."""
        ref, said = entry.object_ref, entry.commit_new
        if entry.scheme == 1:
            ref, said = object_ref(entry.kind, field_values(to_fact(entry).event)), entry.hash
        key = (entry.kind, ref)
        self._replaced.append((key, self._latest.get(key)))
        self._latest[key] = said

    def seal(
        self,
        state: State,
        head: str,
        signed: Signed,
        events: tuple[Event, ...],
        request: str | None = None,
        scheme: int = 2,
    ) -> list[Entry]:
        """Return the entries of an act: ``events`` of ``signed`` after ``state``, whose last hash is ``head``."""
        first = state.seq + 1
        if request is None:
            request = self._entropy.request(self._study_id, first)
        context = canonical({**self._versions, "request": request})
        tz, org = standing(state, signed)
        entries: list[Entry] = []
        latest: Latest = {}
        for seq, event in enumerate(events, start=first):
            actor = signed.actor
            blank = Entry(
                study_id=self._study_id,
                seq=seq,
                at=utc_text(signed.at),
                tz=tz,
                actor_id=actor.id,
                actor_name=actor.name,
                role=actor.role,
                org=org,
                site=actor.site,
                kind=type(event).__name__,
                object_ref="",
                commit_old="",
                commit_new="",
                commit_reason="",
                context=context,
                payload="",
                prev_hash=head,
                scheme=scheme,
            )
            entry = _filled_1(blank, event) if scheme == 1 else self._filled_2(blank, event, latest)
            head = entry.sealed()
            entries.append(entry._replace(hash=head))
        return entries

    def _filled_2(self, blank: Entry, event: Event, latest: Latest) -> Entry:
        """Add object, values and commitments; ``latest`` holds what the same act said before."""
        values = field_values(event)
        ref = object_ref(blank.kind, values)
        reason = None
        if isinstance(values.get("reason"), str):
            reason = self._value(blank.seq, REASON, canonical(values.pop("reason")))
        new = self._value(blank.seq, NEW, canonical(values))
        key = (blank.kind, ref)
        old = latest.get(key) or self._latest.get(key, "")
        latest[key] = commit_new = _commitment(new)
        return blank._replace(
            object_ref=ref,
            commit_old=old,
            commit_new=commit_new,
            commit_reason="" if reason is None else _commitment(reason),
            new=new,
            reason=reason,
        )

    def _value(self, seq: int, side: str, text: str) -> Value:
        return Value(self._entropy.salt(self._study_id, seq, side), text)


def _filled_1(blank: Entry, event: Event) -> Entry:
    """Return the entry as scheme 1 wrote it: a run that was interrupted then is compared with this."""
    return blank._replace(payload=encode(event)[1], tz="", org="", context="")


def _commitment(value: Value) -> str:
    assert value.salt is not None
    assert value.text is not None
    return commitment(value.salt, value.text)


def standing(state: State, signed: Signed) -> tuple[str, str]:
    """Return time zone and organisation of who acts, as the ledger knows them at that time.

    The zone is that of the person's site, UTC for the sponsor; the organisation is the one the person was
    registered with, '' before the registration.
    """
    site = state.people.sites.get(signed.actor.site)
    person = state.people.persons.get(signed.actor.id)
    return (site.timezone if site else "UTC"), (person.organisation if person else "")
