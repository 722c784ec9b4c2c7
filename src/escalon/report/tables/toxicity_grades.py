"""Tables of derived grades: agreement with the recorded ones, every disagreement, syndromes, hematotoxicity."""

import polars as pl

from escalon.report.ard import Cells
from escalon.report.results.groups import TOTAL
from escalon.report.results.toxicity_grades import HEMATOTOXICITY, LABORATORY, SYNDROMES
from escalon.report.tables.layout import Grid
from escalon.report.tables.safety import AESI_NAMES
from escalon.report.wording import DASH, render_count


def render_agreement(ard: pl.DataFrame) -> str:
    """Events by how the derived grade compares with the recorded one."""
    cells = Cells(ard, "grade agreement")
    columns = {
        "events": "Events",
        "n.equal": "Equal",
        "n.higher": "Derived higher",
        "n.lower": "Derived lower",
        "n.not_gradable": "Not gradable",
    }
    notes = [
        "Derived: CRS and ICANS by ASTCT, GvHD by MAGIC, IEC-HS, each from the recorded components; laboratory "
        "terms by the CTCAE rule on the results taken during the event. Other CTCAE terms are graded by judgement. "
        "The recorded grade stands in the tables above; for dose-limiting toxicities and stopping rules the worse "
        "counts (rule of the platform, an assumption)."
    ]
    grid = Grid(
        "t-grade-agreement", "Recorded and derived grades of adverse events", "Event", columns, {}, notes
    )
    for kind in (*SYNDROMES, LABORATORY):
        row = {key: f"{int(cells.get(key, TOTAL, kind) or 0)}" for key in columns}
        grid.add(AESI_NAMES.get(kind, kind), row)
    return grid.render()


def render_disagreements(adae: pl.DataFrame) -> str:
    """Every event whose derived grade differs or is missing, with the clause or the reason."""
    columns = {
        "term": "Term", "day": "Onset day", "recorded": "Recorded", "derived": "Derived", "why": "Clause or reason",
    }  # fmt: skip
    grid = Grid(
        "t-grade-differences",
        "Events whose derived grade differs from the recorded one, or could not be derived",
        "Patient",
        columns,
        {"Grade": ["recorded", "derived"]},
        ["Onset day: days from the UCART22 infusion (Day 0)."],
        ["term", "why"],
    )
    shown = adae.filter(pl.col("ADRVSYS").is_not_null() & (pl.col("ADRVAGFL").fill_null("N") == "N"))
    for row in shown.sort("USUBJID", "ASTDT", "AEDECOD", nulls_last=True).iter_rows(named=True):
        missing = row["ADRVGR"] is None
        grid.add(
            row["USUBJID"],
            {
                "term": row["AEDECOD"],
                "day": DASH if row["ARDY"] is None else f"{row['ARDY']:.0f}".replace("-", "−"),
                "recorded": str(row["ATOXGRN"]),
                "derived": DASH if missing else str(row["ADRVGR"]),
                "why": (row["ADRVRS"] if missing else row["ADRVCLS"]) or DASH,
            },
        )
    return grid.render()


def render_syndromes(ard: pl.DataFrame) -> str:
    """CRS, ICANS, GvHD and IEC-HS: patients by highest grade, recorded and derived one below the other."""
    cells = Cells(ard, "syndromes derived")
    grades = {f"n.grade{grade}": f"Grade {grade}" for grade in range(1, 6)}
    grid = Grid(
        "t-syndromes",
        "CRS, ICANS, GvHD and IEC-HS by highest recorded and highest derived grade",
        "Event",
        {"n": "Any grade"} | grades,
        {},
        ["n (%) of patients who started lymphodepletion, each once per row at the highest grade."],
    )
    for kind in SYNDROMES:
        for context in ("recorded", "derived"):
            size = cells.get("N", TOTAL, kind, context)
            if size is None:
                continue
            row = {
                key: render_count(cells.get(key, TOTAL, kind, context) or 0, size) for key in ("n", *grades)
            }
            grid.add(f"{AESI_NAMES[kind]}, {context}", row)
    return grid.render()


def render_hematotoxicity(ard: pl.DataFrame) -> str:
    """Infused patients by hematotoxicity grade, early and late, by neutrophils and platelets."""
    cells = Cells(ard, "hematotoxicity")
    grades = {f"n.grade{grade}": f"Grade {grade}" for grade in range(5)}
    grid = Grid(
        "t-hematotoxicity",
        "Hematotoxicity from the series of counts (ICAHT and T-ICAHT), infused patients",
        "Period",
        grades | {"n.not_gradable": "Not gradable"},
        {},
        [
            "n (%). Days without a test carry the last value; counting stops with progression, next therapy, "
            "transplant or death. Not gradable: too few tests, or days not covered that could change the grade. "
            "Thresholds of ICAHT are an assumption until checked in the source."
        ],
    )
    for code, name in HEMATOTOXICITY.items():
        size = cells.get("N", TOTAL, code, name)
        if size:
            row = {
                key: render_count(cells.get(key, TOTAL, code, name) or 0, size)
                for key in (*grades, "n.not_gradable")
            }
            grid.add(name, row)
    return grid.render()
