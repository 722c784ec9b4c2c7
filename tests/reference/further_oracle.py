"""Further infusions and whom a hold leaves free, added to the oracle from docs/conduct/cohorts.md (RE-1 to RE-9, HO-4).

Facts and books are those of ``conduct_oracle``. Not checked: what the criteria say of a window (``exposures_naive``
does that), and so whether a judgement is re-opened rightly.
"""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from tests.reference.conduct_books import Books
from tests.reference.conduct_oracle import Fact, Oracle

DAY = timedelta(days=1)


class FurtherOracle(Oracle):
    """Knows of further infusions, too."""

    # Approval

    def _SignatureGiven(self, fact: Fact, books: Books) -> list[str]:  # noqa: N802
        books.signed.add((fact["object_ref"], fact["signer"]))
        return [] if fact["signer"] == fact["actor"] else ["signed for another person"]

    def _RedosingApproved(self, fact: Fact, books: Books) -> list[str]:  # noqa: N802
        name, rules = fact["patient"], self.rules.again
        if rules is None or not books.patients[name]["infused"]:
            return ["RE-1 nothing to repeat"]
        known = books.further.setdefault(name, [])
        found = self._toxic(name)
        if any(one["at"] is None for one in known) or fact["exposure"] != len(known) + 2:
            found.append("RE-1 number")
        if len(known) + 2 > rules.most:
            found.append("RE-1 too many")
        if fact["dose_level"] > self._cleared(books.patients[name]["stratum"]):
            found.append("RE-1 above what is cleared")
        about = f"redosing:{name}:{fact['exposure']}"
        if len(set(fact["signers"])) < 2 or any((about, one) not in books.signed for one in fact["signers"]):
            found.append("RE-1 not signed by two")
        known.append({
            "number": fact["exposure"], "level": fact["dose_level"], "approved": fact["at"], "at": None,
            "judged": None, "reopened": False, "counts": False,
        })  # fmt: skip
        return found

    def _toxic(self, name: str) -> list[str]:
        """RE-1: every infusion so far judged to be without a DLT, and not open again."""
        patient = self.books.patients[name]
        found = []
        if patient["status"] != "NO_DLT" or name in self.books.reopened:
            found.append("RE-1 first infusion")
        for one in self.books.further.get(name, []):
            if one["at"] is not None and (one["judged"] != "NO_DLT" or one["reopened"]):
                found.append(f"RE-1 infusion {one['number']}")
        return found

    # Giving

    def _infusions(self, name: str) -> list[tuple[int, datetime]]:
        """All infusions of a patient, by number."""
        further = [(one["number"], one["at"]) for one in self.books.further.get(name, []) if one["at"]]
        first = self.books.patients[name]["infused"]
        return [(1, first), *further] if first else []

    def _again_from(self, name: str, given: datetime) -> datetime:
        """RE-1 and RE-2: the earliest moment of the approved infusion, if given then."""
        assert self.rules.again is not None
        approved = [one["approved"] for one in self.books.further.get(name, []) if one["at"] is None]
        last = max(moment for _, moment in self._infusions(name))
        return max([last + self.rules.again.days_between * DAY, *approved, *self._general(name, given)])

    def _again_begun(self, name: str, moment: datetime) -> list[str]:
        patient, last = self.books.patients[name], max(at for _, at in self._infusions(name))
        under_way = any(one > last for one in patient["drugs"])
        patient["drugs"].append(moment)
        if moment <= last or under_way:
            return []
        found = (
            []
            if any(one["at"] is None for one in self.books.further.get(name, []))
            else ["RE-2 not approved"]
        )
        if found:
            return found
        if self._held(self._own_place(name), moment):
            found.append("RE-2 hold")
        if moment < self._again_from(name, moment) + self.rules.first_days[patient["stratum"][0]] * DAY:
            found.append("RE-2 lymphodepletion too early")
        return found

    def _PatientReinfused(self, fact: Fact, books: Books) -> list[str]:  # noqa: N802
        name, moment = fact["patient"], datetime.fromisoformat(fact["infused_at"])
        waiting = [one for one in books.further.get(name, []) if one["at"] is None]
        if [one["number"] for one in waiting] != [fact["exposure"]]:
            return ["RE-1 not approved"]
        one, found = waiting[0], self._toxic(name)
        if one["level"] > self._cleared(books.patients[name]["stratum"]):
            found.append("RE-1 above what is cleared")
        if self._held(self._own_place(name), moment):
            found.append("RE-2 hold")
        if books.planned != self.rules.doses[one["level"]]:
            found.append("RE-1 another dose than approved")
        earliest = self._again_from(name, moment)
        if moment < earliest or moment > fact["at"]:
            found.append("RE-2 too early, or ahead")
        if (self._decision_at(moment), books.patients[name]["site"]) not in books.acknowledged:
            found.append("ST-4 not acknowledged")
        late = self._too_early()
        books.permitted = (name, earliest)
        one["at"] = moment
        books.owed |= self._too_early() - late
        return found

    def _ReinfusionPermitted(self, fact: Fact, books: Books) -> list[str]:  # noqa: N802
        one = books.further[fact["patient"]][-1]
        stratum = (fact["regimen"], fact["process"])
        right = (one["number"], one["level"], books.patients[fact["patient"]]["stratum"])
        found = [] if (fact["exposure"], fact["dose_level"], stratum) == right else ["RE-12 another infusion"]
        return found + self._permitted(fact)

    def _InfusionPermitted(self, fact: Fact, books: Books) -> list[str]:  # noqa: N802
        return self._permitted(fact)

    def _permitted(self, fact: Fact) -> list[str]:
        """The recorded earliest moment is that of the rules, so nothing that does not cover the place held it back."""
        said = fact["earliest_at"]
        right = (fact["patient"], None if said is None else datetime.fromisoformat(said))
        permitted, self.books.permitted = self.books.permitted, None
        return [] if permitted == right else [f"RE-12 earliest is {permitted}, not {said}"]

    # Corrections

    def _too_close(self, name: str) -> set[tuple[int, datetime, datetime]]:
        if self.rules.again is None:
            return set()
        rows, least = self._infusions(name), self.rules.again.days_between * DAY
        return {(number, before, at) for (_, before), (number, at) in pairwise(rows) if at < before + least}

    def _moved(self, name: str, close: set[tuple[int, datetime, datetime]]) -> list[str]:
        self.books.owed_close |= {(name, number) for number, _, _ in self._too_close(name) - close}
        moments = [at for _, at in self._infusions(name)]
        return [] if all(one < other for one, other in pairwise(moments)) else ["RE-3 order"]

    def _ReinfusionCorrected(self, fact: Fact, books: Books) -> list[str]:  # noqa: N802
        name, late = fact["patient"], self._too_early()
        close = self._too_close(name)
        one = books.further[name][fact["exposure"] - 2]
        moment = datetime.fromisoformat(fact["infused_at"])
        found = ["RE-3 ahead"] if moment > fact["at"] or one["at"] is None else []
        one["at"] = moment
        books.owed |= self._too_early() - late
        return found + self._moved(name, close)

    def _after_further(self, name: str, given: datetime) -> list[datetime]:
        rules = self.rules.again
        if rules is None or not rules.opens_stagger:
            return []
        return [
            one["at"] + self.rules.after_next_days * DAY
            for other, rows in self.books.further.items()
            for one in rows
            if other != name and self.books.patients[other]["part"] == "escalation"
            and one["at"] and one["at"] <= given
        ]  # fmt: skip

    # Judgements

    def _ExposureAdjudicated(self, fact: Fact, books: Books) -> list[str]:  # noqa: N802
        assert self.rules.again is not None
        one = books.further[fact["patient"]][fact["exposure"] - 2]
        found = ["RE-7 not given"] if one["at"] is None else []
        if fact["status"] == "PENDING" or (fact["status"] == "DLT" and not fact["clause"]):
            found.append("RE-7 no judgement")
        over = one["at"] and (fact["at"].date() - one["at"].date()).days >= self.rules.again.window_days
        if fact["status"] == "NO_DLT" and not over:
            found.append("RE-7 window open")
        if fact["counts"] != self.rules.again.count_dlts:
            found.append("RE-8 counts")
        one.update(judged=fact["status"], reopened=False, counts=fact["counts"])
        return found

    def _ExposureReopened(self, fact: Fact, books: Books) -> list[str]:  # noqa: N802
        one = books.further[fact["patient"]][fact["exposure"] - 2]
        found = ["RE-7 nothing to re-open"] if one["judged"] is None or one["reopened"] else []
        one["reopened"] = True
        return found

    def _WindowReopened(self, fact: Fact, books: Books) -> list[str]:  # noqa: N802
        books.reopened.add(fact["patient"])
        return [] if books.patients[fact["patient"]]["status"] != "PENDING" else ["WI-2 nothing to re-open"]

    def _WindowJudged(self, fact: Fact, books: Books) -> list[str]:  # noqa: N802
        found = [] if fact["patient"] in books.reopened else ["WI-2 not open"]
        books.reopened.discard(fact["patient"])
        return found

    # Counts

    def _DoseRecommended(self, fact: Fact, books: Books) -> list[str]:  # noqa: N802
        """RE-8 and INV-13 for the patients of the escalation, by level: who counts, and who had a DLT that counts."""
        own = {name: one for name, one in books.patients.items() if one["part"] == "escalation"}
        first = {
            (name, one["level"]): one["status"]
            for name, one in own.items()
            if one["status"] in ("DLT", "NO_DLT")
        }
        again = {
            (name, one["level"])
            for name in own
            for one in books.further.get(name, [])
            if one["judged"] == "DLT" and one["counts"]
        }
        toxic = again | {key for key, status in first.items() if status == "DLT"}
        levels = sorted(self.rules.doses)
        n = [sum(level == one for _, level in {*first, *again}) for one in levels]
        y = [sum(level == one for _, level in toxic) for one in levels]
        said = fact["inputs"]
        if "escalation_n" in said:
            return [] if said["escalation_n"] == n else ["INV-13 escalation"]
        return [] if [said["n"], said["y"]] == [n, y] else [f"RE-8 counts are {n}, {y}"]

    # What a hold leaves free

    def wrongly_held(self, command: str, asked: dict[str, Any], at: datetime) -> list[str]:
        """HO-4: what was refused because of a hold is covered by one; ``asked`` is the command."""
        moment: datetime | None = None
        if command == "RecordForm":
            moment = datetime.fromisoformat(asked["values"]["EXSTDTC"])
            place = self._own_place(asked["patient"])
        elif command == "AssignDose":
            place = (asked["dose_level"], asked["regimen"], asked["process"])
        elif command == "ConfirmSlot":
            place = self._place(self._seat_level(self.books.slots[asked["slot"]]), at)
        elif command == "EnrolPatient":
            mine = [one for one in self.books.slots.values() if one["patient"] == asked["patient"]]
            place = self._place(self._seat_level(mine[-1]) if mine else 0, at)
        else:
            return []
        return [] if self._held(place, moment) else [f"HO-4 {command} refused outside every hold"]

    def idle_seats(self, at: datetime) -> list[str]:
        """SL-6: free seats of the open cohort for which somebody waits who may have them, outside holds."""
        number = max(self.books.cohorts)
        cohort = self.books.cohorts[number]
        place = self._place(cohort["level"], at)
        ready = [
            one for one in self.books.slots.values()
            if one["waits"] and not one["backfill"] and not self._refuses_site(one["site"], place)
        ]  # fmt: skip
        taken = sum(one["cohort"] == number and one["seat"] > 0 for one in self.books.slots.values())
        free = taken < cohort["seats"] and not cohort["decided"]
        return [f"SL-6 a seat of cohort {number} is idle"] if ready and free else []
