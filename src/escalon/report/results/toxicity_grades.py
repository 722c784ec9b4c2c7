"""Recorded grades against derived ones, syndromes by derived grade, and hematotoxicity, as results."""

from collections.abc import Mapping

import polars as pl

from escalon.analysis.safety import max_grade
from escalon.conduct.state import State
from escalon.protocol.study import Study
from escalon.report.ard import Rows
from escalon.report.results.groups import TOTAL, derive_people, level_labels

SYNDROMES = ("CRS", "ICANS", "GVHD", "IEC-HS")
"""Events of special interest that are graded from components."""
LABORATORY = "CTCAE laboratory terms"
HEMATOTOXICITY: Mapping[str, str] = {
    "ICAHTE": "ICAHT, Day 0 to 30 (neutrophils)",
    "ICAHTL": "ICAHT, after Day 30 (neutrophils)",
    "TICAHTE": "T-ICAHT, Day 0 to 30 (platelets)",
    "TICAHTL": "T-ICAHT, Day 31 to 100 (platelets)",
}


def derive_grades(adam: Mapping[str, pl.DataFrame], state: State, study: Study) -> pl.DataFrame:
    """Agreement by kind of event, patients by worst derived grade of each syndrome, hematotoxicity by grade."""
    return pl.concat([_agreement(adam["ADAE"]), _syndromes(adam, study), _hematotoxicity(adam)])


def _agreement(adae: pl.DataFrame) -> pl.DataFrame:
    """Events with a system that derives grades: equal, higher or lower than recorded, or not gradable."""
    rows = Rows("grade agreement", "LEVEL")
    gradable = adae.filter(pl.col("ADRVSYS").is_not_null())
    kinds = gradable.with_columns(
        KIND=pl.when(pl.col("AECAT").is_in(SYNDROMES)).then(pl.col("AECAT")).otherwise(pl.lit(LABORATORY))
    )
    for kind in (*SYNDROMES, LABORATORY):
        own = kinds.filter(pl.col("KIND") == kind)
        gap = own["ADRVGR"] - own["ATOXGRN"]
        stats = {
            "events": own.height,
            "n.equal": int((gap == 0).sum()),
            "n.higher": int((gap > 0).sum()),
            "n.lower": int((gap < 0).sum()),
            "n.not_gradable": own["ADRVGR"].null_count(),
        }
        rows.add(kind, None, "agreement", stats, TOTAL)
    return rows.frame()


def _syndromes(adam: Mapping[str, pl.DataFrame], study: Study) -> pl.DataFrame:
    """Patients by the highest derived grade of each syndrome; a derived grade 0 is none."""
    rows, people = Rows("syndromes derived", "LEVEL"), derive_people(adam)
    where = (
        pl.col("AECAT").is_in(SYNDROMES)
        & (pl.col("LDEMFL") == "Y")
        & (pl.col("ADRVGR") >= 1).fill_null(False)
    )
    for column, context in (("ADRVGR", "derived"), ("ATOXGRN", "recorded")):
        own = where if context == "derived" else pl.col("AECAT").is_in(SYNDROMES) & (pl.col("LDEMFL") == "Y")
        table = max_grade(
            adam["ADAE"], people, "LEVEL", ("AECAT",), own, column, "LDFL", level_labels(study), TOTAL
        ).filter(pl.col("AECAT").is_not_null(), pl.col("group") == TOTAL)
        for kind in SYNDROMES:
            found = {row["grade"]: row for row in table.filter(pl.col("AECAT") == kind).iter_rows(named=True)}
            if not found:
                continue
            stats = {f"n.grade{grade}": row["n_patients"] for grade, row in found.items()}
            size = next(iter(found.values()))["n_population"]
            rows.add(kind, context, "maximum grade", {"n": sum(stats.values()), "N": size, **stats}, TOTAL)
    return rows.frame()


def _hematotoxicity(adam: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    rows = Rows("hematotoxicity", "LEVEL")
    for code, name in HEMATOTOXICITY.items():
        own = adam["ADICAHT"].filter(pl.col("PARAMCD") == code)
        stats = {f"n.grade{grade}": int((own["AVAL"] == grade).sum()) for grade in range(5)}
        stats |= {"N": own.height, "n.not_gradable": own["AVAL"].null_count()}
        rows.add(code, name, "grade", stats, TOTAL)
    return rows.frame()
