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

TERM_TABLES: Mapping[str, tuple[str, pl.Expr]] = {
    "ae_terms": ("ld", pl.lit(True)),
    "ae_terms_ucart22": ("inf", pl.col("RELUC") == "Y"),
    "ae_terms_lymphodepletion": ("ld", pl.col("RELLD") == "Y"),
}


def derive_overview(adam: Mapping[str, pl.DataFrame], state: State, study: Study) -> pl.DataFrame:
    """Patients with at least one event of each set, by level, in both views."""
    people, parts = derive_people(adam), []
    for view, (population, emergent) in VIEWS.items():
        rows = Rows(f"ae_overview_{view}", "LEVEL")
        events = adam["ADAE"].filter(pl.col(emergent) == "Y")
        table = overview(events, people, "LEVEL", SETS, population, level_labels(study), TOTAL)
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
        parts.append(rows.frame())
    return pl.concat(parts)


def derive_terms(adam: Mapping[str, pl.DataFrame], state: State, study: Study) -> pl.DataFrame:
    """Each patient once per class and term, at the highest grade; three tables (all, UCART22, lymphodepletion)."""
    people, parts = derive_people(adam), []
    for analysis, (view, related) in TERM_TABLES.items():
        population, emergent = VIEWS[view]
        where = (pl.col(emergent) == "Y") & related
        parts.append(
            _terms(analysis, ("AEBODSYS", "AEDECOD"), adam["ADAE"], people, study, population, where)
        )
    for analysis, view in (("aesi", "ld"), ("aesi infused", "inf")):
        population, emergent = VIEWS[view]
        special = (pl.col(emergent) == "Y") & pl.col("AESICAT").is_not_null()
        parts.append(_terms(analysis, ("AESICAT",), adam["ADAE"], people, study, population, special))
    return pl.concat(parts)


def _terms(
    analysis: str,
    keys: tuple[str, ...],
    adae: pl.DataFrame,
    people: pl.DataFrame,
    study: Study,
    population: str,
    where: pl.Expr,
) -> pl.DataFrame:
    """Counts at the highest grade, folded to one row of statistics per group and term."""
    rows = Rows(analysis, "LEVEL")
    table = max_grade(adae, people, "LEVEL", keys, where, "ATOXGRN", population, level_labels(study), TOTAL)
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
