"""Extramedullary disease: single sites, and the response of lymphomatous lesions measured on CT and PET.

Conventions (assumption): a complete response is complete resolution, where a residue that is negative on PET is
allowed when it was positive before; a rise is measured from the lower of baseline and nadir, a fall from
baseline; presence needs one site, absence needs all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from escalon.criteria.operators import meets
from escalon.criteria.result import check_code, check_finite, check_flag
from escalon.criteria.tables import load_table


def _table() -> dict[str, Any]:
    table: dict[str, Any] = load_table("leukemia_status.json")["extramedullary"]
    return table


EMD_SITES: tuple[str, ...] = tuple(_table()["sites"])


def extramedullary_status(sites: Mapping[str, bool | None], before: Mapping[str, bool | None]) -> str:
    """Extramedullary disease from single sites, as an assessment takes it.

    Args:
        sites: each site of ``EMD_SITES`` present, absent (False) or not assessed (None or left out).
        before: the same at baseline.

    Returns:
        ``new`` when a site is present that was assessed as absent before, ``present`` when any other is, ``absent``
        when every site is assessed and free, else ``not_assessed``: presence needs one site, absence needs all.

    Raises:
        ValueError: for an unknown site, or a finding that is neither true, false nor None.
    """
    for found in (sites, before):
        for site, state in found.items():
            check_code("site", site, EMD_SITES)
            check_flag(f"site {site}", state, unknown=True)
    present = [site for site, found in sites.items() if found]
    if any(before.get(site) is False for site in present):
        return "new"
    if present:
        return "present"
    return "absent" if all(sites.get(site) is False for site in EMD_SITES) else "not_assessed"


@dataclass(frozen=True, slots=True)
class ExtramedullaryResponse:
    """Response of lymphomatous disease: ``CR``, ``PR``, ``NR``, ``PD``, ``RELAPSE``, or None with the reason."""

    response: str | None
    clause: str
    reasons: tuple[str, ...]

    @property
    def grade(self) -> str | None:
        """The response, under the name every result object carries."""
        return self.response

    @property
    def emd(self) -> str:
        """The code an ``Assessment`` takes for it."""
        if self.response is None:
            return "not_assessed"
        if self.response == "CR":
            return "absent"
        return "new" if "new lesion" in self.reasons else "present"


def extramedullary_response(
    *,
    burden: float | None,
    baseline_burden: float | None,
    nadir_burden: float | None = None,
    pet_positive: bool | None = None,
    baseline_pet_positive: bool | None = None,
    new_lesion: bool | None = False,
    prior: str | None = None,
) -> ExtramedullaryResponse:
    """Response of lymphomatous extramedullary disease at one assessment.

    Args:
        burden: sum of the products of the lesions on CT, 0 when all are gone; None when not measured.
        baseline_burden: the same before treatment, in the same unit.
        nadir_burden: the lowest since.
        pet_positive: whether a residue takes up the tracer; None without a PET.
        baseline_pet_positive: the same before treatment.
        new_lesion: a lesion that was not there before; None when not looked for.
        prior: ``CR`` once complete resolution was reached before.

    Raises:
        ValueError: for a negative burden or an unknown prior response.
    """
    amounts = {"burden": burden, "baseline_burden": baseline_burden, "nadir_burden": nadir_burden}
    for name, amount in amounts.items():
        check_finite(name, amount)
    flags = (("pet_positive", pet_positive), ("baseline_pet_positive", baseline_pet_positive))
    for name, flag in (*flags, ("new_lesion", new_lesion)):
        check_flag(name, flag, unknown=True)
    if prior is not None:
        check_code("prior", prior, tuple(_table()["responses"]))
    reasons = tuple(
        f"{name.replace('_', ' ')} {amount:g}" for name, amount in amounts.items() if amount is not None
    )
    if new_lesion:
        return _found("RELAPSE" if prior == "CR" else "PD", "new lesion", *reasons)
    if burden is None or new_lesion is None:
        missing = "burden not measured" if burden is None else "new lesions not looked for"
        return ExtramedullaryResponse(None, "not evaluable", (missing, *reasons))
    quiet = pet_positive is False and baseline_pet_positive is True
    if burden == 0.0 or quiet:
        return _found("CR", *(("residue negative on PET, positive before",) if burden else ()), *reasons)
    if prior == "CR":
        return _found("RELAPSE", *reasons)
    return _measured(burden, baseline_burden, nadir_burden, reasons)


def _measured(
    burden: float, baseline: float | None, nadir: float | None, reasons: tuple[str, ...]
) -> ExtramedullaryResponse:
    table = _table()
    known = [value for value in (baseline, nadir) if value is not None]
    if baseline == 0.0:
        return _found("PD", "new lesion", *reasons)
    low = min(known, default=None)
    if low and meets((burden - low) / low, table["progression_rise"]):
        return _found("PD", *reasons)
    if baseline is None:
        missing = "baseline burden missing: neither fall nor rise can be measured"
        return ExtramedullaryResponse(None, "not evaluable", (missing, *reasons))
    if meets((baseline - burden) / baseline, table["partial_fall"]):
        return _found("PR", *reasons)
    return _found("NR", *reasons)


def _found(response: str, *reasons: str) -> ExtramedullaryResponse:
    return ExtramedullaryResponse(response, _table()["responses"][response]["text"], reasons)
