"""The grading systems by the name they have in a terminal, each with the function whose parameters are its fields."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from pydantic import TypeAdapter

from escalon.criteria import (
    astct,
    clinical,
    crs_other,
    ctcae,
    dlt,
    icaht,
    ice,
    iec_hs,
    leukemia_response,
    magic,
    relatedness,
    seriousness,
)

_RECORD: TypeAdapter[dlt.PatientRecord] = TypeAdapter(dlt.PatientRecord)
_REFERENCES = TypeAdapter(list[seriousness.ReferenceSafetyInformation])
_VISITS = TypeAdapter(list[leukemia_response.VisitWindow])


def _crs_lee_2014(**fields: Any) -> Any:
    return crs_other.grade_crs_lee_2014(crs_other.CrsFindings(**fields))


def _crs_ctcae(**fields: Any) -> Any:
    return crs_other.grade_crs_ctcae_v5(crs_other.CrsFindings(**fields))


def _iec_hs(
    diagnosed: bool | None,
    severity: str | None = None,
    death: bool = False,
    findings: Mapping[str, Any] | None = None,
    cutoffs: Mapping[str, Mapping[str, Any]] | None = None,
) -> Any:
    components = None if findings is None else iec_hs.IecHsFindings(**findings)
    return iec_hs.grade_iec_hs(
        diagnosed=diagnosed, severity=severity, death=death, findings=components, cutoffs=cutoffs
    )


def _assessment(found: Mapping[str, Any]) -> leukemia_response.Assessment:
    lists = {name: tuple(value) for name, value in found.items() if isinstance(value, list)}
    return leukemia_response.Assessment(**(dict(found) | lists))


def _response(criteria: str = "platform", **fields: Any) -> Any:
    return leukemia_response.classify(_assessment(fields), criteria)


def _best_overall(
    assessments: Sequence[Mapping[str, Any]],
    criteria: str = "platform",
    confirm_days: int | None = None,
    new_therapy_day: float | None = None,
    hsct_day: float | None = None,
    orr_numerator: Sequence[str] = leukemia_response.ORR_NUMERATOR,
    baseline: Mapping[str, Any] | None = None,
) -> Any:
    """Best response; rows of day 0 or before are baseline, the latest of them counts."""
    rows = sorted((_assessment(row) for row in assessments), key=lambda row: _known_day(row.day))
    before = [row for row in rows if _known_day(row.day) <= 0]
    if baseline is not None and before:
        raise ValueError("baseline: given beside assessments of day 0 or before; give it once")
    first = before[-1] if before else None
    return leukemia_response.best_overall(
        [row for row in rows if _known_day(row.day) > 0],
        criteria,
        confirm_days,
        new_therapy_day=new_therapy_day,
        hsct_day=hsct_day,
        orr_numerator=orr_numerator,
        baseline=first if baseline is None else _assessment(baseline),
    )


def _known_day(day: float | None) -> float:
    if day is None:
        raise ValueError("day: an assessment has none; best response needs the order of the assessments")
    return day


def _series(
    days: Sequence[float],
    counts: Sequence[float],
    lineage: str = "neutrophils",
    stop_day: float | None = None,
    through_day: float | None = None,
) -> Any:
    return icaht.grade_series(days, counts, lineage, stop_day=stop_day, through_day=through_day)


def _definition(given: Mapping[str, Any] | None) -> dlt.DltDefinition:
    return dlt.load_default_definition() if given is None else dlt.DltDefinition.model_validate(given)


def _dlt(record: Mapping[str, Any], as_of_day: float, definition: Mapping[str, Any] | None = None) -> Any:
    return dlt.evaluability(_RECORD.validate_python(record), _definition(definition), as_of_day)


def _dlt_proposals(
    record: Mapping[str, Any], as_of_day: float | None = None, definition: Mapping[str, Any] | None = None
) -> Any:
    return dlt.propose(_RECORD.validate_python(record), _definition(definition), as_of_day)


def _relatedness(
    investigator: Mapping[str, str | None],
    sponsor: Mapping[str, str | None] | None = None,
    minimum: str = relatedness.MINIMUM,
) -> Any:
    return relatedness.combine_all(investigator, sponsor or {}, minimum, causes=relatedness.CAUSES)


def _expectedness(
    term: str, grade: int | None, product: str, onset: str | None, references: Sequence[Mapping[str, Any]]
) -> Any:
    day = None if onset is None else TypeAdapter(date).validate_python(onset)
    known = _REFERENCES.validate_python(references)
    return seriousness.judge_expectedness(term, grade, product, day, known)


def _visits(
    days: Sequence[float],
    policy: str = "nearest_unique",
    visits: Sequence[Mapping[str, Any]] | None = None,
) -> Any:
    planned = leukemia_response.load_visits() if visits is None else _VISITS.validate_python(visits)
    given = leukemia_response.assign_visits(days, planned, policy)
    return {f"day {row.day:g}": row for row in given}


SYSTEMS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "lab": (ctcae.grade_lab, ctcae.grade_lab),
    "finding": (clinical.grade_finding, clinical.grade_finding),
    "fever": (clinical.grade_fever, clinical.grade_fever),
    "febrile-neutropenia": (clinical.grade_febrile_neutropenia, clinical.grade_febrile_neutropenia),
    "ejection-fraction": (clinical.grade_ejection_fraction, clinical.grade_ejection_fraction),
    "qtc": (clinical.grade_qtc, clinical.grade_qtc),
    "crs": (astct.grade_crs, astct.grade_crs),
    "crs-lee-2014": (_crs_lee_2014, crs_other.CrsFindings),
    "crs-ctcae": (_crs_ctcae, crs_other.CrsFindings),
    "icans": (astct.grade_icans, astct.grade_icans),
    "ice": (ice.score_ice, ice.score_ice),
    "gvhd": (magic.grade_gvhd, magic.grade_gvhd),
    "gvhd-skin": (magic.stage_skin, magic.stage_skin),
    "gvhd-liver": (magic.stage_liver, magic.stage_liver),
    "gvhd-upper-gi": (magic.stage_upper_gi, magic.stage_upper_gi),
    "gvhd-lower-gi": (magic.stage_lower_gi, magic.stage_lower_gi),
    "icaht": (icaht.grade_icaht, icaht.grade_icaht),
    "t-icaht": (icaht.grade_t_icaht, icaht.grade_t_icaht),
    "icaht-series": (_series, _series),
    "iec-hs": (_iec_hs, _iec_hs),
    "response": (_response, leukemia_response.Assessment),
    "best-overall": (_best_overall, _best_overall),
    "visits": (_visits, _visits),
    "cns": (leukemia_response.cns_status, leukemia_response.cns_status),
    "cns-response": (leukemia_response.cns_response, leukemia_response.cns_response),
    "extramedullary": (leukemia_response.extramedullary_response, leukemia_response.extramedullary_response),
    "mrd": (leukemia_response.mrd_label, leukemia_response.mrd_label),
    "dlt": (_dlt, _dlt),
    "dlt-proposals": (_dlt_proposals, _dlt_proposals),
    "relatedness": (_relatedness, _relatedness),
    "seriousness": (seriousness.judge_seriousness, seriousness.judge_seriousness),
    "expectedness": (_expectedness, _expectedness),
    "emergence": (seriousness.judge_emergence, seriousness.judge_emergence),
}
"""Name to (function that answers, function whose parameters are the fields)."""
