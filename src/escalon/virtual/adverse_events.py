"""An adverse event as a site records it: at onset, and again when it worsens, improves and ends."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from escalon.protocol.scenarios import Cause
from escalon.protocol.study import Grading
from escalon.virtual.acts import Draft, Moment

_DRUGS = ("AERELUC", "AERELCL", "AERELFL", "AERELCY")
_OTHERS = ("AERELDS", "AERELPR", "AERELCM", "AERELIN")
_SYNDROMES = ("CRS", "ICANS", "GVHD", "IEC-HS")
_WEAK, _STRONG = ("NOT RELATED", "UNLIKELY"), ("POSSIBLE", "PROBABLE")


@dataclass(frozen=True, slots=True)
class AdverseEvent:
    """One event of one patient; days after the infusion.

    Attributes:
        term, system, category: as on the form.
        onset, end: ``end`` None while it never ends by itself.
        improved: improvement to grade 2 or lower, for events of grade 3 and more.
        grade: worst grade, that of its components.
        recorded: worst grade as the site writes it down; None: the same.
        reported: words of the site; None: the term.
        relation: the relation items of the form.
        components: items of CRS, ICANS, GvHD or IEC-HS at the worst grade.
        tests: laboratory results the site takes because of it: item, day, value.
        milder, worst_at: grade and components on the first report, and when the event became worst.
        fatal: the event ends in death at ``end``.
        dlt: it is the patient's dose-limiting toxicity (known to the simulation only).
    """

    term: str
    system: str
    category: str
    onset: float
    end: float | None
    grade: int
    relation: dict[str, str]
    improved: float | None = None
    recorded: int | None = None
    reported: str | None = None
    serious: bool = False
    life_threatening: bool = False
    expected: bool = False
    components: dict[str, Any] = field(default_factory=dict)
    tests: tuple[tuple[str, float, float], ...] = ()
    milder: tuple[int, dict[str, Any]] | None = None
    worst_at: float | None = None
    fatal: bool = False
    dlt: bool = False


def draw_relation(rng: np.random.Generator, cause: Cause, onset: float, with_clls52: bool) -> dict[str, str]:
    """Draw the relation items: the cause is possible or probable, everything else unlikely or not related.

    Nothing is related to a product before its first dose, nor to CLLS52 when the regimen has none.
    """
    strong = {
        "UCART22": ("AERELUC",),
        "CLLS52": ("AERELCL",),
        "LYMPHODEPLETION": ("AERELFL", "AERELCY"),
        "DISEASE": ("AERELDS",),
        "PROCEDURE": ("AERELPR",),
        "INFECTION": ("AERELIN",),
        "OTHER": (),
    }[cause]
    relation = {}
    for name in (*_DRUGS, *_OTHERS):
        words = _STRONG if name in strong else _WEAK
        relation[name] = words[int(rng.random() < (0.6 if name in strong else 0.5))]
    if onset < 0.0:
        relation["AERELUC"] = "NOT RELATED"
    if not with_clls52:
        relation["AERELCL"] = "NOT RELATED"
    return relation


def event_drafts(rng: np.random.Generator, record: str, event: AdverseEvent, grading: Grading) -> list[Draft]:
    """Return the entries of one event in order of time, all under the record key ``record``."""
    span = (event.end if event.end is not None else event.onset + 10.0) - event.onset
    reported = event.onset + min(0.15 + 0.6 * rng.random(), 0.4 * span)
    base = _values(event, grading)
    first = dict(base)
    drafts = []
    if event.milder is not None and event.worst_at is not None:
        reported = min(reported, 0.5 * (event.onset + event.worst_at))
        first |= {"AETOXGR": event.milder[0], **event.milder[1], "AESER": "N", **dict.fromkeys(_SERIOUS, "N")}
        if event.fatal:
            base["AETOXGR"] = min(event.grade, 4)
        base["AEGRDTC"] = Moment(event.worst_at)
        drafts.append(Draft(event.worst_at, "AE", record, dict(base), reason="Worsened"))
    elif event.fatal:
        first["AETOXGR"] = min(event.grade, 4)
        base["AETOXGR"] = min(event.grade, 4)
    drafts.insert(0, Draft(reported, "AE", record, first))
    if event.category == "CRS" and event.grade >= 2:  # tocilizumab by now: fever is no longer required
        base["CRSSUPP"] = "Y"
    improved = event.improved
    if improved is not None:
        base["AEIMPDTC"] = Moment(improved)
        if event.end is None or improved < event.end - 0.05:
            day = max(improved, drafts[-1].day) + 0.01
            drafts.append(Draft(day, "AE", record, dict(base), reason="Improved to grade 2 or lower"))
    if event.end is not None:
        drafts.append(_last(event, record, base, drafts[-1].day))
    return [
        Draft(d.day, d.form, d.record, d.values, d.visit, d.reason if index else None)
        for index, d in enumerate(drafts)
    ]


def _last(event: AdverseEvent, record: str, base: dict[str, Any], after: float) -> Draft:
    assert event.end is not None
    values = dict(base, AEENDTC=Moment(event.end), AEOUT="RECOVERED/RESOLVED")
    reason = "Resolved"
    if event.fatal:
        values |= {
            "AEOUT": "FATAL",
            "AETOXGR": 5,
            "AEGRDTC": Moment(event.end),
            "AESDTH": "Y",
            "AESER": "Y",
            "AESLIFE": "Y",
            "AESHOSP": "Y",
        }
        reason = "Died"
        return Draft(event.end, "AE", record, values, reason=reason)
    return Draft(max(event.end, after) + 0.01, "AE", record, values, reason=reason)


_SERIOUS = ("AESDTH", "AESLIFE", "AESHOSP", "AESDISAB", "AESCONG", "AESMIE")


def _values(event: AdverseEvent, grading: Grading) -> dict[str, Any]:
    hospital = event.serious or event.life_threatening
    return {
        "AETERM": event.reported or event.term,
        "AEDECOD": event.term,
        "AEBODSYS": event.system,
        "AECAT": event.category,
        "AESTDTC": Moment(event.onset),
        "AETOXGR": event.recorded or event.grade,
        "AEGRSYS": grading.system_of(event.category),
        "AESER": "Y" if event.serious or event.life_threatening else "N",
        "AESDTH": "N",
        "AESLIFE": "Y" if event.life_threatening else "N",
        "AESHOSP": "Y" if hospital else "N",
        "AESDISAB": "N",
        "AESCONG": "N",
        "AESMIE": "Y" if event.serious and event.category in _SYNDROMES else "N",
        "AEOUT": "NOT RECOVERED/NOT RESOLVED",
        **event.relation,
        "AEEXPLD": "Y" if event.expected else "N",
        "AELABON": "Y" if event.category == "LABORATORY" else "N",
        **event.components,
    }
