"""Best overall response, confirmation and relapse of one patient, from the assessments in order of day.

Conventions (assumption unless said): best is the highest of CR, CRh, CRi, MLFS, PR, NR, PD, NE; reading stops
after the first relapse or progression, and at a new anti-leukemic therapy or transplant (an assessment of
that day counts only when it precedes the therapy). A response is confirmed when CR or CRi is first seen by
day 91 and again at least 28 days later with no relapse, progression, new therapy or transplant between; a not
evaluable assessment between is allowed (the rule itself as in the ELIANA trial). Confirmed and unconfirmed
are both given.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from escalon.criteria.leukemia_classify import RESPONSES, Assessment, Response, classify
from escalon.criteria.leukemia_sets import CriteriaSet, course_rule, criteria_set
from escalon.criteria.leukemia_status import REMISSIONS
from escalon.criteria.result import check_code, check_day

BEST_ORDER: tuple[str, ...] = tuple(course_rule("best_order"))
CONFIRM_DAYS: int = course_rule("confirm_days")
CONFIRM_FIRST_BY: float = course_rule("confirm_first_by")
CONFIRMED_BY: tuple[str, ...] = tuple(course_rule("confirmed_by"))
ORR_NUMERATOR: tuple[str, ...] = tuple(course_rule("orr_numerator"))
STOPS_AT: tuple[str, ...] = tuple(course_rule("stops_at"))


@dataclass(frozen=True, slots=True)
class BestResponse:
    """Best overall response of one patient.

    Attributes:
        response: best response, unconfirmed.
        clause: what decided.
        reasons: for NE what was missing at each assessment; when reading stopped and why.
        responses: every assessment read, in order of day.
        first_day: day the best response was first met, or None.
        response_day: day a response of the numerator was first met (start of duration of response), or None.
        confirmed: True when CR or CRi was confirmed.
        confirmed_day: day of the confirming assessment, or None.
        relapse_day: day of relapse, or None.
        progression_day: day of progression, or None.
        responder: whether the patient counts in the numerator (confirmed too, when ``confirm_days`` was
            given).
    """

    response: str
    clause: str
    reasons: tuple[str, ...]
    responses: tuple[Response, ...]
    first_day: float | None
    response_day: float | None
    confirmed: bool
    confirmed_day: float | None
    relapse_day: float | None
    progression_day: float | None
    responder: bool

    @property
    def grade(self) -> str:
        """The response, under the name every result object carries."""
        return self.response


def best_overall(
    assessments: Sequence[Assessment],
    criteria: str | CriteriaSet = "platform",
    confirm_days: int | None = None,
    *,
    new_therapy_day: float | None = None,
    hsct_day: float | None = None,
    orr_numerator: Collection[str] = ORR_NUMERATOR,
    baseline: Assessment | None = None,
) -> BestResponse:
    """Classify every assessment with the status and nadir before it, then take the best.

    Args:
        assessments: of one patient, each with its day; an assessment's own ``prior``, ``nadir_*`` and
            ``baseline_*`` win over what is carried along.
        criteria: name of a set or a ``CriteriaSet``.
        confirm_days: None reports the best unconfirmed response; a number asks responders to be confirmed
            that many days later.
        new_therapy_day: first day of a new anti-leukemic therapy, or None.
        hsct_day: day of transplant, or None.
        orr_numerator: responses that make a responder.
        baseline: assessment before treatment, for the reference values.

    Raises:
        ValueError: for an assessment without a day, or confirm_days below 1.

    Example:
        >>> seen = Assessment(day=28, bm_blasts=2, pb_blasts=0, emd="absent", anc=1.5, platelets=150)
        >>> best_overall([seen]).response
        'CR'
    """
    course = judge_course(assessments, criteria, baseline=baseline)
    return best_of_responses(
        [(one.response, one.assessment.precedes_therapy) for one in course],
        confirm_days=confirm_days,
        new_therapy_day=new_therapy_day,
        hsct_day=hsct_day,
        orr_numerator=orr_numerator,
    )


@dataclass(frozen=True, slots=True)
class JudgedAssessment:
    """One assessment with what was known before it, the response by the criteria, and the one that counts."""

    assessment: Assessment
    derived: Response
    response: Response


def judge_course(
    assessments: Sequence[Assessment],
    criteria: str | CriteriaSet = "platform",
    *,
    baseline: Assessment | None = None,
    judged: Sequence[str | None] | None = None,
) -> tuple[JudgedAssessment, ...]:
    """Classify every assessment with the status and the lowest values before it.

    Args:
        assessments: of one patient, each with its day; an assessment's own ``prior``, ``nadir_*``, ``last_*`` and
            ``baseline_*`` win over what is carried along.
        criteria: name of a set or a ``CriteriaSet``.
        baseline: assessment before treatment, for the reference values.
        judged: the investigator's response at each assessment, in the order given, None where there is none. It
            takes the place of the derived one, and the status after it is carried along.

    Returns:
        One row per assessment in order of day.

    Raises:
        ValueError: for an assessment without a day, an unknown response, or a number of responses that is not the
            number of assessments.

    Example:
        >>> seen = Assessment(day=28, bm_blasts=2, pb_blasts=0, emd="absent", anc=1.5, platelets=150)
        >>> row, = judge_course([seen], judged=["CRi"])
        >>> row.derived.response, row.response.response
        ('CR', 'CRi')
    """
    chosen = criteria_set(criteria)
    _check_baseline(baseline)
    calls: Sequence[str | None] = [None] * len(assessments) if judged is None else judged
    if len(calls) != len(assessments):
        raise ValueError(
            f"judged: {len(calls)} responses for {len(assessments)} assessments; give one for each"
        )
    course: list[JudgedAssessment] = []
    carried: dict[str, Any] = {} if baseline is None else _baseline(baseline)
    for seen, call in sorted(zip(assessments, calls, strict=True), key=lambda pair: _day(pair[0])):
        missing = {name: value for name, value in carried.items() if getattr(seen, name) is None}
        known = replace(seen, **missing)
        derived = classify(known, chosen)
        response = derived if judged is None else _investigated(derived, call)
        course.append(JudgedAssessment(known, derived, response))
        carried |= _after(carried, seen, response)
    return tuple(course)


def _investigated(derived: Response, call: str | None) -> Response:
    """The investigator's response with the reasons of the criteria; where they differ it says so."""
    if call is None:
        return replace(derived, reasons=("no call of the investigator; by the criteria", *derived.reasons))
    check_code("judged", call, RESPONSES)
    if call == derived.response:
        return derived
    reasons = (f"investigator: {call}; by the criteria: {derived.response}", *derived.reasons)
    return replace(derived, response=call, reasons=reasons)


def _day(seen: Assessment) -> float:
    if seen.day is None:
        raise ValueError("day: an assessment has none; best response needs the order of the assessments")
    return seen.day


def _lowest(old: float | None, new: float | None) -> float | None:
    known = [value for value in (old, new) if value is not None]
    return min(known, default=None)


def _baseline(baseline: Assessment) -> dict[str, Any]:
    """What later assessments are compared with."""
    return {
        "baseline_bm": baseline.bm_blasts,
        "baseline_pb": baseline.pb_blasts,
        "baseline_emd": baseline.emd,
        "baseline_emd_burden": baseline.emd_burden,
        "baseline_cns": baseline.cns,
    }


def _after(carried: dict[str, Any], seen: Assessment, response: Response) -> dict[str, Any]:
    """What one assessment leaves for the next: status, lowest values, last CNS and extramedullary findings."""
    status = carried.get("prior")
    if response.response in REMISSIONS or (response.response == "PR" and status is None):
        status = response.response
    looked = seen.emd if seen.emd in ("absent", "present", "new") else carried.get("last_emd")
    return {
        "prior": status,
        "nadir_bm": _lowest(carried.get("nadir_bm"), seen.bm_blasts),
        "nadir_pb": _lowest(carried.get("nadir_pb"), seen.pb_blasts),
        "nadir_emd_burden": _lowest(carried.get("nadir_emd_burden"), seen.emd_burden),
        "last_cns": seen.cns or carried.get("last_cns"),
        "last_emd": looked,
    }


def _check_baseline(baseline: Assessment | None) -> None:
    """Refuse a baseline that does not lie before treatment: its day, where given, is 0 or earlier.

    Raises:
        ValueError: naming the day.
    """
    if baseline is not None and baseline.day is not None and baseline.day > 0:
        raise ValueError(
            f"baseline: day {baseline.day:g} is after the first infusion; it must be 0 or before"
        )


def best_of_responses(
    results: Sequence[tuple[Response, bool]],
    *,
    confirm_days: int | None = None,
    new_therapy_day: float | None = None,
    hsct_day: float | None = None,
    orr_numerator: Collection[str] = ORR_NUMERATOR,
) -> BestResponse:
    """Best response from responses already classified, each with whether it precedes a therapy of its own
    day.

    Args:
        results: (response with its day, precedes therapy) in any order.
        confirm_days: as in ``best_overall``; confirmation itself is always judged, with 28 days by default.
        new_therapy_day: as in ``best_overall``.
        hsct_day: as in ``best_overall``.
        orr_numerator: as in ``best_overall``.

    Raises:
        ValueError: for an unknown response in the numerator, a response without a day, or confirm_days below 1.
    """
    for code in orr_numerator:
        check_code("orr_numerator", code, RESPONSES)
    check_day("new_therapy_day", new_therapy_day)
    check_day("hsct_day", hsct_day)
    _check_confirm_days(confirm_days)
    read, reasons = _read(results, new_therapy_day, hsct_day)
    best = next((code for code in BEST_ORDER if any(r.response == code for r in read)), "NE")
    if best == "NE":
        reasons = (*_why_not_evaluable(read), *reasons)
    confirmed_day = _confirmed_day(read, CONFIRM_DAYS if confirm_days is None else confirm_days)
    first = _first_day(read, (best,))
    clause = f"best of {len(read)} assessments" + ("" if first is None else f", first met on day {first:g}")
    counted = best in orr_numerator and (confirm_days is None or confirmed_day is not None)
    return BestResponse(
        response=best,
        clause=clause if read else "no assessment to read",
        reasons=reasons,
        responses=read,
        first_day=first,
        response_day=_first_day(read, orr_numerator),
        confirmed=confirmed_day is not None,
        confirmed_day=confirmed_day,
        relapse_day=_first_day(read, ("RELAPSE",)),
        progression_day=_first_day(read, ("PD",)),
        responder=counted,
    )


def _check_confirm_days(days: int | None) -> None:
    if days is not None and (isinstance(days, bool) or not isinstance(days, int) or days < 1):
        raise ValueError(
            f"confirm_days: {days!r} is not a whole number of days, 1 or more; None asks for none"
        )


def _response_day(response: Response) -> float:
    if response.day is None:
        raise ValueError("day: a response has none; best response needs the order of the assessments")
    return response.day


def _read(
    results: Sequence[tuple[Response, bool]], new_therapy_day: float | None, hsct_day: float | None
) -> tuple[tuple[Response, ...], tuple[str, ...]]:
    ends = [
        (day, name)
        for day, name in ((new_therapy_day, "new therapy"), (hsct_day, "transplant"))
        if day is not None
    ]
    end, what = min(ends, default=(float("inf"), ""))
    read: list[Response] = []
    for response, precedes in sorted(results, key=lambda pair: _response_day(pair[0])):
        day = _response_day(response)
        if day > end or (day == end and not precedes):
            return tuple(read), (f"reading stopped at {what} on day {end:g}",)
        read.append(response)
        if response.response in STOPS_AT:
            return tuple(read), (f"reading stopped at {response.response} on day {day:g}",)
    return tuple(read), ()


def _why_not_evaluable(read: Sequence[Response]) -> tuple[str, ...]:
    """What kept each assessment from having a response that counts."""
    if not read:
        return ("no assessment was read",)
    return tuple(
        f"day {r.day:g}, {r.response}: {'; '.join((r.clause, *r.reasons))}" for r in read if r.day is not None
    )


def _first_day(read: Sequence[Response], codes: Collection[str]) -> float | None:
    return next((response.day for response in read if response.response in codes), None)


def _confirmed_day(read: Sequence[Response], days: int) -> float | None:
    first = _first_day(read, CONFIRMED_BY)
    if first is None or first > CONFIRM_FIRST_BY:
        return None
    later = [
        r.day for r in read if r.response in CONFIRMED_BY and r.day is not None and r.day >= first + days
    ]
    return min(later, default=None)
