"""The committee's packet as one page: what was cut, what the rule says, who is pending, who voted and signed."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import polars as pl
from markupsafe import Markup

from escalon.conduct.committee.carried import decision_ref
from escalon.conduct.committee.cut import cut_hash
from escalon.conduct.committee.packet import build_packet
from escalon.conduct.committee.state import DataCut, Review
from escalon.conduct.people.signatures import valid_signatures
from escalon.conduct.state import Decision, State
from escalon.design.answers import table_answer
from escalon.protocol import StudyFolder
from escalon.report.design_table import render_picture_table
from escalon.report.figures.windows import STATUS, draw_windows
from escalon.report.html import _environment, _style
from escalon.report.pictures.picture import make_picture
from escalon.report.wording import rule_name

ACTIONS = {
    "open": "open the first cohort",
    "escalate": "escalate",
    "stay": "stay",
    "de_escalate": "de-escalate",
    "stop": "stop the escalation",
    "rp2d": "recommend for phase 2",
}


@dataclass(frozen=True, slots=True)
class Meeting:
    """What the page shows of the review besides the packet; all empty before a review is opened."""

    review: Review | None
    decision: Decision | None
    interests: tuple[dict[str, Any], ...]
    votes: tuple[dict[str, Any], ...]
    signatures: tuple[dict[str, Any], ...]


def render_packet(shown: State, now: State, folder: StudyFolder, cut: DataCut, review: Review | None) -> str:
    """Return the page.

    Args:
        shown: the state whose records are those of ``cut``.
        now: the state from which interests, votes, signatures and the decision are read.
        folder: the study.
        cut: the data cut.
        review: the review that looked at it; None for a preview.
    """
    packet = build_packet(shown, folder, cut)
    plan = folder.study.escalation
    return (
        _environment()
        .get_template("packet.html.j2")
        .render(
            style=Markup(_style() + _packet_style()),
            packet=packet,
            study=folder.study,
            rule=rule_name(plan.rule.kind),
            meeting=_meeting(now, review),
            cut=cut,
            levels=[folder.study.dose_level(level + 1).label for level in range(plan.levels)],
            status=STATUS,
            actions=ACTIONS,
            table=Markup(_table(folder)) if packet["decision_table"] else "",
            windows=_windows(packet["patients"], folder),
        )
    )


def preview_cut(state: State, part: str) -> DataCut:
    """Return the cut that would be taken of ``state`` now, with the number 0; it is no fact."""
    assert state.at is not None, "an empty ledger has no preview"
    return DataCut(0, part, "preview, not a data cut", state.seq, cut_hash(state, part), state.at)


def _table(folder: StudyFolder) -> str:
    plan = folder.study.escalation
    return render_picture_table(table_answer(plan), plan.cohort_sizes[0])


def _windows(patients: Sequence[dict[str, Any]], folder: StudyFolder) -> Any:
    infused = [row for row in patients if row["day"] is not None]
    frame = pl.DataFrame(
        {
            "patient": [
                f"{row['patient']}  (level {row['dose_level']}{', backfill' * bool(row.get('backfill'))})"
                for row in infused
            ],
            "day": [row["day"] for row in infused],
            "status": [row["dlt_status"] for row in infused],
        },
        schema={"patient": pl.String, "day": pl.Int64, "status": pl.String},
    )
    chart = draw_windows(frame, folder.study.dlt.window_days) if infused else None
    caption = "Each bar runs from the infusion to the cut; grey is what the window has left."
    return make_picture("windows", "DLT windows at the cut", caption, chart)


def _meeting(state: State, review: Review | None) -> Meeting:
    if review is None:
        return Meeting(None, None, (), (), ())
    current = state.committee.reviews[review.number - 1]
    decision = next((one for one in state.decisions if one.review == review.number), None)
    names = {person: known.name for person, known in state.people.persons.items()}
    interests = tuple(
        {"name": names.get(person, person), "conflict": one.conflict, "statement": one.statement}
        for person, one in current.interests.items()
    )
    votes = tuple(
        {
            "name": names.get(person, person),
            "function": state.committee.members.get(person, ""),
            "action": ACTIONS.get(vote.action, vote.action),
            "level": vote.dose_level,
            "reason": vote.reason,
        }
        for person, vote in current.votes.items()
    )
    signatures = tuple(
        {"name": one.name, "role": one.role, "meaning": one.meaning, "at": one.at}
        for one in valid_signatures(state, decision_ref(review.number))
    )
    return Meeting(current, decision, interests, votes, signatures)


@cache
def _packet_style() -> str:
    folder = files("escalon.report") / "templates"
    return "".join((folder / name).read_text(encoding="utf-8") for name in ("design.css", "packet.css"))
