"""Adverse events as results: overviews, terms by grade, events of special interest."""

from collections.abc import Mapping

import polars as pl

from escalon.analysis.safety import EventSet, max_grade, overview
from escalon.conduct.state import State
from escalon.protocol.study import Study
from escalon.report.ard import Rows
from escalon.report.results.groups import TOTAL, derive_people, level_labels

SETS: Mapping[str, EventSet] = {
    "any": EventSet("Any adverse event"),
    "grade3": EventSet("Grade 3 or higher", (("ATOXGRN", ">=", 3),)),
    "serious": EventSet("Serious adverse event", (("ANYSER", "==", "Y"),)),
    "related_ucart22": EventSet("Related to UCART22", (("RELUC", "==", "Y"),)),
    "grade3_ucart22": EventSet(
        "Related to UCART22, grade 3 or higher", (("RELUC", "==", "Y"), ("ATOXGRN", ">=", 3))
    ),
    "serious_ucart22": EventSet("Related to UCART22, serious", (("RELUC", "==", "Y"), ("ANYSER", "==", "Y"))),
    "related_lymphodepletion": EventSet("Related to lymphodepletion", (("RELLD", "==", "Y"),)),
    "grade3_lymphodepletion": EventSet(
        "Related to lymphodepletion, grade 3 or higher", (("RELLD", "==", "Y"), ("ATOXGRN", ">=", 3))
    ),
    "serious_lymphodepletion": EventSet(
        "Related to lymphodepletion, serious", (("RELLD", "==", "Y"), ("ANYSER", "==", "Y"))
    ),
    "related_clls52": EventSet("Related to CLLS52", (("RELCL", "==", "Y"),)),
    "fatal": EventSet("Fatal (grade 5)", (("ATOXGRN", ">=", 5),)),
}
VIEWS: Mapping[str, tuple[str, str]] = {
    "ld": ("LDFL", "LDEMFL"),
    "inf": ("SAFFL", "TRTEMFL"),
}
"""Two views: from the first lymphodepletion dose, and from the infusion; population flag and event flag."""

GROUPINGS: Mapping[str, str] = {
    "LDREGI": "lymphodepletion regimen",
    "PROCESS": "manufacturing process",
}
"""Columns of ADSL beside the dose level that events are counted by."""

TERM_TABLES: Mapping[str, tuple[str, pl.Expr]] = {
    "ae_terms": ("ld", pl.lit(True)),
    "ae_terms_ucart22": ("inf", pl.col("RELUC") == "Y"),
    "ae_terms_lymphodepletion": ("ld", pl.col("RELLD") == "Y"),
}


def derive_overview(adam: Mapping[str, pl.DataFrame], state: State, study: Study) -> pl.DataFrame:
    """Patients with at least one event of each set, by level, in both views."""
    people, labels = derive_people(adam), level_labels(study)
    return pl.concat(_overview(f"ae_overview_{view}", adam["ADAE"], people, view, labels) for view in VIEWS)


def derive_groupings(adam: Mapping[str, pl.DataFrame], state: State, study: Study) -> pl.DataFrame:
    """The overviews and the events by class and term again, by regimen and by process instead of dose level."""
    people, parts = derive_people(adam), []
    for column in GROUPINGS:
        grouped = people.with_columns(pl.col(column).fill_null("not known"))
        for view in VIEWS:
            name = f"ae_overview_{view}_{column}"
            parts.append(_overview(name, adam["ADAE"], grouped, view, None, column))
        population, emergent = VIEWS["ld"]
        where, keys = pl.col(emergent) == "Y", ("AEBODSYS", "AEDECOD")
        name = f"ae_terms_{column}"
        parts.append(_terms(name, keys, adam["ADAE"], grouped, None, population, where, column))
    return pl.concat(parts)


def _overview(
    analysis: str,
    adae: pl.DataFrame,
    people: pl.DataFrame,
    view: str,
    labels: list[str] | None,
    by: str = "LEVEL",
) -> pl.DataFrame:
    """One view by one grouping; ``labels`` None: the groups that occur."""
    population, emergent = VIEWS[view]
    rows = Rows(analysis, by)
    events = adae.filter(pl.col(emergent) == "Y")
    table = overview(events, people, by, SETS, population, labels, TOTAL)
    for row in table.iter_rows(named=True):
        stats = {
            "n": row["n_patients"],
            "N": row["n_population"],
            "events": row["n_events"],
            "p": row["fraction"],
            "conf.low": row["low"],
            "conf.high": row["high"],
        }
        rows.add(row["event_set"], row["label"], "incidence", stats, row["group"], reason="no patients")
    return rows.frame()


def derive_terms(adam: Mapping[str, pl.DataFrame], state: State, study: Study) -> pl.DataFrame:
    """Each patient once per class and term, at the highest grade; three tables (all, UCART22, lymphodepletion)."""
    people, labels, parts = derive_people(adam), level_labels(study), []
    for analysis, (view, related) in TERM_TABLES.items():
        population, emergent = VIEWS[view]
        where = (pl.col(emergent) == "Y") & related
        parts.append(
            _terms(analysis, ("AEBODSYS", "AEDECOD"), adam["ADAE"], people, labels, population, where)
        )
    for analysis, view in (("aesi", "ld"), ("aesi infused", "inf")):
        population, emergent = VIEWS[view]
        special = (pl.col(emergent) == "Y") & pl.col("AESICAT").is_not_null()
        parts.append(_terms(analysis, ("AESICAT",), adam["ADAE"], people, labels, population, special))
    return pl.concat(parts)


def _terms(
    analysis: str,
    keys: tuple[str, ...],
    adae: pl.DataFrame,
    people: pl.DataFrame,
    labels: list[str] | None,
    population: str,
    where: pl.Expr,
    by: str = "LEVEL",
) -> pl.DataFrame:
    """Counts at the highest grade, folded to one row of statistics per group and term."""
    rows = Rows(analysis, by)
    table = max_grade(adae, people, by, keys, where, "ATOXGRN", population, labels, TOTAL)
    found: dict[tuple[str | None, ...], dict[str, float]] = {}
    for row in table.iter_rows(named=True):
        first = row[keys[0]] or "Any"
        second = row[keys[1]] if len(keys) > 1 else None
        stats = found.setdefault(
            (row["group"], first, second), {"n": 0, "n.grade3+": 0, "N": row["n_population"]}
        )
        count = row["n_patients"]
        stats["n"] += count
        stats["n.grade3+"] += count if row["grade"] >= 3 else 0
        stats[f"n.grade{row['grade']}"] = count
    ranked = _by_frequency(found)
    for group, first, second in ranked:
        assert first is not None
        rows.add(first, second, "maximum grade", found[(group, first, second)], group)
    return rows.frame()


def _by_frequency(found: dict[tuple[str | None, ...], dict[str, float]]) -> list[tuple[str | None, ...]]:
    """Any event first, classes by patients overall, terms by patients inside their class, ties by name."""
    total = {key[1:]: stats["n"] for key, stats in found.items() if key[0] == TOTAL}

    def rank(key: tuple[str | None, ...]) -> tuple[object, ...]:
        _, first, second = key
        whole = total.get((first, None), 0)
        own = total.get((first, second), 0)
        return (first != "Any", -whole, first, second is not None, -own, second or "")

    return sorted(found, key=rank)
