"""Staging and reconciliation of an import a second time, written from docs/conduct/records.md alone.

A file is taken as lines split at commas; every rule is asked of the whole list of rows again, so that nothing is
remembered from row to row. What comes out: which lines are accepted, and what each record says.
"""

import hashlib
from datetime import date
from typing import Any

# item: code in the file, factor of each spelling of the unit, range, whole number
LABS: dict[str, Any] = {
    "HGB": ("HB", {"g/dl": 10, "g/l": 1}, (20, 220), False),
    "BILI": ("TBIL", {"umol": 1, "mg/dl": 17.1}, (0, 1500), False),
    "COUNT": ("CELLS", {"/ul": 1, "G/l": 1000}, (0, 100000), True),
}
DRUGS = ("DRUG", "DAYS")
HEADER = ["SUBJECT", "FORM", "SAMPLE", "VISIT", "COLLECTED", "TEST", "ROW", "RESULT", "UNIT"]


def reconcile(text: str, patients: set[str], visits: set[str]) -> dict[str, Any]:
    """Checksum, rows in the file, accepted and refused, and the records by (patient, record) of those accepted."""
    rows = [line.split(",") for line in text.split("\n")[1:] if line.replace(",", "").strip()]
    readable = [dict(zip(HEADER, row, strict=True)) for row in rows if len(row) == len(HEADER)]
    samples = {(row["SUBJECT"], row["SAMPLE"]) for row in readable}
    records: dict[Any, Any] = {}
    accepted = 0
    for sample in samples:
        own = [row for row in readable if (row["SUBJECT"], row["SAMPLE"]) == sample]
        said = _record(own, patients, visits)
        if said is not None:
            accepted += len(own)
            records[sample] = said
    return {
        "checksum": hashlib.sha256(text.encode("utf-8")).hexdigest(),
        "rows": len(rows),
        "accepted": accepted,
        "refused": len(rows) - accepted,
        "records": records,
    }


def _record(rows: list[dict[str, str]], patients: set[str], visits: set[str]) -> dict[str, Any] | None:
    """What the rows of one sample say together, or None if anything is wrong with one of them."""
    if not _fit_together(rows, patients, visits):
        return None
    try:
        date.fromisoformat(rows[0]["COLLECTED"])
        laboratory = [row for row in rows if row["TEST"] not in DRUGS]
        answers: dict[str, Any] = {"ZZDTC": rows[0]["COLLECTED"], **dict(map(_laboratory, laboratory))}
        drugs: dict[int, dict[str, Any]] = {}
        for row in rows:
            if row["TEST"] in DRUGS:
                drugs.setdefault(int(row["ROW"]), {})[row["TEST"]] = _drug(row["TEST"], row["RESULT"])
    except (ValueError, LookupError):
        return None
    counted = set(drugs) == set(range(1, len(drugs) + 1)) and len(drugs) <= 3
    if not counted or any(row.get("DRUG") is None for row in drugs.values()):
        return None
    if drugs:
        answers["DRUGS"] = [_given(drugs[number]) for number in sorted(drugs)]
    return _given(answers)


def _fit_together(rows: list[dict[str, str]], patients: set[str], visits: set[str]) -> bool:
    """Patient, visit and form are there; rows agree in what they share, and no answer stands twice."""
    one = rows[0]
    known = one["SUBJECT"] in patients and one["SAMPLE"] != "" and one["VISIT"] in {"", *visits}
    alike = len({(row["FORM"], row["VISIT"], row["COLLECTED"]) for row in rows}) == 1 and one["FORM"] == "ZZ"
    return known and alike and len({(row["TEST"], row["ROW"]) for row in rows}) == len(rows)


def _drug(test: str, result: str) -> Any:
    if result == "not done":
        raise ValueError("no missing code here")
    if test == "DRUG" or result == "":
        return result or None
    days = int(result)
    if not 1 <= days <= 30:
        raise ValueError("range")
    return days


def _laboratory(row: dict[str, str]) -> tuple[str, Any]:
    if row["ROW"] != "":
        raise ValueError("in no group")
    item = {code: name for name, (code, *_) in LABS.items()}[row["TEST"]]
    _, factors, (low, high), whole = LABS[item]
    if row["RESULT"] == "":
        return item, None
    if row["RESULT"] == "not done":
        if item != "HGB":
            raise ValueError("no missing code here")
        return item, {"missing": "ND"}
    value = float(row["RESULT"]) * factors[row["UNIT"]]
    value = round(value, 9)
    if not low <= value <= high or (whole and value != int(value)):
        raise ValueError("range")
    return item, int(value) if whole else value


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
