"""From ADaM frames and the state of the trial to results (ARD). Every number of the report is computed here."""

from collections.abc import Mapping

import polars as pl

from escalon.conduct.state import State
from escalon.protocol.study import Study
from escalon.report.ard import combine
from escalon.report.results.competing import derive_competing
from escalon.report.results.disposition import derive_baseline, derive_disposition
from escalon.report.results.escalation import derive_dlt, derive_isotonic
from escalon.report.results.events_in_time import derive_deaths, derive_events_in_time
from escalon.report.results.exposure import derive_parameters
from escalon.report.results.level_comparison import derive_level_comparison
from escalon.report.results.relations import derive_relations
from escalon.report.results.response import derive_response
from escalon.report.results.safety import derive_groupings, derive_overview, derive_terms
from escalon.report.results.survival import derive_survival
from escalon.report.results.toxicity_grades import derive_grades

STEPS = (
    derive_disposition,
    derive_baseline,
    derive_dlt,
    derive_isotonic,
    derive_overview,
    derive_terms,
    derive_groupings,
    derive_grades,
    derive_events_in_time,
    derive_deaths,
    derive_response,
    derive_survival,
    derive_level_comparison,
    derive_competing,
    derive_parameters,
    derive_relations,
)


def derive_ard(adam: Mapping[str, pl.DataFrame], state: State, study: Study) -> pl.DataFrame:
    """All results of a trial as one long frame (columns of ``escalon.report.ard.SCHEMA``).

    Parameters: ``adam`` frames by name (ADSL ADAE ADRS ADTTE ADPC ADPP ADLB ADICAHT). Raises ValueError when a
    frame is absent.
    """
    absent = [name for name in ("ADSL", "ADAE", "ADRS", "ADTTE", "ADPP", "ADICAHT") if name not in adam]
    if absent:
        raise ValueError(
            f"adam lacks {', '.join(absent)}: the report needs every ADaM frame, empty ones included"
        )
    return combine(step(adam, state, study) for step in STEPS)
