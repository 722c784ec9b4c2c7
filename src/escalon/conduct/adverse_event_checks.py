"""Adverse events as entered: what an entry must not say against itself or against the study."""

from datetime import datetime
from typing import Any

from escalon.protocol import StudyFolder


def wrong_event(values: dict[str, Any], folder: StudyFolder) -> str | None:
    """Return what the items of an adverse event say against each other, or against the study's grading."""
    system, _, version = values["AEGRSYS"].partition(" ")
    if system == "CTCAE" and version != folder.study.grading.ctcae:
        return f"AE.AEGRSYS: the study grades by CTCAE {folder.study.grading.ctcae}, not {version}"
    start = datetime.fromisoformat(values["AESTDTC"])
    end = datetime.fromisoformat(values["AEENDTC"]) if values.get("AEENDTC") else None
    if end is not None and end < start:
        return f"AE.AEENDTC: the end {values['AEENDTC']} lies before the onset {values['AESTDTC']}"
    for item in ("AEIMPDTC", "AEGRDTC"):
        moment = datetime.fromisoformat(values[item]) if values.get(item) else None
        if moment is not None and (moment < start or (end is not None and moment > end)):
            return f"AE.{item}: {values[item]} lies outside the event"
    return None
