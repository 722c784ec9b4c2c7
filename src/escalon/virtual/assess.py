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
        values = last.values
        nadir_bm = [s.values["BMBLAST"] for s in earlier if s.values.get("BMBLAST") is not None]
        nadir_pb = [s.values["PBBLAST"] for s in earlier if s.values.get("PBBLAST") is not None]
        emd = {"ABSENT": "absent", "PRESENT": "present", "NOT ASSESSED": "not_assessed"}.get(
            values.get("EMD", "")
        )
        if emd == "present" and baseline.get("EMD") == "ABSENT" and not remissions:
            emd = "new"
        assessment = Assessment(
            day=last.day,
            bm_blasts=values.get("BMBLAST"),
            pb_blasts=values.get("PBBLAST"),
            anc=values.get("NEUT"),
            platelets=values.get("PLAT"),
            emd=emd,
            cns=None if values.get("CNS") == "NOT DONE" else values.get("CNS"),
            cells_counted=values.get("BMCOUNT"),
            cellularity=values.get("BMCELL"),
            mrd=0.0 if values.get("MRDRES") == "NOT DETECTED" else values.get("MRDVAL"),
            mrd_sensitivity=values.get("MRDSENS"),
            platelet_transfusion_7d=values.get("PLTTRANS") == "Y",
            gcsf_7d=values.get("GCSF") == "Y",
            prior=remissions[-1] if remissions else None,
            baseline_bm=baseline.get("BMBLAST"),
            baseline_pb=baseline.get("PBBLAST"),
            nadir_bm=min(nadir_bm, default=None),
            nadir_pb=min(nadir_pb, default=None),
        )
        return classify(assessment, criteria_set).response

    return assess
