"""CNS status, MRD labels and supported counts: the parts an assessment is put together from.

Sources: CNS categories of the Children's Oncology Group; MRD of European LeukemiaNet, Blood 2024;143:1891; each
row of ``data/leukemia_status.json`` names its own.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from escalon.criteria.leukemia_extramedullary import EMD_SITES, extramedullary_status
from escalon.criteria.operators import is_met, meets
from escalon.criteria.result import check_code, check_finite, check_flag
from escalon.criteria.tables import load_table

__all__ = [
    "CNS_CODES",
    "EMD_SITES",
    "MRD_METHODS",
    "REMISSIONS",
    "CnsResponse",
    "CnsStatus",
    "MrdLabel",
    "cns_response",
    "cns_status",
    "extramedullary_status",
    "mrd_label",
    "supported_within",
]


def _table(part: str) -> dict[str, Any]:
    table: dict[str, Any] = load_table("leukemia_status.json")[part]
    return table


CNS_CODES: tuple[str, ...] = tuple(_table("cns")["categories"])
MRD_METHODS: tuple[str, ...] = tuple(_table("mrd")["methods"])
REMISSIONS = ("CR", "CRh", "CRi", "MLFS")


@dataclass(frozen=True, slots=True)
class CnsStatus:
    """CNS category, or None with the reason."""

    status: str | None
    clause: str
    reasons: tuple[str, ...]

    @property
    def grade(self) -> str | None:
        """The category, under the name every result object carries."""
        return self.status


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
        return _category("CNS3c", reasons)
    if blasts is None:
        return CnsStatus(None, "not evaluable", ("blasts in the CSF not assessed", *reasons))
    if not blasts:
        return _category("CNS1", reasons)
    if csf_wbc is None or csf_rbc is None:
        return CnsStatus(None, "not evaluable", ("CSF white or red cells are missing", *reasons))
    return _with_blasts(csf_wbc, csf_rbc, blood_wbc, blood_rbc, reasons)


def _category(code: str, reasons: tuple[str, ...]) -> CnsStatus:
    return CnsStatus(code, _table("cns")["categories"][code]["text"], reasons)


def _with_blasts(
    csf_wbc: float, csf_rbc: float, blood_wbc: float | None, blood_rbc: float | None, reasons: tuple[str, ...]
) -> CnsStatus:
    table = _table("cns")
    bloody = meets(csf_rbc, table["red_cells"])
    if not meets(csf_wbc, table["white_cells"]):
        return _category("CNS2b" if bloody else "CNS2a", reasons)
    if not bloody:
        return _category("CNS3a", reasons)
    if blood_wbc is None or blood_rbc is None:
        return CnsStatus(None, "not evaluable", ("bloody tap: blood WBC and RBC are needed", *reasons))
    row = table["blood_ratio"]
    above = is_met(csf_wbc / csf_rbc, row["op"], row["limit"] * blood_wbc / blood_rbc)
    return _category("CNS3b" if above else "CNS2c", reasons)


@dataclass(frozen=True, slots=True)
class CnsResponse:
    """What became of the CNS: ``REMISSION``, ``RELAPSE``, ``PERSISTENT``, ``NONE``, or None with the reason."""

    response: str | None
    clause: str
    reasons: tuple[str, ...]

    @property
    def grade(self) -> str | None:
        """The response, under the name every result object carries."""
        return self.response


def cns_response(now: str | None, baseline: str | None, last: str | None = None) -> CnsResponse:
    """CNS response at one assessment (assumption).

    Args:
        now: CNS category now; None when not done.
        baseline: before treatment; ``CNS2`` and ``CNS3`` stand for a category not told apart.
        last: at the latest assessment before this one that had one; None takes the baseline.

    Raises:
        ValueError: for an unknown category.

    Example:
        >>> cns_response("CNS1", "CNS2a").response, cns_response("CNS3a", "CNS3a", last="CNS1").response
        ('REMISSION', 'RELAPSE')
    """
    given = {"now": now, "baseline": baseline, "last": last}
    for name, code in given.items():
        if code is not None:
            check_code(name, code, (*CNS_CODES, "CNS2", "CNS3"))
    reasons = tuple(f"{name} {code or 'not known'}" for name, code in given.items())
    if now is None:
        return CnsResponse(None, "not evaluable", ("no CNS category", *reasons))
    before = last or baseline or "CNS1"
    diseased = any(code is not None and code != "CNS1" for code in (baseline, last))
    if now.startswith("CNS3") and not before.startswith("CNS3"):
        found = "RELAPSE"
    elif now != "CNS1":
        found = "PERSISTENT"
    else:
        found = "REMISSION" if diseased else "NONE"
    return CnsResponse(found, _table("cns")["responses"][found]["text"], reasons)


@dataclass(frozen=True, slots=True)
class MrdLabel:
    """Trial label and ELN label of one MRD result; ``reported`` is False without a remission.

    ``value`` and ``sensitivity`` (fractions) and ``method`` are kept as given.
    """

    trial: str
    eln: str
    reported: bool
    clause: str
    reasons: tuple[str, ...]
    value: float | None = None
    sensitivity: float | None = None
    method: str | None = None

    @property
    def grade(self) -> str:
        """The trial label, under the name every result object carries."""
        return self.trial


def mrd_label(
    *,
    value: float | None,
    sensitivity: float | None,
    detected: bool | None = None,
    response: str = "CR",
    method: str | None = None,
) -> MrdLabel:
    """Label one MRD result.

    Args:
        value: MRD as a fraction (1e-4 is 0.01 %), None when nothing was detected.
        sensitivity: the assay's sensitivity as a fraction, at best one residual cell in 1/sensitivity.
        detected: None takes it from ``value``.
        response: response of the same assessment; MRD is reported only with CR, CRh, CRi or MLFS.
        method: one of ``MRD_METHODS``, or None.

    Raises:
        ValueError: for a fraction outside 0 to 1, a value above 0 recorded as not detected, or an unknown
            method.
    """
    check_finite("value", value, high=1.0)
    check_finite("sensitivity", sensitivity, high=1.0)
    check_flag("detected", detected, unknown=True)
    if method is not None:
        check_code("method", method, MRD_METHODS)
    seen = (value is not None and value > 0.0) if detected is None else detected
    if detected is False and value is not None and value > 0.0:
        raise ValueError(f"value: {value:g} with detected=False; leave the value empty or set detected")
    row = _label(value, sensitivity, seen, known=value is not None or detected is not None)
    reasons = (f"value {value}", f"sensitivity {sensitivity}", f"method {method or 'not recorded'}")
    if response not in REMISSIONS:
        why = f"MRD is not reported with {response}"
        return MrdLabel("NOT_REPORTED", "not reported", False, why, reasons, value, sensitivity, method)
    shown = row["trial"] != "NOT_EVALUABLE" or seen is False
    return MrdLabel(row["trial"], row["eln"], shown, row["text"], reasons, value, sensitivity, method)


def _label(value: float | None, sensitivity: float | None, seen: bool, known: bool) -> dict[str, str]:
    table = _table("mrd")
    labels: dict[str, dict[str, str]] = table["labels"]
    if not known or sensitivity is None:
        return labels["unknown"]
    sensitive = meets(sensitivity, table["sensitive"])
    if not seen:
        return labels["clear" if sensitive else "insensitive"]
    if value is None:
        return labels["no_value"]
    for name in ("failure", "intermediate"):
        if meets(value, table[name]):
            return labels[name]
    return labels["below" if sensitive else "below_insensitive"]


def supported_within(day: float, support_days: Collection[float], window: float | None = None) -> bool:
    """Whether a transfusion or growth factor was given in the ``window`` days up to and including ``day``.

    None takes the window of ``data/leukemia_status.json``, 7 days (assumption).

    Example:
        >>> supported_within(28, [21]), supported_within(28, [20, 29])
        (True, False)
    """
    row = _table("support")["days"]
    days = row["limit"] if window is None else window
    return any(day >= given and is_met(day - given, row["op"], days) for given in support_days)
