"""The topic redaction: two persons destroy personal data entered by mistake, and nothing else."""

from dataclasses import replace

from escalon.conduct.act import Command, Outcome, Refused, Signed
from escalon.conduct.redaction.commands import ConfirmRedaction, RedactValue, Target
from escalon.conduct.redaction.events import RedactionRequested, ValueRedacted
from escalon.conduct.redaction.marker import masked
from escalon.conduct.redaction.state import Redaction
from escalon.conduct.state import Fact, State
from escalon.conduct.topic import Topic
from escalon.protocol import StudyFolder

AUTHORISERS = ("data_manager", "medical_monitor", "sponsor")
# Fields of any event that hold free text. What else an event holds are ids, codes, dates and numbers the trial needs.
FREE_TEXT = frozenset(
    ("answer", "comment", "conclusion", "detail", "findings", "name", "question", "reason", "text")
)


def _redact(state: State, signed: Signed, command: RedactValue, folder: StudyFolder) -> Outcome:
    if not command.reason.strip():
        return Refused("AT-7 reason", "a redaction needs a reason, which must not repeat what is redacted")
    if not command.items or len(set(command.items)) != len(command.items):
        return Refused("AT-7 item", "name each item to redact once, e.g. reason or values.AETERM")
    pending = [one for one in state.redaction.redactions if one.confirmed_at is None]
    if any(one.target_seq == command.target_seq for one in pending):
        return Refused("AT-7 pending", f"a redaction of event {command.target_seq} waits to be confirmed")
    number = len(state.redaction.redactions) + 1
    checked = _masked(state, command.target_seq, command.target, command.items, number, folder)
    if isinstance(checked, Refused):
        return checked
    return (RedactionRequested(number, command.target_seq, command.items, command.reason),)


def _confirm(state: State, signed: Signed, command: ConfirmRedaction, folder: StudyFolder) -> Outcome:
    known = state.redaction.redactions
    if not 1 <= command.redaction <= len(known) or known[command.redaction - 1].confirmed_at is not None:
        return Refused(
            "AT-7 pending", f"there is no redaction {command.redaction} that waits to be confirmed"
        )
    asked = known[command.redaction - 1]
    if asked.requested_by == signed.actor.id:
        return Refused("AT-7 two persons", f"{signed.actor.name} requested it; another person confirms")
    if [asked.requested_as, signed.actor.role].count("data_manager") != 1:
        rule = "one of the two is data manager, the other medical monitor or sponsor"
        return Refused("AT-7 two persons", rule)
    replacement = _masked(state, asked.target_seq, command.target, asked.items, asked.number, folder)
    if isinstance(replacement, Refused):
        return replacement
    assert command.target is not None
    done = ValueRedacted(
        asked.number,
        asked.target_seq,
        command.target.kind,
        asked.items,
        replacement,
        asked.requested_by,
        signed.actor.id,
    )
    return (done,)


def _masked(
    state: State, seq: int, target: Target | None, items: tuple[str, ...], number: int, folder: StudyFolder
) -> dict[str, object] | Refused:
    if target is None:
        return Refused("AT-7 target", f"the ledger has no event {seq}")
    if not target.erasable:
        return Refused(
            "AT-7 target", f"event {seq} holds its values under its hash; they cannot be destroyed"
        )
    for item in items:
        if not _free(state, target, item, folder):
            rule = "is no free text; correct it in a new version first, then redact the earlier one"
            return Refused("AT-7 item", f"{item} of event {seq} {rule}")
    try:
        return masked(target.payload, items, number)
    except ValueError as error:
        return Refused("AT-7 item", f"event {seq}: {error}")


def _free(state: State, target: Target, item: str, folder: StudyFolder) -> bool:
    """Tell whether the item may go: free text always, an answer of a form also once a later version replaced it."""
    first, _, rest = item.partition(".")
    if first != "values" or target.kind != "FormRecorded":
        return item in FREE_TEXT and isinstance(target.payload.get(item), str)
    form = folder.forms.get(target.payload["form"])
    found = form.item(rest.rpartition(".")[2]) if form is not None else None
    if found is not None and found.type == "text":
        return True
    patient = state.patients.get(target.payload["patient"])
    record = patient.records.get(target.payload["record"]) if patient is not None else None
    return record is not None and record.version > int(target.payload["version"])


def _requested(state: State, fact: Fact, event: RedactionRequested) -> State:
    asked = Redaction(
        event.redaction,
        event.target_seq,
        event.items,
        event.reason,
        fact.actor_id,
        fact.actor_role,
        fact.at,
    )
    slice_ = replace(state.redaction, redactions=(*state.redaction.redactions, asked))
    return replace(state, redaction=slice_)


def _redacted(state: State, fact: Fact, event: ValueRedacted) -> State:
    redactions = tuple(
        replace(one, confirmed_by=fact.actor_id, confirmed_at=fact.at)
        if one.number == event.redaction
        else one
        for one in state.redaction.redactions
    )
    return replace(state, redaction=replace(state.redaction, redactions=redactions))


ALLOWED: dict[type[Command], tuple[str, ...]] = {RedactValue: AUTHORISERS, ConfirmRedaction: AUTHORISERS}
TOPIC = Topic(
    "redaction",
    {RedactValue: _redact, ConfirmRedaction: _confirm},
    ALLOWED,
    {RedactionRequested: _requested, ValueRedacted: _redacted},
    after_closure=frozenset((RedactValue, ConfirmRedaction)),
)
