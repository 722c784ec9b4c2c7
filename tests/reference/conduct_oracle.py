"""A second opinion on conduct, written from docs/conduct/cohorts.md alone: plain facts in, violations out.

Facts are mappings with ``seq``, ``at`` (datetime), ``actor`` (id), ``kind`` and the payload of the event as it is
written to a ledger; moments inside payloads are ISO text. The oracle keeps its own books and decides nothing.
Further infusions are read by ``further_oracle``, the places of backfill by ``backfill_places``. Not checked: ST-6
(needs the DLT definition) and days as dates (ST-7).
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.reference.conduct_books import Books, Rules

Fact = Mapping[str, Any]
NEVER = datetime(1900, 1, 1, tzinfo=UTC)
"""Before every trial: no rule gives a moment."""
Place = tuple[int, str, str]
"""Level (0: not known), regimen and process ('': not known)."""


class Oracle:
    """Reads facts one by one; ``read`` returns what each of them violates."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.books = Books()
        self.seq = 0

    def read(self, fact: Fact) -> list[str]:
        """Take one fact into the books; return the rules it breaks."""
        found: list[str] = []
        if fact["seq"] != self.seq + 1:
            found.append(f"AT-1: fact {fact['seq']} follows {self.seq}")
        self.seq = fact["seq"]
        handler = getattr(self, "_" + str(fact["kind"]), None)
        if handler is not None:
            found += [f"{rule} at fact {fact['seq']} ({fact['kind']})" for rule in handler(fact, self.books)]
        return found

    def snapshot(self) -> dict[str, Any]:
        """What the books say, to compare with the state the facts are said to have led to."""
        books = self.books
        return {
            "seats": sorted(
                (one["cohort"], one["seat"], number) for number, one in books.slots.items() if one["seat"]
            ),
            "queue": [number for number, one in books.slots.items() if one["waits"]],
            "doses": {name: one["level"] for name, one in books.patients.items() if one["level"]},
            "infused": {
                name: one["infused"].isoformat() for name, one in books.patients.items() if one["infused"]
            },
            "owed": sorted(books.owed) + sorted(books.owed_close),
            "holds": [
                (number, one["level"], one["regimen"], one["process"])
                for number, one in books.holds.items()
                if one["lifted"] is None
            ],
            "parts": {name: (one["part"], one["cohort"]) for name, one in books.patients.items()},
            "judged": {
                name: one["status"] for name, one in books.patients.items() if one["status"] != "PENDING"
            },
            "reopened": sorted(books.reopened),
            "further": sorted(
                (
                    name,
                    one["number"],
                    one["level"],
                    one["at"] and one["at"].isoformat(),
                    one["judged"],
                    one["reopened"],
                )
                for name, rows in books.further.items()
                for one in rows
            ),
            "cleared": sorted(
                (one["stratum"], one["level"]) for one in books.clearances.values() if not one["revoked"]
            ),
        }

    # Sites, decisions, clearances

    def _VersionApproved(self, fact: Fact, books: Books) -> list[str]:  # noqa: N802
        books.approved.add(fact["site"])
        return []

    def _DecisionAcknowledged(self, fact: Fact, books: Books) -> list[str]:  # noqa: N802
        books.acknowledged[fact["decision"], fact["site"]] = fact["at"]
        return []

    def _CommitteeDecided(self, fact: Fact, books: Books) -> list[str]:  # noqa: N802
        books.decision = fact["decision"]
        books.decided.append((fact["at"], fact["decision"]))
        for cohort in books.cohorts.values():
            cohort["decided"] = True
        if fact["action"] == "de_escalate":
            for one in books.clearances.values():
                one["due"] = one["due"] or one["level"] > fact["dose_level"]
        return []

    def _ClearanceRevoked(self, fact: Fact, books: Books) -> list[str]:  # noqa: N802
        books.clearances[fact["clearance"]]["revoked"] = True
        return [] if books.clearances[fact["clearance"]]["due"] else ["DL-2"]

    def _CohortOpened(self, fact: Fact, books: Books) -> list[str]:  # noqa: N802
        books.cohorts[fact["cohort"]] = {
            "level": fact["dose_level"], "seats": fact["size"], "part": fact["part"],
            "opened": fact["at"], "decided": False, "strata": self._strata(fact["at"].date()),
        }  # fmt: skip
        return []

    def _LevelCleared(self, fact: Fact, books: Books) -> list[str]:  # noqa: N802
        stratum = (fact["regimen"], fact["process"])
        last = books.cohorts[max(books.cohorts)]
        found = []
        if fact["dose_level"] > last["level"] or stratum not in last["strata"]:
            found.append("DL-1")
        books.clearances[fact["clearance"]] = {
            "stratum": stratum, "level": fact["dose_level"], "revoked": False, "due": False
        }  # fmt: skip
        return found

    def _in_use(self, rows: list[tuple[date, str]], day: date) -> str:
        started = [row for row in rows if row[0] <= day] or rows[:1]
        return max(started)[1]

    def _strata(self, day: date) -> set[tuple[str, str]]:
        regimen, process = self._in_use(self.rules.regimens, day), self._in_use(self.rules.processes, day)
        regimens, processes = [regimen], [process]
        if self.rules.across in ("regimen", "both"):
            regimens = [name for _, name in self.rules.regimens]
        if self.rules.across in ("process", "both"):
            processes = [name for _, name in self.rules.processes]
        return {(one, other) for one in regimens for other in processes}

    def _cleared(self, stratum: tuple[str, str]) -> int:
        levels = [
            one["level"]
            for one in self.books.clearances.values()
            if one["stratum"] == stratum and not one["revoked"] and not one["due"]
        ]
        return max(levels, default=0)

    # Holds

    def _EnrolmentHeld(self, fact: Fact, books: Books) -> list[str]:  # noqa: N802
        books.holds[fact["hold"]] = {
            "from": fact["at"], "lifted": None,
            "level": fact["dose_level"], "regimen": fact["regimen"], "process": fact["process"],
        }  # fmt: skip
        return []

    def _HoldLifted(self, fact: Fact, books: Books) -> list[str]:  # noqa: N802
        books.holds[fact["hold"]]["lifted"] = fact["at"]
        return []

    def _held(self, place: Place, moment: datetime | None = None) -> bool:
        """Held now, or at ``moment``, at a level of a stratum."""
        return any(
            one["lifted"] is None
            if moment is None
            else one["from"] <= moment and (one["lifted"] is None or moment < one["lifted"])
            for one in self.books.holds.values()
            if self._covers(one, place)
        )

    def _covers(self, hold: dict[str, Any], place: Place) -> bool:
        level, regimen, process = place
        if level and level < hold["level"]:
            return False
        if hold["regimen"] and regimen and regimen != hold["regimen"]:
            return False
        return not (hold["process"] and process and process != hold["process"])

    def _place(self, level: int, at: datetime) -> Place:
        day = at.date()
        return level, self._in_use(self.rules.regimens, day), self._in_use(self.rules.processes, day)

    def _own_place(self, name: str) -> Place:
        patient = self.books.patients[name]
        if patient["level"] is None:
            return self._seat_level(self._slot_of(name)), "", ""
        approved = [one["level"] for one in self.books.further.get(name, []) if one["at"] is None]
        return (max([patient["level"], *approved]), *patient["stratum"])

    def _slot_of(self, name: str) -> dict[str, Any]:
        """The slot of a patient; the last one, when a code was given twice."""
        return [one for one in self.books.slots.values() if one["patient"] == name][-1]

    def _seat_level(self, slot: dict[str, Any]) -> int:
        """Level of the seat: of the cohort, or of the place below for backfill; 0 without one."""
        if slot["cohort"]:
            return int(self.books.cohorts[slot["cohort"]]["level"])
        return int(slot["level"])

    def _refuses_site(self, site: str, place: Place) -> list[str]:
        found = ["SL-4 hold"] if self._held(place) else []
        if site not in self.books.approved:
            found.append("SL-4 version")
        if (self.books.decision, site) not in self.books.acknowledged:
            found.append("SL-4 acknowledgement")
        return found

    # Slots

    def _SlotRequested(self, fact: Fact, books: Books) -> list[str]:  # noqa: N802
        same = [
            one for one in books.slots.values()
            if (one["site"], one["candidate"]) == (fact["site"], fact["candidate"]) and not one["over"]
        ]  # fmt: skip
        books.slots[fact["slot"]] = {
            "site": fact["site"], "candidate": fact["candidate"], "waits": True, "over": False,
            "backfill": fact["backfill"], "level": 0,
            "cohort": 0, "seat": 0, "by": fact["actor"], "patient": None, "until": None, "confirmed": False,
        }  # fmt: skip
        return ["SL-1"] if same else []

    def _SlotReserved(self, fact: Fact, books: Books) -> list[str]:  # noqa: N802
        slot = books.slots[fact["slot"]]
        cohort = books.cohorts.get(fact["cohort"])
        level = fact["dose_level"] if cohort is None else cohort["level"]
        where = self._place(level, fact["at"])
        found = self._refuses_site(slot["site"], where)
        if slot["backfill"] != (cohort is None) or fact["dose_level"] != level:
            found.append("SL-3 a seat of the other part, or of another level")
        place = (fact["cohort"], fact["seat"])
        if any((one["cohort"], one["seat"]) == place for one in books.slots.values()):
            found.append("SL-2 two slots on one seat")
        if cohort is not None and (not 1 <= fact["seat"] <= cohort["seats"] or cohort["decided"]):
            found.append("SL-2 no such seat")
        if not slot["waits"]:
            found.append("SL-3 does not wait")
        ahead = [
            number for number, one in books.slots.items()
            if one["waits"] and number < fact["slot"] and one["backfill"] == slot["backfill"]
            and not self._refuses_site(one["site"], where)
        ]  # fmt: skip
        if ahead:
            found.append(f"SL-3 slot {ahead[0]} was first")
        slot.update(waits=False, cohort=fact["cohort"], seat=fact["seat"], level=level)
        slot["until"] = fact["at"] + timedelta(hours=self.rules.reservation_hours)
        slot["reserved"] = fact["at"]
        return found

    def _SlotConfirmed(self, fact: Fact, books: Books) -> list[str]:  # noqa: N802
        slot = books.slots[fact["slot"]]
        level = self._seat_level(slot)
        found = self._refuses_site(slot["site"], self._place(level, fact["at"]))
        if not slot["seat"] or slot["confirmed"]:
            return [*found, "SL-7 not reserved"]
        again = [
            one["lifted"]
            for one in books.holds.values()
            if one["lifted"]
            and one["lifted"] >= slot["reserved"]
            and self._covers(one, self._place(level, max(one["from"], slot["reserved"])))
        ]
        stopped = any(
            not one["lifted"] and self._covers(one, self._place(level, max(one["from"], slot["reserved"])))
            for one in books.holds.values()
        )  # a hold stops the clock until it is lifted, even if another stratum is in use by then
        until = max([slot["until"], *(end + timedelta(hours=self.rules.reservation_hours) for end in again)])
        if fact["at"] >= until and not stopped:
            found.append("SL-5 over")
        if fact["actor"] == slot["by"] or date.fromisoformat(fact["consented_on"]) > fact["at"].date():
            found.append("SL-7")
        if any(one["patient"] == fact["patient"] for one in books.slots.values()):
            found.append("SL-7 patient code")
        slot.update(confirmed=True, patient=fact["patient"], consent=fact["consented_on"])
        return found

    def _SlotReleased(self, fact: Fact, books: Books) -> list[str]:  # noqa: N802
        slot = books.slots[fact["slot"]]
        patient = books.patients.get(slot["patient"] or "")
        found = ["SL-2 released after the dose"] if patient is not None and patient["infused"] else []
        if slot["over"]:
            found.append("SL-2 released twice")
        slot.update(over=True, waits=False, seat=0)
        return found

    def _SeatAdded(self, fact: Fact, books: Books) -> list[str]:  # noqa: N802
        patient = books.patients[fact["replaces"]]
        found = ["SL-9"] if patient["status"] != "NOT_EVALUABLE" or not patient["infused"] else []
        if fact["replaces"] in books.replaced:
            found.append("SL-9 replaced twice")
        books.replaced.append(fact["replaces"])
        books.cohorts[fact["cohort"]]["seats"] += 1
        if fact["seat"] != books.cohorts[fact["cohort"]]["seats"]:
            found.append("SL-9 seat number")
        return found

    # Patients

    def _PatientEnrolled(self, fact: Fact, books: Books) -> list[str]:  # noqa: N802
        mine = [
            one for one in books.slots.values()
            if one["patient"] == fact["patient"] and one["confirmed"] and one["seat"]
        ]  # fmt: skip
        level = self._seat_level(mine[0]) if mine else 0
        found = ["SL-4 hold"] if self._held(self._place(level, fact["at"])) else []
        if len(mine) != 1 or mine[0]["site"] != fact["site"] or mine[0]["consent"] != fact["consented_on"]:
            found.append("SL-8")
        elif (
            mine[0]["cohort"] != fact["cohort"]
            or books.cohorts[fact["cohort"] or max(books.cohorts)]["decided"]
        ):
            found.append("SL-8 cohort")
        part = books.cohorts[fact["cohort"]]["part"] if fact["cohort"] else "backfill"
        if fact["part"] != part:
            found.append("BF-2 flag")
        linked = [one["replaces"] for one in books.patients.values() if one["replaces"] is not None]
        if fact["replaces"] in linked:
            found.append("SL-9 replaced twice")
        books.patients[fact["patient"]] = {
            "cohort": fact["cohort"], "part": fact["part"], "site": fact["site"], "level": None,
            "stratum": None, "infused": None,
            "status": "PENDING", "on": fact["at"], "replaces": fact["replaces"],
            "conditioned": False, "judged": None, "drugs": [],
        }  # fmt: skip
        return found

    def _DoseAssigned(self, fact: Fact, books: Books) -> list[str]:  # noqa: N802
        patient = books.patients[fact["patient"]]
        cohort = books.cohorts.get(patient["cohort"])
        stratum = (fact["regimen"], fact["process"])
        day = patient["on"].date()
        found = [
            rule.replace("SL-4", "DL-5")
            for rule in self._refuses_site(patient["site"], (fact["dose_level"], *stratum))
        ]
        if patient["level"] is not None or fact["dose_level"] != self._seat_level(
            self._slot_of(fact["patient"])
        ):
            found.append("DL-4 level")
        if stratum != (self._in_use(self.rules.regimens, day), self._in_use(self.rules.processes, day)):
            found.append("DL-4 stratum")
        if fact["dose_level"] > self._cleared(stratum):
            found.append("DL-4 above what is cleared")
        if cohort is not None and cohort["decided"]:
            found.append("DL-5 decided")
        patient.update(level=fact["dose_level"], stratum=stratum)
        return found

    def _EligibilityConfirmed(self, fact: Fact, books: Books) -> list[str]:  # noqa: N802
        books.eligible.add(fact["patient"])
        return []

    def _FormRecorded(self, fact: Fact, books: Books) -> list[str]:  # noqa: N802
        values = fact["values"]
        if fact["form"] == "DS" and values.get("DSDECOD") == "ELIGIBILITY CRITERIA MET":
            books.eligible.add(fact["patient"])
        if fact["form"] != "EX" or fact["version"] > 1:
            return []
        patient = books.patients[fact["patient"]]
        if values["EXTRT"] == self.rules.cells:
            books.planned = values["EXPDOSE"]
            return []
        if patient["infused"]:
            return self._again_begun(fact["patient"], datetime.fromisoformat(values["EXSTDTC"]))
        begun, patient["conditioned"] = patient["conditioned"], True
        patient["drugs"].append(datetime.fromisoformat(values["EXSTDTC"]))
        if begun:
            return []
        moment = datetime.fromisoformat(values["EXSTDTC"])
        found = [] if fact["patient"] in books.eligible else ["DL-6 eligibility"]
        if (
            self._held(self._own_place(fact["patient"]), moment)
            or patient["level"] is None
            or not self._has_seat(fact["patient"])
        ):
            found.append("DL-6")
        earliest = self._earliest(fact["patient"], moment)
        lead = timedelta(days=self.rules.first_days[patient["stratum"][0]] if patient["stratum"] else 0)
        if moment < earliest + lead:
            found.append("DL-6 too early")
        return found

    def _has_seat(self, name: str) -> bool:
        return any(
            one["patient"] == name and one["confirmed"] and one["seat"] for one in self.books.slots.values()
        )

    def _earliest(self, name: str, given: datetime, *, overridden: bool = True) -> datetime:
        """ST-1 to ST-4 for ``name``, overridden by ST-8 unless that is left aside.

        What began or happened after ``given`` does not count.
        """
        cohort = self.books.cohorts.get(self.books.patients[name]["cohort"])
        moments = self._general(name, given) + ([] if cohort is None else [cohort["opened"]])
        if cohort is not None and cohort["part"] == "escalation":
            if overridden and name in self.books.overrides:
                return max([*moments, self.books.overrides[name]])
            moments += self._observed(self._others(name, given)) + self._after_further(name, given)
        return max(
            moments, default=NEVER
        )  # backfill, at a site that is yet to read the decision: no moment binds

    def _general(self, name: str, given: datetime) -> list[datetime]:
        """ST-3 and ST-4."""
        books = self.books
        ended = [
            one for one in books.holds.values()
            if one["lifted"] is not None and self._covers(one, self._own_place(name))
        ]  # fmt: skip
        moments = [one["lifted"] for one in ended if one["from"] <= given]
        read = books.acknowledged.get((self._decision_at(given), books.patients[name]["site"]))
        return moments + ([read] if read is not None else [])

    def _decision_at(self, moment: datetime) -> int:
        return max((number for at, number in self.books.decided if at <= moment), default=0)

    def _others(self, name: str, given: datetime) -> list[tuple[datetime, str]]:
        cohort = self.books.patients[name]["cohort"]
        return sorted(
            (one["infused"], other)
            for other, one in self.books.patients.items()
            if one["cohort"] == cohort and one["infused"] and one["infused"] <= given and other != name
        )

    def _too_early(self) -> set[str]:
        """ST-9: infused within the observation of an earlier infusion, and not as ST-8 allowed."""
        found = set()
        for name, one in self.books.patients.items():
            if not one["infused"] or one["part"] != "escalation":
                continue
            # of two at one moment the one with the lower code went first
            before = [row for row in self._others(name, one["infused"]) if row < (one["infused"], name)]
            allowed = self.books.overrides.get(name)
            if allowed is not None and one["infused"] >= allowed:
                continue
            ends = self._observed(before) + self._after_further(name, one["infused"])
            if any(one["infused"] < end for end in ends):
                found.add(name)
        return found

    def _DeviationRecorded(self, fact: Fact, books: Books) -> list[str]:  # noqa: N802
        close = sorted(one for one in books.owed_close if one[0] == fact["patient"])
        if fact["rule"].startswith("RE-2"):
            books.owed_close -= set(close[:1])
            return [] if close else ["RE-3 no such deviation"]
        found = [] if fact["patient"] in books.owed else ["ST-9 no such deviation"]
        books.owed.discard(fact["patient"])
        return found

    def _observed(self, infused: list[tuple[datetime, str]]) -> list[datetime]:
        first, later = self.rules.after_first_days, self.rules.after_next_days
        return [
            moment + timedelta(days=first if place == 0 else later)
            for place, (moment, _) in enumerate(infused)
        ]

    def _PatientInfused(self, fact: Fact, books: Books) -> list[str]:  # noqa: N802
        name, moment = fact["patient"], datetime.fromisoformat(fact["infused_at"])
        patient = books.patients[name]
        cohort = books.cohorts.get(patient["cohort"])
        found = (
            [] if books.planned == self.rules.doses.get(patient["level"], books.planned) else ["DL-7 amount"]
        )
        if patient["infused"] is not None or patient["level"] is None:
            found.append("DL-7 dose")
        elif patient["level"] > self._cleared(patient["stratum"]):
            found.append("DL-7 above what is cleared")
        if not patient["conditioned"] or name not in books.eligible:
            found.append("DL-7 lymphodepletion or eligibility")
        decided = cohort is not None and cohort["decided"]
        if self._held(self._own_place(name), moment) or decided or not self._has_seat(name):
            found.append("DL-7 seat or hold")
        earliest = self._earliest(name, moment)
        if moment < earliest:
            found.append("ST-1 to ST-4")
        if (self._decision_at(moment), patient["site"]) not in books.acknowledged:
            found.append("ST-4 not acknowledged")
        waits = patient["part"] == "escalation" and self._others(name, moment) and name not in books.overrides
        if waits and patient["cohort"] not in books.sentinels:
            found.append("ST-5")
        late = self._too_early()
        books.permitted = (name, self._earliest(name, moment, overridden=False))
        patient["infused"] = moment
        books.owed |= self._too_early() - late
        return found

    def _SentinelCleared(self, fact: Fact, books: Books) -> list[str]:  # noqa: N802
        infused = sorted(
            one["infused"]
            for one in books.patients.values()
            if one["cohort"] == fact["cohort"] and one["infused"]
        )
        over = infused and fact["at"] >= infused[0] + timedelta(days=self.rules.after_first_days)
        found = [] if over and fact["cohort"] not in books.sentinels else ["ST-5"]
        books.sentinels[fact["cohort"]] = fact["at"]
        return found

    def _StaggerOverridden(self, fact: Fact, books: Books) -> list[str]:  # noqa: N802
        books.overrides[fact["patient"]] = datetime.fromisoformat(fact["not_before"])
        return [] if len(set(fact["signers"])) >= 2 else ["ST-8"]

    def _InfusionCorrected(self, fact: Fact, books: Books) -> list[str]:  # noqa: N802
        late, close = self._too_early(), self._too_close(fact["patient"])
        books.patients[fact["patient"]]["infused"] = datetime.fromisoformat(fact["infused_at"])
        books.owed |= self._too_early() - late
        return self._moved(fact["patient"], close)

    def _SeatReleased(self, fact: Fact, books: Books) -> list[str]:  # noqa: N802
        return ["SL-9 released after the dose"] if books.patients[fact["patient"]]["infused"] else []

    def _DltAdjudicated(self, fact: Fact, books: Books) -> list[str]:  # noqa: N802
        books.patients[fact["patient"]].update(status=fact["status"], judged=fact["at"])
        return []

    # What the study may say about further infusions; see ``further_oracle``

    def _after_further(self, name: str, given: datetime) -> list[datetime]:
        """RE-9: ends of the observation of further infusions of others, up to ``given``."""
        return []

    def _again_begun(self, name: str, moment: datetime) -> list[str]:
        """RE-2: lymphodepletion at ``moment`` after an infusion."""
        return []

    def _too_close(self, name: str) -> set[tuple[int, datetime, datetime]]:
        """RE-3: infusions of ``name`` too close to the one before, with both moments."""
        return set()

    def _moved(self, name: str, close: set[tuple[int, datetime, datetime]]) -> list[str]:
        """RE-3 after a correction; ``close`` is what was too close before."""
        return []
