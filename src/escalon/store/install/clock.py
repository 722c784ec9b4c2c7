"""The clock of this machine: is it kept by NTP, and does the database agree with it?"""

import ctypes
import sys
from datetime import UTC, datetime

from escalon.store.install.finding import Finding, judged

UNSYNCHRONISED = 0x40
"""STA_UNSYNC of adjtimex(2)."""
APART_SECONDS = 2.0
"""Seconds by which the clocks of program and database may differ."""


class _Timex(ctypes.Structure):
    """The beginning of struct timex; the rest is padding."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 512),
    )


def check_clock() -> Finding:
    """Ask the kernel whether the clock is disciplined; in a container that is the clock of its host."""
    what = "kept by NTP"
    if not sys.platform.startswith("linux"):
        return Finding(
            "clock", what, "not applicable", f"{sys.platform}: look at the time service of the system"
        )
    timex = _Timex()
    state = ctypes.CDLL(None).adjtimex(ctypes.byref(timex))
    if state < 0:
        return Finding(
            "clock", what, "not applicable", "the kernel does not say; look at the host of this container"
        )
    kept = not timex.status & UNSYNCHRONISED
    error = f"error at most {timex.maxerror / 1e6:.3f} s"
    return judged(
        "clock", what, kept, error if kept else "the kernel calls it unsynchronised", "start chrony or ntpd"
    )


def check_same_time(here: datetime, there: datetime) -> Finding:
    """Compare the clock of the program with that of the database (both UTC)."""
    apart = abs((here - there).total_seconds())
    detail = f"{apart:.1f} s apart"
    return judged(
        "clock", "program and database", apart <= APART_SECONDS, detail, "keep both by the same NTP servers"
    )


def check_last_event(last: str | None, now: datetime) -> Finding:
    """An event in the future was written by a clock that was wrong."""
    if last is None:
        return Finding("clock", "last event", "not applicable", "the ledger is empty")
    late = datetime.fromisoformat(last).astimezone(UTC) > now
    return judged("clock", "last event", not late, last, "it lies in the future: the clock was wrong")
