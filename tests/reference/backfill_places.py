"""Who may be backfilled where: a second opinion from docs/conduct/cohorts.md (BF-1 to BF-4), plain facts in.

Facts are mappings as in ``conduct_oracle``. The oracle keeps its own books, tells what each fact violates and imports
nothing of ours.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from tests.reference.backfill_naive import open_levels

Fact = Mapping[str, Any]


@dataclass
class BackfillRules:
    """What the plan says: target, levels, cap, order, whether a response is needed and DLTs count; strata by date."""

    target: float
    levels: int
    cap: int
    order: str
    need_response: bool
    counted: bool
    numerator: set[str]
    regimens: list[tuple[date, str]]
    processes: list[tuple[date, str]]


class BackfillOracle:
    """Reads facts one by one; ``read`` returns what each violates."""

    def __init__(self, rules: BackfillRules, frozen: Callable[[int, datetime], bool] | None = None) -> None:
        """``frozen`` tells whether a hold covers a level in the stratum in use; None: no hold is looked at."""
        self.rules = rules
        self.frozen = frozen or (lambda level, at: False)
        self.batch: Iterator[tuple[int, int]] | None = None
        self.patients: dict[str, dict[str, Any]] = {}
        self.cohorts: dict[int, dict[str, Any]] = {}
        self.places: dict[int, dict[str, Any]] = {}
        self.clearances: dict[int, dict[str, Any]] = {}
        self.seed: int | None = None
        self.over = False
        self.given = 0

    def read(self, fact: Fact) -> list[str]:
        if fact["kind"] != "SlotReserved":
            self.batch = None  # places given in one act are taken from one list
        handler = getattr(self, "_" + str(fact["kind"]), None)
        found = [] if handler is None else handler(fact) or []
        return [f"{rule} at fact {fact['seq']} ({fact['kind']})" for rule in found]

    def open_now(self, at: datetime, without: int | None = None) -> list[int]:
        """1-based levels open for backfill now, the lowest first.

        ``without``: a place given already, which a full level does not close (BF-3).
        """
        cohort = self.cohorts[max(self.cohorts)] if self.cohorts else None
        if cohort is None or cohort["part"] != "escalation" or cohort["decided"] or self.over:
            return []
        levels = range(1, self.rules.levels + 1)
        judged = [p for p in self.patients.values() if self._judged(p)]
        n = [sum(p["level"] == k for p in judged) for k in levels]
        y = [sum(p["level"] == k and p["status"] == "DLT" for p in judged) for k in levels]
        held = [self._held(k, without) for k in levels]
        seen = [any(p["level"] == k and self._responded(p) for p in judged) for k in levels]
        if not self.rules.need_response:
            seen = [self._held(k, None) > 0 for k in levels]
        cap = self.rules.cap if without is None else sum(held) + 1
        found = open_levels(n, y, held, seen, cohort["level"] - 1, self.rules.target, cap)
        return [k + 1 for k in found if k + 1 <= self._cleared(at)]

    def due(self, at: datetime) -> list[tuple[int, int]]:
        """Number and level of the places that may be given now, in order; those that a hold covers are passed over."""
        levels = self.open_now(at)
        if self.rules.order not in ("highest", "lowest") and self.seed is None:
            return []
        left = {level: self.rules.cap - self._held(level, None) for level in levels}
        number, places = self.given, []
        while levels:
            number += 1
            if self.rules.order == "highest":
                level = levels[-1]
            elif self.rules.order == "lowest":
                level = levels[0]
            else:
                drawn = int.from_bytes(sha256(f"{self.seed}:{number}".encode()).digest(), "big")
                level = levels[drawn % len(levels)]
            left[level] -= 1
            levels = [one for one in levels if left[one] > 0]
            if not self.frozen(level, at):
                places.append((number, level))
        return places

    def _judged(self, patient: dict[str, Any]) -> bool:
        if patient["status"] not in ("DLT", "NO_DLT") or patient["part"] == "expansion":
            return False
        return patient["part"] == "escalation" or not patient["reopened"]

    def _held(self, level: int, without: int | None) -> int:
        here = [p for p in self.patients.values() if p["level"] == level and not p["left"]]
        waiting = [
            number
            for number, one in self.places.items()
            if one["level"] == level and not one["over"] and number != without
            and (self.patients.get(one["patient"]) or {"level": None})["level"] is None
        ]  # fmt: skip
        return len(here) + len(waiting)

    def _cleared(self, at: datetime) -> int:
        in_use = tuple(
            max([row for row in rows if row[0] <= at.date()] or rows[:1])[1]
            for rows in (self.rules.regimens, self.rules.processes)
        )
        stand = [one for one in self.clearances.values() if one["stratum"] == in_use and not one["revoked"]]
        return max((one["level"] for one in stand), default=0)

    def _responded(self, patient: dict[str, Any]) -> bool:
        last = [r["values"] for r in patient["records"].values() if r["values"]]
        ends = [r["PRSTDTC"] for r in last if "PRSTDTC" in r]
        ends += [r["CMSTDTC"] for r in last if r.get("CMCAT") == "NEW ANTI-LEUKEMIC THERAPY"]
        return any(
            r.get("RSORRES") in self.rules.numerator and all(r["RSDTC"] <= end for end in ends) for r in last
        )

    # What facts mean

    def _CohortOpened(self, fact: Fact) -> None:  # noqa: N802
        self.cohorts[fact["cohort"]] = {"level": fact["dose_level"], "part": fact["part"], "decided": False}

    def _CommitteeDecided(self, fact: Fact) -> None:  # noqa: N802
        for one in self.cohorts.values():
            one["decided"] = True

    def _MtdEstimated(self, fact: Fact) -> None:  # noqa: N802
        self.over = True

    def _LevelCleared(self, fact: Fact) -> None:  # noqa: N802
        stratum = (fact["regimen"], fact["process"])
        self.clearances[fact["clearance"]] = {
            "stratum": stratum,
            "level": fact["dose_level"],
            "revoked": False,
        }

    def _ClearanceRevoked(self, fact: Fact) -> None:  # noqa: N802
        self.clearances[fact["clearance"]]["revoked"] = True

    def _BackfillSeedRecorded(self, fact: Fact) -> list[str]:  # noqa: N802
        found = ["BF-1 a second seed"] if self.seed is not None else []
        self.seed = fact["seed"]
        return found

    def _SlotReserved(self, fact: Fact) -> list[str]:  # noqa: N802
        if fact["cohort"] != 0:
            return []
        level, found = fact["dose_level"], []
        ready = self.open_now(fact["at"])
        if level not in ready:
            found.append(f"BF-1 level {level} is not open: {ready}")
        self.batch = self.batch or iter(self.due(fact["at"]))
        due = next(self.batch, None)
        if due != (fact["seat"], level):
            found.append(f"BF-1 place and level {due} were due")
        self.given = fact["seat"]
        self.places[fact["slot"]] = {"level": level, "patient": None, "over": False}
        return found

    def _SlotConfirmed(self, fact: Fact) -> list[str]:  # noqa: N802
        place = self.places.get(fact["slot"])
        if place is None:
            return []
        place["patient"] = fact["patient"]
        closed = place["level"] not in self.open_now(fact["at"], fact["slot"])
        return ["BF-3 closed since"] if closed else []

    def _SlotReleased(self, fact: Fact) -> None:  # noqa: N802
        if fact["slot"] in self.places:
            self.places[fact["slot"]]["over"] = True

    def _PatientEnrolled(self, fact: Fact) -> list[str]:  # noqa: N802
        self.patients[fact["patient"]] = {
            "part": fact["part"], "level": None, "status": "PENDING", "left": False, "reopened": False, "records": {}
        }  # fmt: skip
        own = [one for one in self.places.values() if one["patient"] == fact["patient"]]
        return [] if bool(own) == (fact["part"] == "backfill") == (fact["cohort"] == 0) else ["BF-2 flag"]

    def _DoseAssigned(self, fact: Fact) -> list[str]:  # noqa: N802
        patient = self.patients[fact["patient"]]
        found = []
        if patient["part"] == "backfill":
            number = next(k for k, one in self.places.items() if one["patient"] == fact["patient"])
            if fact["dose_level"] != self.places[number]["level"]:
                found.append("BF-2 another level than the place's")
            if fact["dose_level"] not in self.open_now(fact["at"], number):
                found.append("BF-3 closed since")
        patient["level"] = fact["dose_level"]
        return found

    def _SeatReleased(self, fact: Fact) -> None:  # noqa: N802
        self.patients[fact["patient"]]["left"] = True

    def _DltAdjudicated(self, fact: Fact) -> None:  # noqa: N802
        self.patients[fact["patient"]]["status"] = fact["status"]

    def _WindowReopened(self, fact: Fact) -> None:  # noqa: N802
        self.patients[fact["patient"]]["reopened"] = True

    def _WindowJudged(self, fact: Fact) -> None:  # noqa: N802
        self.patients[fact["patient"]]["reopened"] = False

    def _FormRecorded(self, fact: Fact) -> None:  # noqa: N802
        plain = {k: v for k, v in fact["values"].items() if not isinstance(v, dict)}
        self.patients[fact["patient"]]["records"][fact["record"]] = {"values": plain}

    def _DoseRecommended(self, fact: Fact) -> list[str]:  # noqa: N802
        """INV-13: the counts of the recommendation are those of the escalation, with backfill only if it counts."""
        parts = ("escalation", "backfill") if self.rules.counted else ("escalation",)
        counted = [p for p in self.patients.values() if p["part"] in parts and self._judged(p)]
        levels = range(1, self.rules.levels + 1)
        n = [sum(p["level"] == k for p in counted) for k in levels]
        y = [sum(p["level"] == k and p["status"] == "DLT" for p in counted) for k in levels]
        return [] if [n, y] == [fact["inputs"]["n"], fact["inputs"]["y"]] else ["INV-13"]
