"""Cumulative incidence of what ends a response, transplant being a competing event (ADTTE parameter DORC)."""

from collections.abc import Mapping

import polars as pl

from escalon.analysis.survival import CumulativeIncidence, cumulative_incidence
from escalon.conduct.state import State
from escalon.protocol.study import Study
from escalon.report.ard import Rows
from escalon.report.results.groups import derive_people, efficacy_groups, in_group

PARAMCD = "DORC"
CAUSES: Mapping[str, str] = {
    "PROGRESSION": "Relapse or progression",
    "DEATH": "Death without relapse",
    "TRANSPLANT_EVENT": "Allogeneic transplant in response",
}
"""By rule id: what a reader calls the event. Relapse stands against non-relapse death and transplant."""
LANDMARKS = (3, 6, 12)


def _incidence(own: pl.DataFrame, study: Study) -> CumulativeIncidence:
    months = own["AVAL"].to_numpy() / study.time_to_event.days_per_month
    cause = [rule if cnsr == 0 else None for rule, cnsr in own.select("RULEID", "CNSR").iter_rows()]
    return cumulative_incidence(months, cause)


def _observed(adam: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    return adam["ADTTE"].filter((pl.col("PARAMCD") == PARAMCD) & pl.col("AVAL").is_not_null())


def derive_competing(adam: Mapping[str, pl.DataFrame], state: State, study: Study) -> pl.DataFrame:
    """Patients with each event, and its incidence at 3, 6 and 12 months after the first response, by group."""
    rows = Rows("competing", "GROUP")
    every = _observed(adam)
    for group, members in efficacy_groups(derive_people(adam), state, study).items():
        own = in_group(every, members)
        found = _incidence(own, study)
        for cause in CAUSES:
            count = own.filter((pl.col("CNSR") == 0) & (pl.col("RULEID") == cause)).height
            rows.add(cause, None, "count", {"n": count, "N": own.height}, group)
            if cause not in found.causes:
                continue
            for month, estimate in zip(LANDMARKS, found.at(LANDMARKS, cause), strict=True):
                stats = {"p": estimate.value, "conf.low": estimate.low, "conf.high": estimate.high}
                rows.add(cause, str(month), "cumulative incidence", stats, group, reason=estimate.reason)
    return rows.frame()


def derive_incidence_curves(
    adam: Mapping[str, pl.DataFrame], state: State, study: Study, group: str
) -> tuple[pl.DataFrame, int]:
    """Steps of every cause in one group (cause, month, incidence), from (0, 0) to the last follow-up; and the size."""
    own = in_group(_observed(adam), efficacy_groups(derive_people(adam), state, study)[group])
    found = _incidence(own, study)
    rows = []
    for place, cause in enumerate(found.causes):
        steps = zip(found.time.tolist(), found.incidence[:, place].tolist(), strict=True)
        rows += [(CAUSES[str(cause)], month, value) for month, value in ((0.0, 0.0), *steps)]
        rows.append((CAUSES[str(cause)], float(found.observed[-1]), float(found.incidence[-1, place])))
    schema = {"cause": pl.String, "month": pl.Float64, "incidence": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row"), found.n
