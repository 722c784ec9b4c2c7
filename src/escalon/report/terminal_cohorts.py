"""The cohort board for the terminal: where every cohort stands and why, and who holds which seat."""

from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from escalon.conduct.slots.cohort_state import CohortPhase, cohort_status
from escalon.conduct.slots.queue import slot_stage
from escalon.conduct.slots.seat_rows import SeatRow, seat_rows
from escalon.conduct.slots.stagger import earliest_infusion, local, site_zone
from escalon.conduct.slots.windows import Window, WindowState, dlt_window
from escalon.conduct.state import Cohort, Patient, State
from escalon.protocol import StudyFolder

WIDTH = 120
OVER = (CohortPhase.DECIDED, CohortPhase.CLOSED)


def cohort_rows(state: State, folder: StudyFolder, at: datetime) -> list[dict[str, Any]]:
    """Return one row per cohort that was opened, in order, as of ``at`` (UTC); ``seats`` holds a row per seat."""
    return [_cohort_row(state, cohort, folder, at) for cohort in state.cohorts]


def _cohort_row(state: State, cohort: Cohort, folder: StudyFolder, at: datetime) -> dict[str, Any]:
    status = cohort_status(state, cohort.cohort, folder, at)
    return {
        "cohort": cohort.cohort,
        "part": cohort.part,
        "dose_level": cohort.dose_level,
        "opened": cohort.opened_at.isoformat(),
        "phase": str(status.phase),
        # A hold says nothing of a cohort that is over.
        "state": str(status.phase) if status.phase is CohortPhase.CLOSED else status.text,
        "reasons": list(status.reasons),
        "holds": list(status.holds),
        "further_infusions": list(status.further),
        "over": status.phase in OVER,
        "seats": [_seat_row(state, row, folder, at) for row in seat_rows(state, cohort)],
    }


def _seat_row(state: State, row: SeatRow, folder: StudyFolder, at: datetime) -> dict[str, Any]:
    slot = row.slot
    patient = None if slot is None or slot.patient is None else state.patients.get(slot.patient)
    said: dict[str, Any] = {
        "seat": row.seat,
        "replaces": row.replaces,
        "slot": None if slot is None else slot.number,
        "status": "free" if slot is None else slot_stage(state, slot),
        "site": None if slot is None else slot.site,
        "patient": None if patient is None else patient.patient,
    }
    if patient is None:
        return {**said, "regimen": None, "process": None, "infused": None, "window": None, "next": None}
    window = dlt_window(state, patient, folder, at)
    return {
        **said,
        "regimen": patient.regimen,
        "process": patient.process,
        "infused": None if patient.infused_at is None else patient.infused_at.isoformat(),
        "window": {
            "state": str(window.state),
            "day": window.day,
            "evaluability": str(window.evaluability),
            "dlt": window.dlt,
            "candidate": window.candidate,
            "reasons": list(window.reasons),
        },
        "next": _next(state, patient, window, folder, at),
    }


def _next(state: State, patient: Patient, window: Window, folder: StudyFolder, at: datetime) -> str | None:
    """What is awaited of a patient, as a sentence; None when nothing is."""
    if patient.infused_at is None:
        return earliest_infusion(state, patient, folder, at).text
    if window.candidate:
        return "a DLT is proposed; somebody has to judge it"
    if window.state is WindowState.REOPENED:
        return "to be judged again"
    if window.adjudicated:
        return None
    return "the window is over; somebody has to judge it" if window.dlt is False else "the window runs"


def render_cohorts(
    rows: list[dict[str, Any]], state: State, at: datetime, only: int | None = None, everything: bool = False
) -> str:
    """Return the board as text: all cohorts, then the seats of those that are not over, or of ``only``."""
    console = Console(width=WIDTH, force_terminal=False, color_system=None)
    with console.capture() as text:
        console.print(f"Cohorts, as of event {state.seq}, {at:%d %b %Y %H:%M} UTC", highlight=False)
        console.print(_overview(rows))
        for row in rows:
            if row["cohort"] == only or (only is None and (everything or not row["over"])):
                console.print()
                console.print(_seats(row, state))
                for said in (*row["further_infusions"], *row["holds"]):
                    console.print(f"  {said}", highlight=False)
    return "\n".join(line.rstrip() for line in text.get().splitlines()) + "\n"


def _overview(rows: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("Cohort", "Part", "Level", "Opened", "State", "Why"):
        table.add_column(name, overflow="fold", no_wrap=name in ("Cohort", "Opened"))
    for row in rows:
        holds = () if row["over"] else tuple(f"hold: {hold}" for hold in row["holds"])
        why = "; ".join((*row["reasons"], *holds))
        opened = f"{datetime.fromisoformat(row['opened']):%d %b %Y}"
        table.add_row(str(row["cohort"]), row["part"], str(row["dose_level"]), opened, row["state"], why)
    return table


def _seats(row: dict[str, Any], state: State) -> Table:
    title = f"Cohort {row['cohort']}, level {row['dose_level']}: {row['state']}"
    table = Table(title=title, title_justify="left", title_style="", box=None, pad_edge=False)
    for name in ("Seat", "Slot", "Patient", "Stratum", "Infused", "DLT window", "Awaited"):
        table.add_column(name, overflow="fold")
    for seat in row["seats"]:
        table.add_row(
            f"{seat['seat']}" + (f" (for {seat['replaces']})" if seat["replaces"] else ""),
            seat["status"] if seat["slot"] is None else f"{seat['slot']} {seat['status']}",
            "" if seat["patient"] is None else f"{seat['site']}-{seat['patient']}",
            " ".join(one for one in (seat["regimen"], seat["process"]) if one),
            _infused(seat, state),
            _window(seat["window"]),
            seat["next"] or "",
        )
    return table


def _infused(seat: dict[str, Any], state: State) -> str:
    if seat["infused"] is None:
        return ""
    return local(datetime.fromisoformat(seat["infused"]), site_zone(state, seat["site"]), zone_name=True)


def _window(window: dict[str, Any] | None) -> str:
    if window is None or window["day"] is None:
        return ""
    dlt = {True: ", DLT", False: ", no DLT", None: ""}[window["dlt"]]
    day = "" if window["dlt"] is not None else f", day {window['day']}"
    return f"{window['state']}{day}; {window['evaluability']}{dlt}"
