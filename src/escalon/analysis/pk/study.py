"""Pharmacokinetics of a whole study: frames in, one row per patient and parameter out; summaries and exposure-response.

A profile is one patient, one analyte, one assay: results of different assays are never pooled. Units come with the
concentrations and have to be there. Times are actual elapsed times from the first dose.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from escalon.analysis.estimate import Estimate
from escalon.analysis.groups import check_columns
from escalon.analysis.pk.choices import read_choices
from escalon.analysis.pk.nca import nca
from escalon.analysis.pk.parameters import PARAMETERS
from escalon.analysis.pk.result import EXTRA_CODES
from escalon.analysis.pk.units import PkUnits
from escalon.analysis.summary import summarise

__all__ = ["derive_parameters", "exposure_response", "rank_correlation", "summarise_parameters"]

_SUMMARY = (
    {p.code: p.summary for p in PARAMETERS} | dict.fromkeys(EXTRA_CODES, "geometric") | {"TAT": "median"}
)


def derive_parameters(
    concentrations: pl.DataFrame,
    doses: pl.DataFrame,
    keys: Sequence[str] = ("USUBJID", "PARAMCD"),
    time_unit: str = "h",
    dose_unit: str = "mg",
    choices: pl.DataFrame | None = None,
    **options: Any,
) -> pl.DataFrame:
    """Run ``nca`` on every profile.

    ``concentrations``: ``keys`` (the first names the patient), TIME, AVAL (null = not measured), AVALU (unit, one
    per profile) and optionally LLOQ (one per profile); any order of rows. ``doses``: the patient key, TIME, DOSE,
    DURATION. ``choices``: samples a person chose for the terminal slope or took out, see ``choices.read_choices``;
    the reason stands in NOTE. ``options`` go to ``nca`` (route, method, partial, tail ...). Returns ``keys`` and the
    columns of ``PkResult.table``, with NOTE. A patient without dose gets one row per profile whose PPREASND says so.
    Raises ValueError, naming the profile, for a concentration without unit, two units, two limits, two samples at one
    time, choices for a profile that is not there.
    """
    patient = keys[0]
    check_columns("concentrations", concentrations, [*keys, "TIME", "AVAL", "AVALU"])
    check_columns("doses", doses, [patient, "TIME", "DOSE", "DURATION"])
    chosen = {} if choices is None else read_choices(choices, keys)
    given = {u: d.sort("TIME") for (u,), d in doses.group_by(patient)}
    parts = []
    for names, profile in concentrations.sort(*keys, "TIME").group_by(list(keys), maintain_order=True):
        own = chosen.pop(tuple(map(str, names)), {})
        rows = _profile_rows(names, profile, given.get(names[0]), time_unit, dose_unit, options | own)
        parts += [dict(zip(keys, names, strict=True)) | row for row in rows]
    if chosen:
        raise ValueError(f"choices name {' '.join(next(iter(chosen)))}, which has no concentrations")
    numbers = ("PPSTRESN", "START", "END")
    columns = (
        "PPTESTCD",
        "PPTEST",
        "PPSTRESN",
        "PPSTRESU",
        "PPREASND",
        "PPFLAG",
        "START",
        "END",
        "PPANMETH",
        "NOTE",
    )
    schema: dict[str, Any] = {k: concentrations.schema[k] for k in keys}
    schema |= {c: pl.Float64 if c in numbers else pl.String for c in columns}
    return pl.DataFrame(parts, schema=schema)


def _profile_rows(
    names: tuple[Any, ...],
    profile: pl.DataFrame,
    doses: pl.DataFrame | None,
    time_unit: str,
    dose_unit: str,
    options: Mapping[str, Any],
) -> list[dict[str, Any]]:
    who = " ".join(map(str, names))
    unit = _single(profile, "AVALU", who)
    if not unit or profile.filter(pl.col("AVAL").is_not_null() & pl.col("AVALU").is_null()).height:
        raise ValueError(f"{who}: concentration without unit; AVALU holds for example 'ug/mL'")
    if doses is None:
        empty = dict.fromkeys(
            ("PPTESTCD", "PPTEST", "PPSTRESN", "PPSTRESU", "PPFLAG", "START", "END", "PPANMETH")
        )
        return [empty | {"PPREASND": "no dose record", "NOTE": None}]
    lloq = _single(profile, "LLOQ", who) if "LLOQ" in profile.columns else None
    route = options.get("route", "extravascular")
    duration = doses["DURATION"].to_list() if route == "infusion" else None
    try:
        result = nca(
            profile["TIME"], profile["AVAL"], dose=doses["DOSE"].to_list(), duration=duration, lloq=lloq,
            dose_times=doses["TIME"].to_list(), units=PkUnits(time_unit, unit, dose_unit), **options,
        )  # fmt: skip
    except ValueError as error:
        raise ValueError(f"{who}: {error}") from None
    note = "; ".join(result.notes) or None
    return [row | {"NOTE": note} for row in result.rows()]


def _single(profile: pl.DataFrame, column: str, who: str) -> Any:
    """The one value of a column within a profile, null allowed."""
    values = profile[column].drop_nulls().unique().to_list()
    if len(values) > 1:
        raise ValueError(
            f"{who}: {column} holds {len(values)} values: one per profile is expected, never pool assays"
        )
    return values[0] if values else None


def summarise_parameters(parameters: pl.DataFrame, by: Sequence[str] = ("PARAMCD",)) -> pl.DataFrame:
    """Summaries of each parameter and group, as its declaration says which statistics to print.

    ``parameters``: output of ``derive_parameters``, with any grouping columns joined. Returns ``by``, PPTESTCD,
    START, END, PPSTRESU, n, n_missing, mean, sd, cv, median, minimum, maximum, geo_mean, geo_cv, summary
    ("geometric" or "median"). Values flagged as doubtful are included and counted in n_flagged.
    """
    check_columns(
        "parameters", parameters, [*by, "PPTESTCD", "PPSTRESN", "PPSTRESU", "PPFLAG", "START", "END"]
    )
    keys = [*by, "PPTESTCD", "START", "END", "PPSTRESU"]
    rows = []
    present = parameters.filter(pl.col("PPTESTCD").is_not_null())
    for names, group in present.group_by(keys, maintain_order=True):
        s = summarise(group["PPSTRESN"].to_list())
        rows.append(
            dict(zip(keys, names, strict=True))
            | {
                "n": s.n, "n_missing": s.n_missing, "n_flagged": group["PPFLAG"].count(), "mean": s.mean, "sd": s.sd,
                "cv": s.cv, "median": s.median, "minimum": s.minimum, "maximum": s.maximum, "geo_mean": s.geo_mean,
                "geo_cv": s.geo_cv, "summary": _SUMMARY.get(str(names[len(by)]), "median"),
            }
        )  # fmt: skip
    numbers = ("mean", "sd", "cv", "median", "minimum", "maximum", "geo_mean", "geo_cv")
    schema: dict[str, Any] = {k: present.schema[k] for k in keys}
    schema |= dict.fromkeys(("n", "n_missing", "n_flagged"), pl.Int64) | dict.fromkeys(numbers, pl.Float64)
    return pl.DataFrame(rows, schema=schema | {"summary": pl.String})


def rank_correlation(
    x: Sequence[float | None], y: Sequence[float | None], conf_level: float = 0.95
) -> Estimate:
    """Spearman correlation of the pairs without missing values, with the interval of Bonett and Wright.

    Standard error of atanh(r): sqrt((1 + r^2 / 2) / (n - 3)) (doi 10.1007/BF02294183). Fewer than four pairs or a
    constant variable: a reason.
    """
    from scipy.special import ndtri
    from scipy.stats import rankdata

    pairs = [(a, b) for a, b in zip(x, y, strict=True) if a is not None and b is not None]
    if len(pairs) < 4:
        return Estimate(None, None, None, f"{len(pairs)} pairs, 4 are needed")
    ranks = [rankdata([p[k] for p in pairs]) for k in (0, 1)]
    centred = [r - r.mean() for r in ranks]
    spread = float((centred[0] @ centred[0]) * (centred[1] @ centred[1])) ** 0.5
    if spread == 0:
        return Estimate(None, None, None, "one of the two is the same for all patients")
    r = max(-1.0, min(1.0, float(centred[0] @ centred[1]) / spread))
    if abs(r) >= 1.0 - 1e-12:
        return Estimate(r, None, None, "perfect order: no interval")
    half = float(ndtri(0.5 + conf_level / 2)) * ((1 + r * r / 2) / (len(pairs) - 3)) ** 0.5
    return Estimate(r, math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half))


def exposure_response(
    patients: pl.DataFrame, exposures: Sequence[str], outcomes: Sequence[str], conf_level: float = 0.95
) -> pl.DataFrame:
    """Rank correlation of every exposure with every outcome, for exploration.

    ``patients``: one row per patient with numeric columns, for example CLLS52 area and day-0 concentration against
    lymphocyte area, UCART22 Cmax and response (0/1). Returns exposure, outcome, n, correlation, low, high, reason.
    """
    check_columns("patients", patients, [*exposures, *outcomes])
    rows = []
    for a in exposures:
        for b in outcomes:
            pair = patients.select(pl.col(a).cast(pl.Float64), pl.col(b).cast(pl.Float64)).drop_nulls()
            e = rank_correlation(pair[a].to_list(), pair[b].to_list(), conf_level)
            rows.append((a, b, pair.height, e.value, e.low, e.high, e.reason))
    schema: dict[str, Any] = {"exposure": pl.String, "outcome": pl.String, "n": pl.Int64}
    schema |= dict.fromkeys(("correlation", "low", "high"), pl.Float64) | {"reason": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")
