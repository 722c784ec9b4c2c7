"""CNS status, MRD labels, extramedullary sites and supported counts: the parts an assessment is put together from.

Sources: CNS categories of the Children's Oncology Group; MRD of European LeukemiaNet, Blood 2024;143:1891.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from escalon.criteria.operators import is_met
from escalon.criteria.result import check_code, check_finite, check_flag

CNS_CODES = ("CNS1", "CNS2a", "CNS2b", "CNS2c", "CNS3a", "CNS3b", "CNS3c")
REMISSIONS = ("CR", "CRh", "CRi", "MLFS")
MRD_LEVEL = 1e-4
EMD_SITES = ("nodes", "spleen", "skin", "gum", "testis", "cns")
SUPPORT_DAYS = 7.0


@dataclass(frozen=True, slots=True)
class CnsStatus:
    """CNS category, or None with the reason."""

    status: str | None
    clause: str
    reasons: tuple[str, ...]


def cns_status(
    *,
    csf_wbc: float | None,
    csf_rbc: float | None,
    blasts: bool | None,
    blood_wbc: float | None = None,
    blood_rbc: float | None = None,
    clinical_signs: bool = False,
) -> CnsStatus:
    """CNS category from one lumbar puncture.

    Args:
        csf_wbc: white cells per uL of cerebrospinal fluid.
        csf_rbc: red cells per uL of cerebrospinal fluid.
        blasts: leukemic blasts seen in it.
        blood_wbc: white cells per uL of blood, needed for a bloody tap with 5 or more white cells.
        blood_rbc: red cells per uL of blood.
        clinical_signs: signs due to CNS leukemia (CNS3c).

    Raises:
        ValueError: for a negative count or blood red cells of 0.
    """
    counts = {"csf_wbc": csf_wbc, "csf_rbc": csf_rbc, "blood_wbc": blood_wbc, "blood_rbc": blood_rbc}
    for name, count in counts.items():
        check_finite(name, count)
    check_flag("blasts", blasts, unknown=True)
    check_flag("clinical_signs", clinical_signs)
    if blood_rbc == 0:
        raise ValueError("blood_rbc: 0 cannot be a blood count; give cells per uL")
    reasons = tuple(f"{name} {count:g}/uL" for name, count in counts.items() if count is not None)
    if clinical_signs:
        return CnsStatus("CNS3c", "clinical signs of CNS leukemia", reasons)
    if blasts is None:
        return CnsStatus(None, "not evaluable", ("blasts in the CSF not assessed", *reasons))
    if not blasts:
        return CnsStatus("CNS1", "no CSF blasts, any cell count", reasons)
    if csf_wbc is None or csf_rbc is None:
        return CnsStatus(None, "not evaluable", ("CSF white or red cells are missing", *reasons))
    return _with_blasts(csf_wbc, csf_rbc, blood_wbc, blood_rbc, reasons)


def _with_blasts(
    csf_wbc: float, csf_rbc: float, blood_wbc: float | None, blood_rbc: float | None, reasons: tuple[str, ...]
) -> CnsStatus:
    bloody = is_met(csf_rbc, ">=", 10.0)
    if not is_met(csf_wbc, ">=", 5.0):
        return CnsStatus("CNS2b" if bloody else "CNS2a", "CSF WBC < 5/uL with blasts", reasons)
    if not bloody:
        return CnsStatus("CNS3a", "CSF WBC >= 5/uL with blasts, RBC < 10/uL", reasons)
    if blood_wbc is None or blood_rbc is None:
        return CnsStatus(None, "not evaluable", ("bloody tap: blood WBC and RBC are needed", *reasons))
    if is_met(csf_wbc / csf_rbc, ">", 2.0 * blood_wbc / blood_rbc):
        return CnsStatus("CNS3b", "bloody tap, CSF WBC/RBC > 2 x blood WBC/RBC", reasons)
    return CnsStatus("CNS2c", "bloody tap, CSF WBC/RBC not above 2 x blood WBC/RBC", reasons)


@dataclass(frozen=True, slots=True)
class MrdLabel:
    """Trial label and ELN label of one MRD result; ``reported`` is False without a remission."""

    trial: str
    eln: str
    reported: bool
    clause: str
    reasons: tuple[str, ...]


def mrd_label(
    *, value: float | None, sensitivity: float | None, detected: bool | None = None, response: str = "CR"
) -> MrdLabel:
    """Label one MRD result.

    Args:
        value: MRD as a fraction (1e-4 is 0.01 %), None when nothing was detected.
        sensitivity: the assay's sensitivity as a fraction, at best one residual cell in 1/sensitivity.
        detected: None takes it from ``value``.
        response: response of the same assessment; MRD is reported only with CR, CRh, CRi or MLFS.

    Raises:
        ValueError: for a fraction outside 0 to 1, or a value above 0 recorded as not detected.
    """
    check_finite("value", value, high=1.0)
    check_finite("sensitivity", sensitivity, high=1.0)
    check_flag("detected", detected, unknown=True)
    seen = (value is not None and value > 0.0) if detected is None else detected
    if detected is False and value is not None and value > 0.0:
        raise ValueError(f"value: {value:g} with detected=False; leave the value empty or set detected")
    trial, eln, clause = _labels(value, sensitivity, seen, known=value is not None or detected is not None)
    reasons = (f"value {value}", f"sensitivity {sensitivity}")
    if response not in REMISSIONS:
        return MrdLabel(
            "NOT_REPORTED", "not reported", False, f"MRD is not reported with {response}", reasons
        )
    return MrdLabel(trial, eln, trial != "NOT_EVALUABLE" or seen is False, clause, reasons)


def _labels(value: float | None, sensitivity: float | None, seen: bool, known: bool) -> tuple[str, str, str]:
    if not known or sensitivity is None:
        return "NOT_EVALUABLE", "not evaluable", "value or sensitivity is missing"
    if not seen:
        if is_met(sensitivity, ">", MRD_LEVEL):
            return (
                "NOT_EVALUABLE",
                "negative, insufficient sensitivity",
                "not detected, sensitivity worse than 1e-4",
            )
        return "NEGATIVE", "complete MRD response", "not detected, sensitivity 1e-4 or better"
    if value is None:
        return "NOT_EVALUABLE", "not evaluable", "detected, but no value"
    if is_met(value, ">", MRD_LEVEL):
        return "POSITIVE", "MRD failure", "value above 1e-4"
    if is_met(value, ">=", MRD_LEVEL):
        return "POSITIVE", "positive, intermediate", "value exactly 1e-4"
    if is_met(sensitivity, ">", MRD_LEVEL):
        return "NOT_EVALUABLE", "not evaluable", "value below 1e-4 with a sensitivity worse than 1e-4"
    return "NEGATIVE", "positive below 1e-4", "detected below 1e-4"


def supported_within(day: float, support_days: Collection[float], window: float = SUPPORT_DAYS) -> bool:
    """Whether a transfusion or growth factor was given in the ``window`` days up to and including ``day`` (assumption).

    Example:
        >>> supported_within(28, [21]), supported_within(28, [20, 29])
        (True, False)
    """
    return any(0 <= day - given <= window for given in support_days)


def extramedullary_status(sites: Mapping[str, bool | None], before: Mapping[str, bool | None]) -> str:
    """Extramedullary disease from single sites, as an assessment takes it.

    Args:
        sites: each site of ``EMD_SITES`` present, absent (False) or not assessed (None or left out).
        before: the same at baseline.

    Returns:
        ``new`` when a site is present that was assessed as absent before, ``present`` when any other is, ``absent``
        when every site is assessed and free, else ``not_assessed``: presence needs one site, absence needs all.

    Raises:
        ValueError: for an unknown site.
    """
    for site in (*sites, *before):
        check_code("site", site, EMD_SITES)
    present = [site for site, found in sites.items() if found]
    if any(before.get(site) is False for site in present):
        return "new"
    if present:
        return "present"
    return "absent" if all(sites.get(site) is False for site in EMD_SITES) else "not_assessed"
