from typing import Any

import pytest
from pydantic import ValidationError

from escalon.protocol import StudyFolder
from escalon.protocol.scenarios import BackgroundEvent, Scenarios, check_scenarios


def _changed(folder: StudyFolder, **changes: Any) -> Scenarios:
    first = folder.scenarios.scenarios[0].model_copy(update=changes)
    return folder.scenarios.model_copy(update={"scenarios": (first,)})


def test_the_study_folder_is_sound(folder: StudyFolder) -> None:
    assert check_scenarios(folder.scenarios, 4) == []
    assert len(folder.scenarios.scenarios) >= 4
    assert folder.scenarios.scenario().prob_tox == (0.05, 0.12, 0.25, 0.45)


@pytest.mark.parametrize(
    ("changes", "path", "rule"),
    [
        ({"prob_tox": (0.1, 0.2)}, "scenarios.0.prob_tox", "4 are needed, 2 given"),
        ({"prob_response": (0.1, 0.2, 0.3, 0.4, 0.5)}, "scenarios.0.prob_response", "4 are needed, 5 given"),
        ({"prob_tox": (0.1, 0.3, 0.2, 0.4)}, "scenarios.0.prob_tox", "does not fall"),
        ({"prob_tox": (0.1, 0.3, 0.4, 1.4)}, "scenarios.0.prob_tox", "between 0 and 1"),
    ],
)
def test_faults_are_named(folder: StudyFolder, changes: dict[str, Any], path: str, rule: str) -> None:
    faults = check_scenarios(_changed(folder, **changes), 4)
    assert [fault[0] for fault in faults] == [path]
    assert rule in faults[0][2]


def test_unknown_scenario_names_the_known(folder: StudyFolder) -> None:
    with pytest.raises(ValueError, match="steep"):
        folder.scenarios.scenario("no-such")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("default",), "no-such"),
        (("patients", "clls52", "v1"), -1.0),
        (("patients", "clls52", "half_life"), (8, 5)),
        (("patients", "population", "race"), {"WHITE": 0.5}),
        (("patients", "crs", "grades"), (0.5, 0.5)),
        (("patients", "dose_limiting", "onset"), (3, 27)),
        (("patients", "dose_limiting", "kinds"), {"HICCUPS": 1.0}),
        (("patients", "unknown"), 1),
        (("patients", "sites"), ({"id": "01", "country": "USA", "share": 0.4},)),
    ],
)
def test_bad_values_are_refused(folder: StudyFolder, path: tuple[str, ...], value: Any) -> None:
    document = folder.scenarios.model_dump()
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(ValidationError, match=path[-1]):
        Scenarios.model_validate(document)


def test_background_events_of_the_cells_are_mild() -> None:
    with pytest.raises(ValidationError, match="dose_limiting"):
        BackgroundEvent(
            term="Rash", system="Skin", category="GENERAL", cause="UCART22", probability=0.1,
            grades=(0.5, 0.3, 0.2), onset=(1, 2), duration=(1, 2),
        )  # fmt: skip
