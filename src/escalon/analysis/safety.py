"""Adverse events by patient: how many of whom had what, how severe, how serious, related to which product.

A patient counts once per row of a table, in the group of ``adsl``; denominators come from ``adsl`` alone,
so patients without events and dose levels without patients are there. Every row carries the number of
patients and of events and an exact interval.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from escalon.analysis.groups import check_columns, group_patients
from escalon.analysis.proportion import proportion

__all__ = ["AESI_SETS", "EVENT_SETS", "GRADES", "EventSet", "dlt_rates", "incidence", "max_grade", "overview"]


@dataclass(frozen=True, slots=True)
class EventSet:
    """A named set of adverse events: all ``conditions`` hold (column, operator, value).

    Data, so a study can replace it.
    """

    label: str
    conditions: tuple[tuple[str, str, str | float], ...] = ()

    def expression(self) -> pl.Expr:
        """Boolean expression over ADAE, never null."""
        result = pl.lit(True)
        for column, operator, value in self.conditions:
            x = pl.col(column)
            result = result & {"==": x == value, ">=": x >= value, "<=": x <= value}[operator].fill_null(
                False
            )
        return result


EVENT_SETS: Mapping[str, EventSet] = {
    "any": EventSet("Any adverse event"),
    "serious": EventSet("Serious", (("AESER", "==", "Y"),)),
    "grade3": EventSet("Grade 3 or higher", (("ATOXGRN", ">=", 3),)),
    "fatal": EventSet("Grade 5", (("ATOXGRN", ">=", 5),)),
    "related_ucart22": EventSet("Related to UCART22", (("RELUC", "==", "Y"),)),
    "related_lymphodepletion": EventSet("Related to lymphodepletion", (("RELLD", "==", "Y"),)),
    "serious_related_ucart22": EventSet(
        "Serious, related to UCART22", (("AESER", "==", "Y"), ("RELUC", "==", "Y"))
    ),
    "serious_related_lymphodepletion": EventSet(
        "Serious, related to lymphodepletion", (("AESER", "==", "Y"), ("RELLD", "==", "Y"))
    ),
}
"""Rows of the overview: RELUC is "Y" when related to UCART22, RELLD to any lymphodepletion product."""

AESI_SETS: Mapping[str, EventSet] = {
    "aesi": EventSet("Any event of special interest", (("AESIFL", "==", "Y"),)),
    "aesi_serious": EventSet(
        "Serious event of special interest", (("AESIFL", "==", "Y"), ("AESER", "==", "Y"))
    ),
    "crs": EventSet("Cytokine release syndrome", (("AESICAT", "==", "CRS"),)),
    "crs_grade3": EventSet(
        "Cytokine release syndrome, grade 3 or higher", (("AESICAT", "==", "CRS"), ("ATOXGRN", ">=", 3))
    ),
    "icans": EventSet("ICANS", (("AESICAT", "==", "ICANS"),)),
    "icans_grade3": EventSet("ICANS, grade 3 or higher", (("AESICAT", "==", "ICANS"), ("ATOXGRN", ">=", 3))),
    "gvhd": EventSet("Graft-versus-host disease", (("AESICAT", "==", "GVHD"),)),
    "cytopenia": EventSet("Cytopenia", (("AESICAT", "==", "CYTOPENIA"),)),
    "infection": EventSet("Infection", (("AESICAT", "==", "INFECTION"),)),
    "infection_grade3": EventSet(
        "Infection, grade 3 or higher", (("AESICAT", "==", "INFECTION"), ("ATOXGRN", ">=", 3))
    ),
}
"""Events of special interest for ``overview(..., sets=AESI_SETS)``: AESIFL "Y", AESICAT the category.

Grades of CRS and ICANS are those of ASTCT, of GvHD those of MAGIC, of the others those of CTCAE.
"""


def incidence(
    adae: pl.DataFrame,
    adsl: pl.DataFrame,
    by: str = "TRT01A",
    rows: Sequence[str] = (),
    where: pl.Expr | None = None,
    population: str | None = None,
    levels: Sequence[str] | None = None,
    total: str | None = "Total",
    method: str = "clopper-pearson",
    conf_level: float = 0.95,
) -> pl.DataFrame:
    """Patients with at least one event, by group and by ``rows``.

    Parameters: ``adae`` one row per event with USUBJID; ``adsl`` one row per patient with USUBJID and
    ``by``; ``rows`` columns of ``adae`` nested from the outside in, for example ("AEBODSYS", "AEDECOD"): a
    row for any event, one for each class and one for each term; ``where`` keeps events; ``population`` a
    "Y" flag of ``adsl``; ``levels`` the groups in order (default: sorted), kept even when empty; ``total``
    the label of all groups together (None: no such column).

    Returns columns group, the ``rows`` (null = all), depth, n_patients, n_events, n_population, fraction,
    low, high (fractions, null when the group is empty), for every combination that occurs in any group;
    most frequent first. Events of patients outside the population are not counted. Raises ValueError for
    absent columns, a patient twice in ``adsl``, a group that ``levels`` does not know.
    """
    people, sizes = group_patients(adsl, by, population, levels, total)
    check_columns("adae", adae, ["USUBJID", *rows])
    events = adae.filter(where) if where is not None else adae
    events = events.select("USUBJID", *rows).join(people, on="USUBJID")
    types = {r: adae.schema[r] for r in rows}
    parts = [_count(events, sizes, list(rows[:depth]), types) for depth in range(len(rows) + 1)]
    table = _with_intervals(pl.concat(parts), method, conf_level)
    return _ordered(table, list(rows))


def overview(
    adae: pl.DataFrame,
    adsl: pl.DataFrame,
    by: str = "TRT01A",
    sets: Mapping[str, EventSet] = EVENT_SETS,
    population: str | None = None,
    levels: Sequence[str] | None = None,
    total: str | None = "Total",
) -> pl.DataFrame:
    """One row per event set and group.

    ``event_set``, ``label``, then the columns of ``incidence`` without rows.
    """
    parts = []
    for key, event_set in sets.items():
        check_columns("adae", adae, [c[0] for c in event_set.conditions])
        table = incidence(adae, adsl, by, (), event_set.expression(), population, levels, total)
        names = [pl.lit(key).alias("event_set"), pl.lit(event_set.label).alias("label")]
        parts.append(table.select(*names, pl.all()))
    return pl.concat(parts)


def max_grade(
    adae: pl.DataFrame,
    adsl: pl.DataFrame,
    by: str = "TRT01A",
    rows: Sequence[str] = (),
    where: pl.Expr | None = None,
    grade: str = "ATOXGRN",
    population: str | None = None,
    levels: Sequence[str] | None = None,
    total: str | None = "Total",
) -> pl.DataFrame:
    """Each patient once per row, at the highest grade there.

    Returns the columns of ``incidence`` with ``grade``, each of 1 to 5, ascending.

    ``grade`` is a whole-number column of ``adae``; an event without a grade raises ValueError, because it
    would silently lower the maximum.
    """
    people, sizes = group_patients(adsl, by, population, levels, total)
    check_columns("adae", adae, ["USUBJID", grade, *rows])
    events = adae.filter(where) if where is not None else adae
    if events[grade].null_count():
        raise ValueError(
            f"adae.{grade} is missing in {events[grade].null_count()} rows: every event needs a grade"
        )
    events = events.select("USUBJID", *rows, pl.col(grade).cast(pl.Int64).alias("grade")).join(
        people, on="USUBJID"
    )
    types = {r: adae.schema[r] for r in rows}
    parts = []
    for depth in range(len(rows) + 1):
        keys = list(rows[:depth])
        worst = events.group_by("USUBJID", "group", *keys).agg(pl.col("grade").max())
        parts.append(_count(worst, sizes, keys, types, GRADES))
    table = _with_intervals(pl.concat(parts), method="clopper-pearson", conf_level=0.95)
    return _ordered(table, list(rows), ["grade"]).drop("n_events")


def dlt_rates(
    adsl: pl.DataFrame,
    by: str = "TRT01A",
    status: str = "DLTSTAT",
    levels: Sequence[str] | None = None,
    total: str | None = "Total",
    prior: tuple[float, float] = (1.0, 1.0),
    conf_level: float = 0.95,
) -> pl.DataFrame:
    """Dose-limiting toxicities among evaluable patients, by dose level.

    ``adsl`` has one row per treated patient; ``status`` is DLT, NO_DLT, PENDING or NOT_EVALUABLE; only the
    first two are evaluable. Returns group, n_treated, n_evaluable, n_dlt, n_pending, n_not_evaluable, rate,
    low, high (exact) and posterior_mean, posterior_low, posterior_high (equal tails, Beta ``prior``).
    Raises ValueError for another status.
    """
    from scipy.special import betaincinv

    people, sizes = group_patients(adsl, by, None, levels, total)
    check_columns("adsl", adsl, [status])
    unknown = sorted({str(s) for s in adsl[status].to_list()} - set(_DLT_STATUS))
    if unknown:
        raise ValueError(
            f"adsl.{status} holds {', '.join(unknown)}: one of {', '.join(_DLT_STATUS)} is expected"
        )
    people = people.join(adsl.select("USUBJID", pl.col(status).alias("_status")), on="USUBJID")
    tail = (1.0 - conf_level) / 2.0
    result = []
    for group, n_treated in sizes.iter_rows():
        inside = people.filter(pl.col("group") == group)["_status"]
        counts = {s: int((inside == s).sum()) for s in _DLT_STATUS}
        y, n = counts["DLT"], counts["DLT"] + counts["NO_DLT"]
        estimate, a, b = proportion(y, n, conf_level=conf_level), prior[0] + y, prior[1] + n - y
        result.append(
            {
                "group": group,
                "n_treated": n_treated,
                "n_evaluable": n,
                "n_dlt": y,
                "n_pending": counts["PENDING"],
                "n_not_evaluable": counts["NOT_EVALUABLE"],
                "rate": estimate.value,
                "low": estimate.low,
                "high": estimate.high,
                "posterior_mean": a / (a + b),
                "posterior_low": float(betaincinv(a, b, tail)),
                "posterior_high": float(betaincinv(a, b, 1.0 - tail)),
            }
        )
    return pl.DataFrame(result, schema_overrides={"rate": pl.Float64, "low": pl.Float64, "high": pl.Float64})


GRADES = (1, 2, 3, 4, 5)
_DLT_STATUS = ("DLT", "NO_DLT", "PENDING", "NOT_EVALUABLE")
_MEASURES = ("depth", "n_patients", "n_events", "n_population", "fraction", "low", "high")


def _count(
    events: pl.DataFrame,
    sizes: pl.DataFrame,
    keys: list[str],
    rows: Mapping[str, pl.DataType],
    grades: Sequence[int] = (),
) -> pl.DataFrame:
    """Patients and events for each combination of ``keys`` (and each of ``grades``) in every group."""
    frame = sizes.with_row_index("_order")
    if keys:
        frame = frame.join(events.select(keys).unique(), how="cross")
    if grades:
        frame = frame.join(pl.DataFrame({"grade": list(grades)}, schema={"grade": pl.Int64}), how="cross")
    by = ["group", *keys, *(["grade"] if grades else [])]
    found = events.group_by(by).agg(
        pl.col("USUBJID").n_unique().cast(pl.Int64).alias("n_patients"),
        pl.len().cast(pl.Int64).alias("n_events"),
    )
    counted = frame.join(found, on=by, how="left", nulls_equal=True)
    padded = [pl.lit(None, dtype=rows[r]).alias(r) for r in list(rows)[len(keys) :]]
    depth = pl.lit(len(keys), dtype=pl.Int64).alias("depth")
    columns = [
        "_order",
        "group",
        *rows,
        *by[1 + len(keys) :],
        "depth",
        "n_patients",
        "n_events",
        "n_population",
    ]
    return counted.with_columns(pl.col("n_patients", "n_events").fill_null(0), *padded, depth).select(columns)


def _with_intervals(table: pl.DataFrame, method: str, conf_level: float) -> pl.DataFrame:
    """Add fraction, low and high; each pair of counts is computed once."""
    pairs = table.select("n_patients", "n_population").unique()
    found = [proportion(x, n, method, conf_level) for x, n in pairs.iter_rows()]
    numbers = {
        "fraction": [e.value for e in found],
        "low": [e.low for e in found],
        "high": [e.high for e in found],
    }
    columns = [pl.Series(name, values, dtype=pl.Float64) for name, values in numbers.items()]
    return table.join(pairs.with_columns(columns), on=["n_patients", "n_population"], how="left")


def _ordered(table: pl.DataFrame, rows: list[str], then: Sequence[str] = ()) -> pl.DataFrame:
    """All first, then classes by their most patients in a column, terms inside their class; ties by name.

    Groups in order.
    """
    ranks: list[str] = []
    for depth in range(1, len(rows) + 1):
        keys = rows[:depth]
        # The total over ``then`` (grades) of the largest group ranks a row.
        per_group = (
            table.filter(pl.col("depth") == depth).group_by("group", *keys).agg(pl.col("n_patients").sum())
        )
        top = per_group.group_by(keys).agg(pl.col("n_patients").max().alias(f"_rank{depth}"))
        absent = pl.when(pl.col("depth") >= depth).then(pl.col(f"_rank{depth}")).alias(f"_rank{depth}")
        table = table.join(top, on=keys, how="left", nulls_equal=True).with_columns(absent)
        ranks += [f"_rank{depth}", rows[depth - 1]]
    # A class precedes its own terms: the ranks of deeper rows are null there, and nulls sort first.
    descending = [name.startswith("_rank") for name in ranks] + [False] * (len(then) + 1)
    table = table.sort(
        [*ranks, *then, "_order"], descending=descending, nulls_last=False, maintain_order=True
    )
    return table.select("group", *rows, *then, *_MEASURES)
