"""Overall response at the registered visits, to date, and best overall."""

from collections.abc import Mapping

import polars as pl

from escalon.analysis.response import proportion
from escalon.conduct.state import State
from escalon.protocol.study import Study, Visit
from escalon.report.ard import Rows
from escalon.report.results.groups import derive_people, efficacy_groups, in_group

CATEGORIES = ("CR", "CRh", "CRi", "MLFS", "PR", "NR", "PD", "RELAPSE", "NE")


def _rate(x: int, n: int) -> dict[str, float | int | None]:
    found = proportion(x, n)
    return {"n": x, "N": n, "p": found.value, "conf.low": found.low, "conf.high": found.high}


def derive_response(adam: Mapping[str, pl.DataFrame], state: State, study: Study) -> pl.DataFrame:
    """Response by visit (at the visit, and to date) and best overall response, by group.

    Denominator: every infused patient of the group; a patient without an assessment counts as no response.
    """
    rows = Rows("response", "GROUP")
    assessed = adam["ADRS"].filter((pl.col("PARAMCD") == "OVRLRESP") & (pl.col("ANL01FL") == "Y"))
    best = adam["ADRS"].filter(pl.col("PARAMCD") == "BOR")
    for group, members in efficacy_groups(derive_people(adam), state, study).items():
        own = in_group(assessed, members)
        for visit, at_visit, to_date in _by_visit(own, study.response_visits):
            rows.add("at visit", visit, "proportion", _rate(_patients(at_visit), members.height), group)
            rows.add("to date", visit, "proportion", _rate(_patients(to_date), members.height), group)
            seen = own.filter(pl.col("AVISIT") == visit)
            rows.add("assessed", visit, "count", {"n": _patients(seen), "N": members.height}, group)
        _add_best(rows, group, in_group(best, members), members.height, study)
        _add_mrd(rows, group, own)
    return rows.frame()


def _by_visit(own: pl.DataFrame, visits: tuple[Visit, ...]) -> list[tuple[str, pl.DataFrame, pl.DataFrame]]:
    """Responders at each visit, and at it or earlier; an unscheduled response counts from its own day."""
    responding = own.filter(pl.col("RESPFL") == "Y")
    found, before = [], []
    for visit in visits:
        before.append(visit.id)
        early = pl.col("AVISIT").is_in(before)
        unscheduled = (pl.col("AVISIT") == "UNSCHEDULED") & (pl.col("ARDY") <= visit.window[1])
        found.append(
            (
                visit.id,
                responding.filter(pl.col("AVISIT") == visit.id),
                responding.filter(early | unscheduled),
            )
        )
    return found


def _patients(frame: pl.DataFrame) -> int:
    return frame["USUBJID"].n_unique()


def _add_best(rows: Rows, group: str, best: pl.DataFrame, size: int, study: Study) -> None:
    for category in CATEGORIES:
        count = best.filter(pl.col("AVALC") == category).height
        rows.add("best", category, "count", {"n": count, "N": size}, group)
    rows.add("best", "not assessed", "count", {"n": size - best.height, "N": size}, group)
    for name, numerator in (("ORR", study.response.numerator), ("CR+CRi", ("CR", "CRh", "CRi"))):
        count = best.filter(pl.col("AVALC").is_in(list(numerator))).height
        rows.add("best rate", name, "proportion", _rate(count, size), group)


def _add_mrd(rows: Rows, group: str, own: pl.DataFrame) -> None:
    """MRD-negative at an assessment in response, among patients who ever responded."""
    responding = own.filter(pl.col("RESPFL") == "Y")
    negative = responding.filter(pl.col("MRD") == "NEGATIVE")
    rows.add("best rate", "MRD", "proportion", _rate(_patients(negative), _patients(responding)), group)
