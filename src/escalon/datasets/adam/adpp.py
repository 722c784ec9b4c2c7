"""ADPP: non-compartmental CLLS52 parameters and UCART22 kinetics, each value with its unit, method and doubt.

CLLS52: hours from its first dose, all administrations with their lengths; the pre-dose sample is carried to
the dose. AUC0_28 and AUC0_56 run from the first dose to Day 28 and Day 56 after the UCART22 infusion, because
sampling is registered "from lymphodepletion to Day 56". CDAY0 is the concentration at the infusion: the
sample nearest to it within 12 hours. UCART22: days from the infusion, one assay; PERSDAYS ends at the first
sample below quantification after the last quantifiable one, else at that last one (REASON says censored). A
parameter that cannot be calculated has no AVAL, AVALC NC and the REASON; a doubtful one has its value and the
doubt. What a person chose in a profile stands in CHOICE, CHOICEBY and CHOICEDT of its rows.
"""

from collections.abc import Sequence

import polars as pl

from escalon.analysis.pk import PkResult, PkUnits, cell_kinetics, nca
from escalon.datasets.adam.accumulation import RATIOS, TROUGH_HOURS, first_interval, lacking
from escalon.datasets.adam.profiles import Profile, read_profiles
from escalon.datasets.adam.sources import Frames, Row, finish
from escalon.datasets.sdtm.subject import render_number
from escalon.protocol.pk_choices import PkChoices
from escalon.protocol.study import Study

__all__ = ["derive_adpp"]

DRUG = ("CMAX", "TMAX", "CLST", "TLST", "AUCLST", "AUCIFO", "AUCPEO", "LAMZ", "LAMZHL", "CLO", "VZO", "TAT")
CELLS = ("CMAX", "TMAX", "CLST", "TLST", "AUCLST", "EXPRATE", "DOUBLING", "CONTRHL")
NAMES = {
    "CMAX": "Maximum Concentration",
    "TMAX": "Time of Maximum Concentration",
    "CLST": "Last Quantifiable Concentration",
    "TLST": "Time of Last Quantifiable Concentration",
    "AUCLST": "AUC to Last Quantifiable Concentration",
    "AUCIFO": "AUC to Infinity, Observed",
    "AUCPEO": "Percentage of AUC Extrapolated",
    "LAMZ": "Terminal Rate Constant",
    "LAMZHL": "Terminal Half-Life",
    "CLO": "Total Clearance, Observed",
    "VZO": "Terminal Volume of Distribution, Observed",
    "TAT": "Time above the Lympholytic Concentration",
    "ARAUC": "Accumulation Ratio AUC, Last to First Dosing Interval",
    "ARCMAX": "Accumulation Ratio Cmax, Last to First Dosing Interval",
    "CDAY0": "Concentration at the UCART22 Infusion",
    "EXPRATE": "Expansion Rate",
    "DOUBLING": "Doubling Time",
    "CONTRHL": "Contraction Half-Life",
    "PERSDAYS": "Persistence",
}
# A value that cannot be calculated keeps the unit of its parameter.
CELL_UNITS = {"TMAX": "day", "EXPRATE": "1/day", "DOUBLING": "day", "CONTRHL": "day"}
CELL_HORIZONS = (28.0, 84.0)
DAY0_HOURS = 12.0


def derive_adpp(
    sdtm: Frames, adsl: pl.DataFrame, adpc: pl.DataFrame, study: Study, choices: PkChoices | None = None
) -> pl.DataFrame:
    """Return ADPP: the parameters of every patient with a dose and a sample of the analyte.

    Raises ValueError when one of the ``choices`` means a profile or a sample that is not there.
    """
    rows: list[Row] = []
    for profile in read_profiles(sdtm, adsl, adpc, study, choices or PkChoices()):
        drug = profile.analyte == study.pharmacokinetics.analyte
        derived = _drug(profile, study) if drug else _cells(profile)
        rows += [_common(profile) | row for row in derived]
    return finish("ADPP", rows, adsl, ("ANALYTE",))


def _common(profile: Profile) -> Row:
    common = {
        "USUBJID": profile.usubjid,
        "ANALYTE": profile.analyte,
        "PPRFTDTC": profile.reference.replace(tzinfo=None).isoformat(timespec="seconds"),
    }
    return common | profile.told()


def _value(code: str, value: float | None, unit: str | None, reason: str | None) -> Row:
    horizon = code.removeprefix("AUC0_")
    return {
        "PARAMCD": code,
        # Both analytes share the parameters: the unit stands in AVALU, so that one code has one name.
        "PARAM": NAMES.get(code, f"AUC to Day {horizon} after the Infusion"),
        "AVAL": value,
        "AVALU": unit,
        "AVALC": "NC" if value is None else _six_digits(value),
        "REASON": None if reason is None else reason[:200],
    }


def _six_digits(value: float) -> str | None:
    """Return the value as text with at most six significant digits, never in powers of ten."""
    return render_number(float(f"{value:.6g}"))


def _drug(profile: Profile, study: Study) -> list[Row]:
    rules = study.pharmacokinetics
    ends = {f"AUC0_{day:g}": _until(profile, day) for day in rules.partial_auc_days}
    if any(row["EXENDTC"] <= row["EXSTDTC"] for row in profile.doses):
        reason = "an infusion has no length: its end is not after its start"
        return [_value(code, None, None, reason) for code in (*DRUG, *RATIOS, *ends, "CDAY0")]
    result = _nca(profile, study, [(0.0, end) for end in ends.values() if end is not None])
    method = {"PPANMETH": result.declared.describe()}
    rows: list[Row] = []
    for code in DRUG:
        found = result.get(code)
        row = _value(code, found.value, result.unit(code), found.reason or found.flag)
        rows.append(row | method | _drug_source(profile, result, code))
    for code, end in ends.items():
        if end is None:
            row = _value(code, None, result.unit("AUCINT"), "not infused: the day is not defined")
        else:
            found = result.get("AUCINT", (0.0, end))
            row = _value(code, found.value, result.unit("AUCINT"), found.reason or found.flag)
            row |= {"PPSTINT": "PT0H", "PPENINT": f"PT{round(end)}H"}
        rows.append(row | method)
    return [*rows, *_accumulation(profile, study), _day_zero(profile)]


def _accumulation(profile: Profile, study: Study) -> list[Row]:
    """Return ARAUC and ARCMAX, or why the doses or samples do not carry them."""
    starts, lengths = profile.infusions()
    tau, reason = first_interval(starts), lacking(profile, starts, lengths)
    if reason is not None or tau is None:
        return [_value(code, None, None, reason) for code in RATIOS]
    result = _nca(profile, study, tau=tau, missing_predose="last")
    trough = f"; sample up to {TROUGH_HOURS:g} h before a dose carried to it"
    last = starts[-1]
    span = {"PPSTINT": f"PT{round(last)}H", "PPENINT": f"PT{round(last + tau)}H"}
    rows = []
    for code in RATIOS:
        found = result.get(code)
        row = _value(code, found.value, None, found.reason or found.flag)
        rows.append(row | span | {"PPANMETH": result.declared.describe() + trough})
    return rows


def _nca(
    profile: Profile,
    study: Study,
    partial: Sequence[tuple[float, float]] = (),
    tau: float | None = None,
    missing_predose: str = "none",
) -> PkResult:
    rules = study.pharmacokinetics
    starts, lengths = profile.infusions()
    return nca(
        profile.hours,
        profile.values,
        dose=[row["EXDOSE"] for row in profile.doses],
        route="infusion",
        duration=lengths,
        method={"lin-log": "linear-log"}.get(rules.method, rules.method),
        partial=partial,
        tail=rules.tail.replace("_", "-"),
        dose_times=starts,
        threshold=rules.threshold,
        units=PkUnits("h", profile.unit, profile.doses[0]["EXDOSU"]),
        predose="carry",
        missing_predose=missing_predose,
        tau=tau,
        slope=profile.slope,
    )


def _until(profile: Profile, day: float) -> float | None:
    """Return the hour, from the first dose, of ``day`` days after the infusion."""
    if profile.infused is None:
        return None
    return (profile.infused - profile.reference).total_seconds() / 3600.0 + 24.0 * day


def _drug_source(profile: Profile, result: PkResult, code: str) -> Row:
    times = {"CMAX": "TMAX", "TMAX": "TMAX", "CLST": "TLST", "TLST": "TLST"}
    return profile.source(result.value(times[code])) if code in times else {}


def _day_zero(profile: Profile) -> Row:
    at = _until(profile, 0.0)
    if at is None:
        return _value("CDAY0", None, profile.unit, "not infused")
    near = [
        (abs(hours - at), hours, value)
        for hours, value in zip(profile.hours, profile.values, strict=True)
        if abs(hours - at) <= DAY0_HOURS
    ]
    if not near:
        return _value("CDAY0", None, profile.unit, f"no sample within {DAY0_HOURS:g} h of the infusion")
    _, hours, value = min(near, key=lambda entry: entry[:2])
    if not value:
        row = _value("CDAY0", None, profile.unit, "below the limit of quantification")
        return row | {"AVALC": "BLQ"} | profile.source(hours)
    return _value("CDAY0", value, profile.unit, None) | profile.source(hours)


def _cells(profile: Profile) -> list[Row]:
    kept = [i for i, hours in enumerate(profile.hours) if hours >= 0]
    if not kept:
        return []
    days = [profile.hours[i] / 24.0 for i in kept]
    values = [profile.values[i] for i in kept]
    found = cell_kinetics(days, values, profile.method, profile.unit, horizons=CELL_HORIZONS)
    method = {"PPANMETH": found.exposure.declared.describe()}
    rows: list[Row] = []
    for code in (*CELLS, *(f"AUC0_{end:g}" for end in CELL_HORIZONS)):
        value = found.values[code]
        unit = CELL_UNITS.get(code) or value.unit or profile.unit
        rows.append(_value(code, value.value, unit, value.reason) | method)
    times = {"CMAX": "TMAX", "TMAX": "TMAX", "TLST": "TLST", "CLST": "TLST"}
    for row in rows:
        time = times.get(row["PARAMCD"])
        day = None if time is None else found.value(time)
        row |= profile.source(None if day is None else day * 24.0)
    reason = {True: None, False: "censored: quantifiable in the last sample", None: "never quantifiable"}
    return [*rows, _value("PERSDAYS", found.persistence_time, "day", reason[found.persistence_event])]
