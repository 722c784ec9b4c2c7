"""What an adverse event record says for the safety case."""

from datetime import date, datetime
from typing import Any

from escalon.conduct.dlt_record import RELATIONS
from escalon.protocol import StudyFolder

CRITERIA = {
    "AESDTH": "DEATH",
    "AESLIFE": "LIFE_THREATENING",
    "AESHOSP": "HOSPITALISATION",
    "AESDISAB": "DISABILITY",
    "AESCONG": "CONGENITAL_ANOMALY",
    "AESMIE": "IMPORTANT_MEDICAL_EVENT",
}
FATAL = ("DEATH", "LIFE_THREATENING")


def seriousness(values: dict[str, Any]) -> tuple[str, ...]:
    """Return the criteria of seriousness the investigator named; serious without one is an important event."""
    named = tuple(code for item, code in CRITERIA.items() if values.get(item) == "Y")
    if values.get("AESER") == "Y" and not named:
        return ("IMPORTANT_MEDICAL_EVENT",)
    return named


def is_fatal(serious: tuple[str, ...]) -> bool:
    """Tell whether the event results in death or is life threatening: the short clock."""
    return any(code in FATAL for code in serious)


def site_awareness(values: dict[str, Any], recorded_at: datetime) -> datetime:
    """Return when the site became aware; the moment of the entry when the form does not say."""
    given = values.get("AEAWDTC")
    return datetime.fromisoformat(given) if given else recorded_at


def onset_date(values: dict[str, Any]) -> date:
    """Return the calendar date of onset."""
    return datetime.fromisoformat(values["AESTDTC"]).date()


def investigator_causality(values: dict[str, Any]) -> dict[str, str]:
    """Return the investigator's opinion per product and cause."""
    return {cause: values[item] for item, cause in RELATIONS.items() if values.get(item)}


def investigational(folder: StudyFolder) -> tuple[str, ...]:
    """Products whose suspected unexpected serious reactions are reported at once."""
    return tuple(product.name for product in folder.study.products if product.investigational)
