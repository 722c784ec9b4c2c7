"""Response of acute lymphoblastic leukemia at one assessment: the first step that matches decides.

Conventions: presence needs one finding, absence needs all; a gap between printed operators falls to the lower
category; a lineage under platelet transfusion or growth factor within 7 days is not recovered (assumption).
The order of the steps is an assumption; the limits come with each criteria set. Blasts are in percent of
marrow cells, blood blasts and counts in 10^9/L, MRD is a fraction.

Sources: European LeukemiaNet, Blood 2024;143:1891; NCI and CIBMTR, PMC7272718; NCT02412306; NCCN
(paraphrased).
"""

from escalon.criteria.leukemia_assessment import EMD_CODES, RESPONSES, Assessment, Response
from escalon.criteria.leukemia_sets import CriteriaSet, Limit, criteria_set
from escalon.criteria.leukemia_status import REMISSIONS, CnsResponse, MrdLabel, cns_response, mrd_label
from escalon.criteria.operators import is_met

__all__ = ["EMD_CODES", "RESPONSES", "Assessment", "Response", "classify"]


def classify(assessment: Assessment, criteria: str | CriteriaSet = "platform") -> Response:
    """Response at one assessment.

    Args:
        assessment: findings, with earlier status and reference values in ``prior``, ``baseline_*`` and
            ``nadir_*``.
        criteria: name of a shipped set or a ``CriteriaSet``.

    Returns:
        One of ``CR CRh CRi MLFS PR NR PD RELAPSE INDETERMINATE NE NE_APLASTIC`` with clause and reasons.

    Raises:
        ValueError: for an unknown set.

    Example:
        >>> seen = Assessment(bm_blasts=2, pb_blasts=0, emd="absent", anc=1.5, platelets=150)
        >>> classify(seen).response
        'CR'
    """
    chosen = criteria_set(criteria)
    found = (
        _relapse(assessment, chosen)
        or _progression(assessment, chosen)
        or _missing(assessment)
        or _remission(assessment, chosen)
        or _kept(assessment, chosen)
        or _partial(assessment, chosen)
        or ("7", "NR", "none of the other categories", _not_clear(assessment, chosen))
    )
    step, response, clause, reasons = found
    cns = _cns(assessment)
    if cns is not None and cns.response in ("REMISSION", "RELAPSE"):
        reasons = (*reasons, f"CNS {cns.response.lower()}: {cns.clause}")
    mrd = _mrd(assessment, response)
    return Response(
        response, clause, reasons, step, chosen.name, assessment.day, assessment.visit, mrd=mrd, cns=cns
    )


def _cns(a: Assessment) -> CnsResponse | None:
    return None if a.cns is None else cns_response(a.cns, a.baseline_cns, a.last_cns)


def _mrd(a: Assessment, response: str) -> MrdLabel | None:
    if a.mrd is None:
        return None
    seen = a.mrd > 0.0
    return mrd_label(
        value=a.mrd if seen else None,
        sensitivity=a.mrd_sensitivity,
        detected=seen,
        response=response,
        method=a.mrd_method,
    )


_Found = tuple[str, str, str, tuple[str, ...]]


def _relapse(a: Assessment, s: CriteriaSet) -> _Found | None:
    if a.prior == "PR" and s.relapse_after_pr_rule is not None:
        return _relapse_after_partial(a, s.relapse_after_pr_rule)
    if a.prior not in REMISSIONS:
        return None
    findings = []
    if a.bm_blasts is not None and s.relapse_blast_rule.met(a.bm_blasts):
        findings.append(f"marrow blasts {a.bm_blasts:g} % {s.relapse_blast_rule.text()}")
    if a.blood_blasts:
        findings.append("blood blasts present")
    if a.extramedullary:
        findings.append("extramedullary disease present")
    if a.cns is not None and a.cns.startswith("CNS3"):
        findings.append(f"new {a.cns}")
    if not findings:
        return None
    if findings == ["blood blasts present"]:
        findings.append("blood blasts alone: retest in 1 to 4 weeks")
    return "1", "RELAPSE", f"after {a.prior}: {findings[0]}", tuple(findings)


def _relapse_after_partial(a: Assessment, rule: Limit) -> _Found | None:
    if a.bm_blasts is None or not rule.met(a.bm_blasts):
        return None
    return "1", "RELAPSE", "after PR", (f"marrow blasts {a.bm_blasts:g} % {rule.text()}",)


def _reference(baseline: float | None, nadir: float | None, how: str) -> float | None:
    known = [value for value in (baseline, nadir) if value]  # a reference of 0 cannot carry a relative rise
    return {"baseline": baseline, "nadir": nadir, "lower": min(known, default=None)}[how] or None


def _progression(a: Assessment, s: CriteriaSet) -> _Found | None:
    if a.prior in REMISSIONS or not s.pd:
        return None
    findings = ["new extramedullary disease"] if a.new_extramedullary else []
    cns_before = a.last_cns or a.baseline_cns or "CNS1"
    if a.cns is not None and a.cns.startswith("CNS3") and not cns_before.startswith("CNS3"):
        findings.append(f"new {a.cns}")
    marrow = _reference(a.baseline_bm, a.nadir_bm, s.pd_reference)
    high = a.bm_blasts is not None and is_met(a.bm_blasts, ">=", s.pd_blasts_min)
    if high and _risen(marrow, a.bm_blasts, s.pd_min_rise):
        findings.append(f"marrow blasts risen from {marrow:g} to {a.bm_blasts:g} %")
    blood = _reference(a.baseline_pb, a.nadir_pb, s.pd_reference)
    if _risen(blood, a.pb_blasts, s.pd_min_rise):
        findings.append(f"blood blasts risen from {blood:g} to {a.pb_blasts:g} x10^9/L")
    lesions = _reference(a.baseline_emd_burden, a.nadir_emd_burden, s.pd_reference)
    if s.pd_emd_min_rise is not None and _risen(lesions, a.emd_burden, s.pd_emd_min_rise):
        findings.append(f"extramedullary burden risen from {lesions:g} to {a.emd_burden:g}")
    return ("2", "PD", findings[0], tuple(findings)) if findings else None


def _risen(reference: float | None, now: float | None, least: float) -> bool:
    return reference is not None and now is not None and is_met(now, ">=", reference * (1.0 + least))


def _missing(a: Assessment) -> _Found | None:
    absent = []
    if a.bm_blasts is None:
        absent.append("marrow blasts missing")
    if a.blood_blasts is None:
        absent.append("blood blasts missing")
    if a.extramedullary is None:
        absent.append("extramedullary disease not assessed")
    if a.csf_required and a.cns is None:
        absent.append("lumbar puncture required and missing")
    return ("3", "NE", "not evaluable", tuple(absent)) if absent else None


def _clear(a: Assessment, s: CriteriaSet) -> bool:
    marrow = a.bm_blasts is not None and s.blast_rule.met(a.bm_blasts)
    return marrow and not a.blood_blasts and not a.extramedullary and (a.cns or "CNS1") == "CNS1"


def _remission(a: Assessment, s: CriteriaSet) -> _Found | None:
    if not _clear(a, s):
        return None
    marrow = f"marrow blasts {a.bm_blasts:g} % {s.blast_rule.text()}"
    if s.mrd_guard and a.mrd is not None and s.mrd_guard_rule.met(a.mrd):
        return "4a", "NR", f"MRD {a.mrd:g} {s.mrd_guard_rule.text()}", (marrow,)
    if a.anc is None or a.platelets is None:
        absent = "neutrophils" if a.anc is None else "platelets"
        return "4b", "NE", "not evaluable", (f"{absent} missing", marrow)
    counts = (marrow, *_count_reasons(a, s))
    full = _recovered(a, s, s.anc_rule, s.platelet_rule)
    dependent = s.red_cell_independence and a.supported("red_cells", s.support_days)
    if all(full) and not dependent:
        return "4c", "CR", f"ANC {s.anc_rule.text()} and platelets {s.platelet_rule.text()}", counts
    half = _recovered(a, s, s.crh_anc_rule, s.crh_platelet_rule)
    if s.crh != "off" and all(half):
        folded = " (CRh counted as CRi)" if s.crh == "fold" else ""
        clause = f"ANC {s.crh_anc_rule.text()} and platelets {s.crh_platelet_rule.text()}{folded}"
        return "4d", "CRh" if s.crh == "report" else "CRi", clause, counts
    enough = {"none": True, "one_lineage": any(full), "anc500_or_plt50": any(half)}[s.cri_min_recovery]
    if enough:
        return "4e", "CRi", f"incomplete recovery, rule {s.cri_min_recovery}", counts
    return _leukemia_free(a, s, counts)


def _recovered(a: Assessment, s: CriteriaSet, anc: Limit, platelets: Limit) -> tuple[bool, bool]:
    return (
        a.anc is not None and not a.supported("anc", s.support_days) and anc.met(a.anc),
        a.platelets is not None
        and not a.supported("platelets", s.support_days)
        and platelets.met(a.platelets),
    )


def _count_reasons(a: Assessment, s: CriteriaSet) -> tuple[str, ...]:
    reasons = [f"ANC {a.anc:g}, platelets {a.platelets:g} x10^9/L"]
    given = f"within {s.support_days:g} days"
    if a.supported("anc", s.support_days):
        reasons.append(f"growth factor {given}: neutrophils not counted as recovered")
    if a.supported("platelets", s.support_days):
        reasons.append(f"transfusion {given}: platelets not counted as recovered")
    if s.red_cell_independence and a.supported("red_cells", s.support_days):
        reasons.append(f"red cells {given}: no CR by this set")
    return tuple(reasons)


def _leukemia_free(a: Assessment, s: CriteriaSet, counts: tuple[str, ...]) -> _Found:
    if not s.mlfs:
        return "4f", "NR", "no recovery, and the set has no MLFS", counts
    if a.cells_counted is not None and s.mlfs_cells.met(a.cells_counted):
        return "4f", "MLFS", f"{a.cells_counted:g} cells counted", counts
    if a.cellularity is not None and s.mlfs_cellularity.met(a.cellularity):
        return "4f", "MLFS", f"cellularity {a.cellularity:g} %", counts
    if a.cells_counted is None and a.cellularity is None:
        return "4f", "NE", "not evaluable", ("neither cells counted nor cellularity documented", *counts)
    return "4f", "NE_APLASTIC", "marrow too poor in cells: repeat it", counts


def _kept(a: Assessment, s: CriteriaSet) -> _Found | None:
    if a.prior not in REMISSIONS:
        return None
    return (
        "5",
        "INDETERMINATE",
        f"between clear and relapse: keep {a.prior}, repeat the marrow",
        _not_clear(a, s),
    )


def _not_clear(a: Assessment, s: CriteriaSet) -> tuple[str, ...]:
    """What kept the assessment from a remission."""
    found = []
    if a.bm_blasts is not None and not s.blast_rule.met(a.bm_blasts):
        found.append(f"marrow blasts {a.bm_blasts:g} %, not {s.blast_rule.text()} %")
    if a.blood_blasts:
        found.append("blood blasts present")
    if a.extramedullary:
        found.append("extramedullary disease present")
    if a.cns not in (None, "CNS1"):
        found.append(f"{a.cns}")
    return tuple(found)


def _partial(a: Assessment, s: CriteriaSet) -> _Found | None:
    if s.pr_rule == "off" or a.bm_blasts is None or is_met(a.bm_blasts, ">", s.pr_blasts_max):
        return None
    if s.pr_rule == "eln" and is_met(a.bm_blasts, "<", s.pr_blasts_min):
        return None
    falls = [("marrow blasts", _fall(a.baseline_bm, a.bm_blasts))]
    if s.pr_rule == "cibmtr":
        falls.append(("blood blasts", _fall(a.baseline_pb, a.pb_blasts, present=a.blood_blasts)))
        falls.append(
            ("extramedullary disease", _fall(a.baseline_emd_burden, a.emd_burden, present=a.extramedullary))
        )
    if any(fall is not None and not is_met(fall, ">=", s.pr_min_fall) for _, fall in falls):
        return None
    absent = [f"{name}: no value to measure the fall" for name, fall in falls if fall is None]
    absent += [f"{name} missing" for name in ("anc", "platelets") if getattr(a, name) is None]
    full = _recovered(a, s, s.anc_rule, s.platelet_rule)
    low = (a.anc is not None and not full[0]) or (a.platelets is not None and not full[1])
    if low:
        return None
    if absent:
        return "6", "NE", "not evaluable: a PR can be neither shown nor excluded", tuple(absent)
    reasons = tuple(f"{name} fell by {100.0 * fall:g} %" for name, fall in falls if fall is not None)
    return (
        "6",
        "PR",
        f"PR rule {s.pr_rule}: fall of {100.0 * s.pr_min_fall:g} % or more and counts met",
        reasons,
    )


def _fall(baseline: float | None, now: float | None, present: bool | None = True) -> float | None:
    """Relative fall as a fraction; a site that is clear now counts as a full fall."""
    if present is False:
        return 1.0
    if now is None or baseline is None:
        return None
    return (baseline - now) / baseline if baseline > 0.0 else 0.0
