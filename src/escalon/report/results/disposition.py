"""Who was enrolled, treated, analysed, and who they were."""

from collections.abc import Iterator, Mapping

import polars as pl

from escalon.analysis.summary import summarise
from escalon.conduct.state import State
from escalon.protocol.study import Study
from escalon.report.ard import Rows
from escalon.report.results.groups import TOTAL, derive_people, level_labels

POPULATIONS: Mapping[str, str] = {
    "ENRLFL": "Enrolled",
    "LDFL": "Lymphodepletion started",
    "SAFFL": "Infused with UCART22",
    "DLTEVLFL": "DLT-evaluable",
    "RSPEVLFL": "Response-evaluable",
    "PKFL": "CLLS52 pharmacokinetics",
    "CKFL": "UCART22 cell kinetics",
}
CONTINUOUS: Mapping[str, tuple[str, str]] = {
    "AGE": ("Age", "years"),
    "WEIGHTBL": ("Body weight", "kg"),
    "BLASTBL": ("Marrow blasts at baseline", "%"),
    "PRIORLIN": ("Prior lines of therapy", "lines"),
}
CATEGORIES: Mapping[str, str] = {
    "SEX": "Sex",
    "PRIORSCT": "Prior allogeneic transplant",
    "PRIORCD": "Prior CD19-directed therapy",
    "LDREGI": "Lymphodepletion regimen",
    "PROCESS": "Manufacturing process",
    "COUNTRY": "Country",
}


def _by_level(people: pl.DataFrame, study: Study) -> Iterator[tuple[str, pl.DataFrame]]:
    for label in level_labels(study):
        yield label, people.filter(pl.col("LEVEL") == label)
    yield TOTAL, people


def derive_disposition(adam: Mapping[str, pl.DataFrame], state: State, study: Study) -> pl.DataFrame:
    """Patients in each population, reasons for being left out, and how participation ended."""
    rows = Rows("disposition", "LEVEL")
    people = derive_people(adam)
    reasons = people.filter(pl.col("DLTEVLFL") != "Y")["DLTEVLRS"].drop_nulls().unique().sort().to_list()
    for label, members in _by_level(people, study):
        for flag in POPULATIONS:
            count = members.filter(pl.col(flag) == "Y").height
            rows.add("population", flag, "count", {"n": count, "N": members.height}, label)
        for why in reasons:
            count = members.filter((pl.col("DLTEVLFL") != "Y") & (pl.col("DLTEVLRS") == why)).height
            rows.add("not DLT-evaluable", why, "count", {"n": count, "N": members.height}, label)
        infused = members.filter(pl.col("SAFFL") == "Y")
        for status in ("COMPLETED", "ONGOING", "DISCONTINUED"):
            count = infused.filter(pl.col("EOSSTT") == status).height
            rows.add("end of study", status, "count", {"n": count, "N": infused.height}, label)
        rows.add("died", None, "count", {"n": infused["DTHDT"].count(), "N": infused.height}, label)
        rows.add("transplant", None, "count", {"n": infused["SCTDT"].count(), "N": infused.height}, label)
        rows.add("new therapy", None, "count", {"n": infused["NEWTRTDT"].count(), "N": infused.height}, label)
    return rows.frame()


def derive_baseline(adam: Mapping[str, pl.DataFrame], state: State, study: Study) -> pl.DataFrame:
    """Baseline characteristics of the infused patients."""
    rows = Rows("baseline", "LEVEL")
    people = derive_people(adam).filter(pl.col("SAFFL") == "Y")
    values = {name: sorted(people[name].drop_nulls().unique().to_list()) for name in CATEGORIES}
    for label, members in _by_level(people, study):
        rows.add("infused", None, "count", {"n": members.height, "N": members.height}, label)
        for name, (_, unit) in CONTINUOUS.items():
            summary = summarise(members[name].cast(pl.Float64).to_list())
            stats = {"n": summary.n, "median": summary.median, "min": summary.minimum, "max": summary.maximum}
            rows.add(name, None, "continuous", stats, label, unit=unit)
        for name in CATEGORIES:
            for value in values[name]:
                count = members.filter(pl.col(name) == value).height
                rows.add(name, str(value), "count", {"n": count, "N": members.height}, label)
    return rows.frame()
