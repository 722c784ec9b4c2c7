"""One disease assessment of acute lymphoblastic leukemia as recorded, and the response it was given.

Blasts are in percent of marrow cells, blood blasts and counts in 10^9/L, MRD is a fraction.
"""

from dataclasses import dataclass

from escalon.criteria.leukemia_status import CNS_CODES, MRD_METHODS, CnsResponse, MrdLabel, supported_within
from escalon.criteria.result import check_code, check_day, check_finite, check_flag

RESPONSES = ("CR", "CRh", "CRi", "MLFS", "PR", "NR", "PD", "RELAPSE", "INDETERMINATE", "NE", "NE_APLASTIC")
EMD_CODES = ("absent", "present", "new", "not_assessed")
_FLAGS = ("neurological_signs", "platelet_transfusion_7d", "gcsf_7d", "precedes_therapy")
_CODES = (
    ("emd", EMD_CODES),
    ("baseline_emd", EMD_CODES),
    ("last_emd", EMD_CODES),
    ("cns", CNS_CODES),
    ("baseline_cns", (*CNS_CODES, "CNS2", "CNS3")),
    ("last_cns", (*CNS_CODES, "CNS2", "CNS3")),
    ("prior", RESPONSES),
    ("mrd_method", MRD_METHODS),
)
_SUPPORT = ("platelet_transfusion_days", "gcsf_days", "red_cell_transfusion_days")


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """All findings of one disease assessment; None means not done or not known.

    Attributes:
        day: days from first infusion.
        visit: visit it was assigned to.
        bm_blasts: marrow blasts, percent 0 to 100.
        pb_blasts: blood blasts, 10^9/L; ``pb_present`` stands in when only their presence is known.
        pb_present: blood blasts seen; None takes it from ``pb_blasts``.
        anc: neutrophils, 10^9/L.
        platelets: 10^9/L.
        emd: extramedullary disease ``absent``, ``present``, ``new`` or ``not_assessed``.
        emd_burden: sum of products of extramedullary lesions, any constant unit.
        cns: CNS category; needed when the baseline was CNS2 or CNS3, or with neurological signs.
        neurological_signs: signs that ask for a lumbar puncture.
        cells_counted: nucleated marrow cells counted.
        cellularity: marrow cellularity, percent.
        mrd: MRD as a fraction; 0 when not detected.
        mrd_sensitivity: fraction.
        mrd_method: one of ``MRD_METHODS``.
        platelet_transfusion_7d: a platelet transfusion in the 7 days before, where only that is recorded.
        gcsf_7d: growth factor in the 7 days before, where only that is recorded.
        platelet_transfusion_days: days of platelet transfusions, on the axis of ``day``; with them the set's own
            window counts. Likewise ``gcsf_days`` and ``red_cell_transfusion_days``.
        precedes_therapy: taken before a therapy started on the same day.
        prior: status before this assessment: the last remission, else ``PR`` after one, else None.
        baseline_bm: marrow blasts before treatment, percent. Likewise ``baseline_pb``, ``baseline_emd``,
            ``baseline_emd_burden`` and ``baseline_cns``.
        nadir_bm: lowest marrow blasts since. Likewise ``nadir_pb`` and ``nadir_emd_burden``.
        last_cns: CNS category at the latest assessment before this one that had one.
        last_emd: extramedullary disease at the latest assessment before this one that looked for it.
    """

    day: float | None = None
    visit: str | None = None
    bm_blasts: float | None = None
    pb_blasts: float | None = None
    pb_present: bool | None = None
    anc: float | None = None
    platelets: float | None = None
    emd: str | None = None
    emd_burden: float | None = None
    cns: str | None = None
    neurological_signs: bool = False
    cells_counted: float | None = None
    cellularity: float | None = None
    mrd: float | None = None
    mrd_sensitivity: float | None = None
    platelet_transfusion_7d: bool = False
    gcsf_7d: bool = False
    precedes_therapy: bool = False
    prior: str | None = None
    baseline_bm: float | None = None
    baseline_pb: float | None = None
    baseline_emd: str | None = None
    baseline_emd_burden: float | None = None
    baseline_cns: str | None = None
    nadir_bm: float | None = None
    nadir_pb: float | None = None
    nadir_emd_burden: float | None = None
    last_cns: str | None = None
    last_emd: str | None = None
    mrd_method: str | None = None
    platelet_transfusion_days: tuple[float, ...] = ()
    gcsf_days: tuple[float, ...] = ()
    red_cell_transfusion_days: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        check_day("day", self.day)
        for name in _FLAGS:
            check_flag(name, getattr(self, name))
        check_flag("pb_present", self.pb_present, unknown=True)
        for name in ("bm_blasts", "cellularity", "baseline_bm", "nadir_bm"):
            check_finite(name, getattr(self, name), high=100.0)
        amounts = ("pb_blasts", "anc", "platelets", "cells_counted", "emd_burden")
        for name in (*amounts, "baseline_pb", "nadir_pb", "baseline_emd_burden", "nadir_emd_burden"):
            check_finite(name, getattr(self, name))
        for name in ("mrd", "mrd_sensitivity"):
            check_finite(name, getattr(self, name), high=1.0)
        for name, codes in _CODES:
            if getattr(self, name) is not None:
                check_code(name, getattr(self, name), codes)
        self._check_support()
        if self.pb_present is False and self.pb_blasts:
            raise ValueError(f"pb_present: False with pb_blasts {self.pb_blasts:g}; one of the two is wrong")

    def _check_support(self) -> None:
        for name in _SUPPORT:
            for given in getattr(self, name):
                check_day(name, given, required=True)
            if getattr(self, name) and self.day is None:
                raise ValueError(f"{name}: given without the day of the assessment")

    @property
    def blood_blasts(self) -> bool | None:
        """Whether blood blasts are present, absent (False) or not known."""
        if self.pb_present is not None:
            return self.pb_present
        return None if self.pb_blasts is None else self.pb_blasts > 0.0

    @property
    def extramedullary(self) -> bool | None:
        """Whether extramedullary disease is present, absent (False) or not known."""
        return {"absent": False, "present": True, "new": True}.get(self.emd or "")

    @property
    def new_extramedullary(self) -> bool:
        """Whether extramedullary disease is there that was looked for and absent before."""
        before = self.last_emd or self.baseline_emd
        return self.emd == "new" or (self.emd == "present" and before == "absent")

    def supported(self, lineage: str, window: float) -> bool:
        """Whether ``anc``, ``platelets`` or ``red_cells`` were supported in the ``window`` days before."""
        days, flag = {
            "anc": (self.gcsf_days, self.gcsf_7d),
            "platelets": (self.platelet_transfusion_days, self.platelet_transfusion_7d),
            "red_cells": (self.red_cell_transfusion_days, False),
        }[lineage]
        return flag or (self.day is not None and supported_within(self.day, days, window))

    @property
    def csf_required(self) -> bool:
        """Whether a missing lumbar puncture makes the assessment not evaluable."""
        return self.neurological_signs or (self.baseline_cns or "CNS1") != "CNS1"


@dataclass(frozen=True, slots=True)
class Response:
    """Response at one assessment with the step and clause that gave it.

    ``mrd`` is the label of its MRD and ``cns`` what became of the CNS, each None when not assessed.
    """

    response: str
    clause: str
    reasons: tuple[str, ...]
    step: str
    criteria: str
    day: float | None = None
    visit: str | None = None
    mrd: MrdLabel | None = None
    cns: CnsResponse | None = None

    @property
    def grade(self) -> str:
        """The response, under the name every result object carries."""
        return self.response
