"""Replay a recommendation from its cut: the same facts and the same plan give the same bytes, or it says so."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from escalon.conduct import commands as c
from escalon.conduct.committee.cut import cut_hash
from escalon.conduct.committee.events import CutTaken, ReviewOpened
from escalon.conduct.committee.packet import build_packet, packet_hash
from escalon.conduct.doses import request_recommendation
from escalon.conduct.encoding import encode
from escalon.conduct.events import DoseRecommended
from escalon.conduct.fold import fold
from escalon.conduct.state import Fact, State
from escalon.protocol import StudyFolder


@dataclass(frozen=True, slots=True)
class Replay:
    """What was recorded and what came out again, as canonical text; ``same`` if they are equal byte for byte."""

    number: int
    cut_seq: int
    recorded: str
    replayed: str

    @property
    def same(self) -> bool:
        """True if the replay gives the recorded bytes."""
        return self.recorded == self.replayed


@dataclass(frozen=True, slots=True)
class Check:
    """A hash in the ledger and what it is when made again; ``same`` if they are equal."""

    what: str
    recorded: str
    replayed: str

    @property
    def same(self) -> bool:
        """True if the hash made again is the recorded one."""
        return self.recorded == self.replayed


def version_in_force(state: State, folder: StudyFolder) -> StudyFolder:
    """Return the version the study was on in ``state``: ``folder`` or one of its ``earlier`` ones.

    The others stay at hand as its ``earlier`` versions, for patients who consented to one of them.

    Raises:
        ValueError: that version is neither ``folder`` nor among its earlier ones.
    """
    if state.study_hash == folder.hash:
        return folder
    found = folder.earlier.get(state.study_hash or "")
    if found is None:
        raise ValueError(
            f"the study folder is not the version the study was on ({(state.study_hash or 'none')[:12]}); "
            "replay needs that version"
        )
    others = {digest: one for digest, one in folder.earlier.items() if digest != found.hash}
    return replace(found, earlier={**others, folder.hash: replace(folder, earlier={})})


def replay_reviews(facts: Sequence[Fact], number: int, folder: StudyFolder) -> tuple[Check, ...]:
    """Make cut and packet of every review of recommendation ``number`` again and compare their hashes.

    Each packet is made with the version in force when its review was opened; see ``version_in_force``.
    """
    checks: list[Check] = []
    cuts = {fact.event.cut: fact.event for fact in facts if isinstance(fact.event, CutTaken)}
    for fact in facts:
        event = fact.event
        if not isinstance(event, ReviewOpened) or event.recommendation != number:
            continue
        cut = cuts[event.cut]
        at_cut = fold(earlier for earlier in facts if earlier.seq <= cut.cut_seq)
        checks.append(Check(f"data cut {cut.cut}", cut.content_hash, cut_hash(at_cut, cut.part)))
        shown = fold(earlier for earlier in facts if earlier.seq < fact.seq)
        version = version_in_force(shown, folder)
        packet = build_packet(shown, version, shown.committee.cuts[event.cut - 1])
        checks.append(Check(f"packet of review {event.review}", event.packet_hash, packet_hash(packet)))
    return tuple(checks)


def replay_recommendation(facts: Sequence[Fact], number: int, folder: StudyFolder) -> Replay:
    """Rebuild the state at the cut of recommendation ``number`` and ask the plan in force then again.

    Args:
        facts: all facts of the ledger, in order.
        number: of the recommendation, from 1.
        folder: a version of the study, with the other versions as its ``earlier`` ones.

    Raises:
        ValueError: no such recommendation, or the version in force at the cut is not at hand.
    """
    recorded = [
        fact
        for fact in facts
        if isinstance(fact.event, DoseRecommended) and fact.event.recommendation == number
    ]
    if not recorded:
        known = sum(isinstance(fact.event, DoseRecommended) for fact in facts)
        raise ValueError(f"there is no recommendation {number}; the ledger holds {known}")
    fact = recorded[0]
    assert isinstance(fact.event, DoseRecommended)
    cut_seq = fact.event.inputs["cut_seq"]
    state = fold(earlier for earlier in facts if earlier.seq <= cut_seq)
    version = version_in_force(state, folder)
    command = c.RequestRecommendation()
    actor = c.Actor(fact.actor_id, fact.actor_id, fact.actor_role)
    outcome = request_recommendation(state, c.Signed(command, actor, fact.at), command, version)
    replayed = f"refused: {outcome.reason}" if isinstance(outcome, c.Refused) else encode(outcome[0])[1]
    return Replay(number, cut_seq, encode(fact.event)[1], replayed)
