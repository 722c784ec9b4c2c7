"""The investigator's view of response: each assessment's findings, classified by the study's criteria."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from escalon.criteria.leukemia_response import REMISSIONS, Assessment, classify

Assess = Callable[[Sequence["Seen"]], str | None]
"""Gives the response at the last of the assessments seen so far, the screening first."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One assessment: day after the infusion, items of the RS form, and what was called then."""

    day: int
    values: dict[str, Any]
    response: str | None = None


def investigator(criteria_set: str) -> Assess:
    """Return the hook of an investigator who follows ``criteria_set`` to the letter."""

    def assess(seen: Sequence[Seen]) -> str | None:
        last, earlier = seen[-1], seen[:-1]
        if last.day <= 0:
            return None
        baseline = earlier[0].values if earlier else {}
        remissions = [s.response for s in earlier if s.response in REMISSIONS]
        partial = [s.response for s in earlier if s.response == "PR"]
        after = [s.values for s in earlier if s.day > 0]
        looked = [_emd(v) for v in after if _emd(v) in ("absent", "present")]
        punctured = [_cns(v) for v in after if _cns(v) is not None]
        values = last.values
        nadir_bm = [v["BMBLAST"] for v in after if v.get("BMBLAST") is not None]
        nadir_pb = [v["PBBLAST"] for v in after if v.get("PBBLAST") is not None]
        assessment = Assessment(
            day=last.day,
            bm_blasts=values.get("BMBLAST"),
            pb_blasts=values.get("PBBLAST"),
            anc=values.get("NEUT"),
            platelets=values.get("PLAT"),
            emd=_emd(values),
            cns=_cns(values),
            cells_counted=values.get("BMCOUNT"),
            cellularity=values.get("BMCELL"),
            mrd=0.0 if values.get("MRDRES") == "NOT DETECTED" else values.get("MRDVAL"),
            mrd_sensitivity=values.get("MRDSENS"),
            mrd_method=values.get("MRDMETH"),
            platelet_transfusion_7d=values.get("PLTTRANS") == "Y",
            gcsf_7d=values.get("GCSF") == "Y",
            prior=next(reversed(remissions or partial), None),
            baseline_bm=baseline.get("BMBLAST"),
            baseline_pb=baseline.get("PBBLAST"),
            baseline_emd=_emd(baseline),
            baseline_cns=_cns(baseline),
            last_emd=looked[-1] if looked else None,
            last_cns=punctured[-1] if punctured else None,
            nadir_bm=min(nadir_bm, default=None),
            nadir_pb=min(nadir_pb, default=None),
        )
        return classify(assessment, criteria_set).response

    return assess


def _emd(values: dict[str, Any]) -> str | None:
    """Extramedullary disease by the criteria's code; None when the item is empty."""
    found = values.get("EMD")
    return None if found is None else str(found).lower().replace(" ", "_")


def _cns(values: dict[str, Any]) -> str | None:
    return None if values.get("CNS") in (None, "NOT DONE") else str(values["CNS"])
