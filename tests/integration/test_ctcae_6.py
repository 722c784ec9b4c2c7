"""A small study graded by CTCAE 6.0 runs from the first patient to the analysis data sets, by its own thresholds."""

import polars as pl
import pytest

from escalon.conduct.events import DltStatus
from escalon.datasets import build_adam, build_sdtm
from escalon.protocol import StudyFolder, load_study
from escalon.virtual.cytopenias import fourth_limits
from tests.integration.test_virtual_trial import MemoryDesk, run
from tests.study_files import balli_files

CHANGES = (
    ('ctcae: "5.0"', 'ctcae: "6.0"'),
    ('ctcae_version: !assumption "5.0"', 'ctcae_version: !assumption "6.0"'),
    ("patients: !assumption 24, dose", "patients: !assumption 6, dose"),
    ("max_patients: !assumption 24", "max_patients: !assumption 6"),
    ("patients: !assumption 16, dose", "patients: !assumption 3, dose"),
)


@pytest.fixture(scope="module")
def six() -> StudyFolder:
    files = balli_files()
    for old, new in CHANGES:
        assert old in files["study.yaml"]
        files["study.yaml"] = files["study.yaml"].replace(old, new, 1)
    return load_study(files)


@pytest.fixture(scope="module")
def desk(six: StudyFolder) -> MemoryDesk:
    return run(six, 2, "all-toxic")


def test_the_trial_runs_to_its_end(desk: MemoryDesk) -> None:
    assert desk.state.closed_at is not None
    statuses = {patient.dlt_status for patient in desk.state.patients.values()}
    assert DltStatus.DLT in statuses
    assert DltStatus.PENDING not in statuses


def test_events_are_graded_by_version_6_alone(six: StudyFolder, desk: MemoryDesk) -> None:
    adam = build_adam(build_sdtm(desk.state, six.study), desk.state, six.study)
    adae, adlb = adam["ADAE"], adam["ADLB"]
    assert {system for system in adae["AEGRSYS"] if system.startswith("CTCAE")} == {"CTCAE 6.0"}
    terms = set(adae.filter(pl.col("AECAT") == "CYTOPENIA")["AEDECOD"])
    assert {"Thrombocytopenia", "Neutrophil count decreased"} <= terms
    assert not terms & {"Platelet count decreased", "Lymphocyte count decreased"}
    assert set(adlb["ATOXVER"]) == {"CTCAE 6.0"}
    low = adlb.filter(pl.col("PARAMCD") == "PLAT", pl.col("AVAL") >= 10, pl.col("AVAL") < 25)
    assert set(low["ATOXGR"]) == {3}  # grade 4 of version 5.0


def test_the_fourth_grade_of_each_version_comes_from_the_table(six: StudyFolder, balli: StudyFolder) -> None:
    assert fourth_limits(six.study) == {"NEUT": 0.1, "PLAT": 10}
    assert fourth_limits(balli.study) == {"NEUT": 0.5, "PLAT": 25}
