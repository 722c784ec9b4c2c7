"""Hy's law as a dose-limiting toxicity: liver cells hurt so much that bilirubin rises, and nothing else explains it.

Conventions: ALT or AST and bilirubin are read from the tests of one day. Each must be above its multiple of the
upper limit and above its own baseline, the latest value before the first infusion; without a baseline they count
as risen. Cholestasis (recorded, or alkaline phosphatase at its limit or above) speaks against it; where neither is
known it is proposed with that reason, for the person who adjudicates.

Source: FDA guidance, Drug-Induced Liver Injury: Premarketing Clinical Evaluation, 2009.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from escalon.criteria.dlt_definition import HysLawClause
from escalon.criteria.dlt_record import LiverPoint, PatientRecord
from escalon.criteria.operators import is_met


@dataclass(frozen=True, slots=True)
class LiverJudgement:
    """One day of high transaminases: day from infusion, what was seen, and what stands against the clause."""

    point: LiverPoint
    day: float
    reasons: tuple[str, ...]
    obstacles: tuple[str, ...]


def judge_liver(clause: HysLawClause, record: PatientRecord, cut: float) -> Iterator[LiverJudgement]:
    """Judge every day from the infusion to the cut (days from infusion) with transaminases above their limit."""
    origin = record.infusion_day or 0.0
    points = sorted(record.liver, key=lambda point: point.day)
    before = [point for point in points if point.day < origin or point.before_infusion]
    for point in points:
        day = point.day - origin
        enzymes = transaminases(point)
        if (
            day < 0
            or point.before_infusion
            or day >= cut + 1
            or enzymes is None
            or not is_met(enzymes, ">", clause.transaminase_uln)
        ):
            continue
        bilirubin = point.bilirubin_uln
        if bilirubin is not None and not is_met(bilirubin, ">", clause.bilirubin_uln):
            continue
        shown = "not measured" if bilirubin is None else f"{bilirubin:g} x ULN"
        reasons = [f"transaminases {enzymes:g} x ULN with bilirubin {shown} on day {day:g}"]
        obstacles = ["bilirubin not measured that day"] if bilirubin is None else []
        for found in (_baseline(point, before), _cholestasis(point, clause)):
            reasons += found[0]
            obstacles += found[1]
        obstacles += ["another cause is recorded"] if point.other_cause else []
        yield LiverJudgement(point, day, tuple(reasons), tuple(obstacles))


def transaminases(point: LiverPoint) -> float | None:
    """The higher of ALT and AST, as a multiple of its upper limit; None when neither was measured."""
    return max((value for value in (point.alt_uln, point.ast_uln) if value is not None), default=None)


def _baseline(point: LiverPoint, before: Sequence[LiverPoint]) -> tuple[list[str], list[str]]:
    """Reasons and obstacles from the tests before the infusion, in order of day."""
    if not before:
        return ["no liver tests before the infusion: counted as risen"], []
    pairs = {
        "transaminases": (transaminases(point), _latest(map(transaminases, before))),
        "bilirubin": (point.bilirubin_uln, _latest(old.bilirubin_uln for old in before)),
    }
    reasons = [
        f"{name} before: {'not measured' if old is None else format(old, 'g') + ' x ULN'}"
        for name, (_, old) in pairs.items()
    ]
    obstacles = [
        f"{name} not above baseline"
        for name, (now, old) in pairs.items()
        if now is not None and old is not None and not is_met(now, ">", old)
    ]
    return reasons, obstacles


def _latest(values: Iterable[float | None]) -> float | None:
    """The last value that was measured; None when none was."""
    return next((value for value in reversed([*values]) if value is not None), None)


def _cholestasis(point: LiverPoint, clause: HysLawClause) -> tuple[list[str], list[str]]:
    """Reasons and obstacles from alkaline phosphatase and the clinical finding."""
    if point.cholestasis:
        return [], ["cholestasis is recorded"]
    if point.cholestasis is False:
        return ["no cholestasis recorded"], []
    if point.alp_uln is None:
        return ["alkaline phosphatase not measured: cholestasis not excluded"], []
    if is_met(point.alp_uln, "<", clause.alp_uln):
        return [f"alkaline phosphatase {point.alp_uln:g} x ULN, below {clause.alp_uln:g}"], []
    return [], [f"alkaline phosphatase {point.alp_uln:g} x ULN: cholestasis"]
