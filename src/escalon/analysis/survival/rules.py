"""Event and censoring rules as data: what ends the observation, on which day, under which code.

A rule is a row a clinician can read; an analysis is a named choice of rules, an origin and a horizon. One
rule base serves all analyses of an endpoint, primary and sensitivity. Kinds of records (column KIND of the
input, one row each):

ORIGIN_TREATMENT first day of study treatment, ORIGIN_INFUSION first UCART22 infusion, RESPONSE first
response, BASELINE disease assessment before treatment, ASSESSMENT adequate disease assessment without
progression, PROGRESSION, DEATH, HSCT, NEW_THERAPY, SECOND_INFUSION, LAST_ALIVE.

Codes follow ADTTE: CNSR 0 = event, positive integers = censoring reason. Sources: FDA, Clinical Trial
Endpoints for the Approval of Cancer Drugs and Biologics, 2018, appendix 3 table A (progression at its first
date, two missed visits, new therapy); ICH E9(R1) for the strategies. The choices for transplant, new
therapy and horizon are assumptions of the reference study and can be replaced.
"""

from dataclasses import dataclass, field

__all__ = ["BALLI_ANALYSES", "BALLI_VISITS", "DATES", "KINDS", "RULES", "Analysis", "Rule", "VisitWindow"]

KINDS = (
    "ORIGIN_TREATMENT", "ORIGIN_INFUSION", "RESPONSE", "BASELINE", "ASSESSMENT", "PROGRESSION", "DEATH", "HSCT",
    "NEW_THERAPY", "SECOND_INFUSION", "LAST_ALIVE",
)  # fmt: skip

DATES = ("own", "last adequate before", "last adequate", "last alive", "origin", "horizon")


@dataclass(frozen=True, slots=True)
class Rule:
    """One row. ``kind`` is the record that triggers it (None: a state, not a record); ``date`` says which day counts.

    ``cnsr`` 0 = event; ``priority`` orders rules that fall on one day, lowest first; ``strategy`` is the
    ICH E9(R1) handling.
    """

    rule_id: str
    kind: str | None
    cnsr: int
    date: str
    priority: int
    evntdesc: str
    cnsdtdsc: str = ""
    strategy: str = ""

    def __post_init__(self) -> None:
        if self.kind is not None and self.kind not in KINDS:
            raise ValueError(f"rule {self.rule_id}: kind {self.kind!r} is not one of {', '.join(KINDS)}")
        if self.date not in DATES:
            raise ValueError(f"rule {self.rule_id}: date {self.date!r} is not one of {', '.join(DATES)}")
        if self.cnsr < 0 or (self.cnsr == 0) != (
            self.date == "own" and self.kind is not None and not self.cnsdtdsc
        ):
            raise ValueError(
                f"rule {self.rule_id}: an event (cnsr 0) has a record and its own date, "
                "a censoring (1 or more) describes its date"
            )


@dataclass(frozen=True, slots=True)
class VisitWindow:
    """A scheduled disease assessment: target day after the infusion and days allowed before and after."""

    name: str
    day: int
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Analysis:
    """A named analysis: which rules end the observation (``events``), cut it short (``cuts``) or close it.

    ``origin`` is a kind of record; patients without it are not in the analysis. ``closing`` is the single
    source of the censoring date when nothing happened ("ADEQUATE" or "ALIVE"): two sources would silently
    take the later one. ``horizon_days``: observation ends that many days after the origin. ``visits`` with
    ``missed``: this many consecutive missed visits before the event censor it.
    """

    paramcd: str
    param: str
    origin: str
    events: tuple[str, ...]
    cuts: tuple[str, ...] = ()
    closing: str = "ADEQUATE"
    missed: int | None = None
    horizon_days: float | None = None
    plus_one: bool = False
    needs_baseline: bool = False
    visits: tuple[VisitWindow, ...] = field(default=(), repr=False)


_RULES = (
    Rule("PD", "PROGRESSION", 0, "own", 1, "Progression or relapse"),
    Rule("DEATH", "DEATH", 0, "own", 2, "Death from any cause"),
    Rule("HSCT_EVENT", "HSCT", 0, "own", 3, "Allogeneic transplant in remission"),
    Rule("HSCT", "HSCT", 2, "last adequate before", 4, "Allogeneic transplant in remission",
         "Last adequate assessment before the transplant", "hypothetical"),
    Rule("NEWTX", "NEW_THERAPY", 3, "last adequate before", 5, "New anti-leukaemic therapy",
         "Last adequate assessment before the new therapy", "hypothetical"),
    Rule("INF2", "SECOND_INFUSION", 7, "last adequate before", 6, "Second UCART22 infusion",
         "Last adequate assessment before the second infusion", "while on first infusion"),
    Rule("MISSED", None, 4, "last adequate before", 7, "Event after missed assessments",
         "Last adequate assessment before the missed visits", "hypothetical"),
    Rule("NOBASE", None, 5, "origin", 8, "No baseline assessment", "Start of the observation"),
    Rule("NOASSESS", None, 5, "origin", 8, "No assessment after the start", "Start of the observation"),
    Rule("ADEQUATE", "ASSESSMENT", 1, "last adequate", 9, "No event", "Last adequate assessment"),
    Rule("ALIVE", "LAST_ALIVE", 1, "last alive", 9, "Alive", "Last known alive"),
    Rule("HORIZON", None, 6, "horizon", 10, "No event by the end of the observation period",
         "End of the observation period"),
)  # fmt: skip

RULES: dict[str, Rule] = {rule.rule_id: rule for rule in _RULES}

BALLI_VISITS: tuple[VisitWindow, ...] = (
    VisitWindow("Day 28", 28, 3, 3),
    VisitWindow("Day 56", 56, 7, 7),
    VisitWindow("Day 84", 84, 3, 3),
    VisitWindow("Month 3", 91, 3, 14),
    *(VisitWindow(f"Month {m}", round(m * 30.4375), 14, 14) for m in (6, 9, 12, 15, 18, 21, 24)),
)
"""Target days from the registry; the windows are assumptions."""

_MONTHS_24 = 24 * 30.4375
_PD = ("PD", "DEATH")
_CUTS = ("HSCT", "NEWTX")


def _guarded(paramcd: str, param: str, origin: str) -> Analysis:
    """A primary analysis: transplant, new therapy and two missed visits censor."""
    return Analysis(
        paramcd, param, origin, _PD, _CUTS, missed=2, horizon_days=_MONTHS_24, visits=BALLI_VISITS
    )


BALLI_ANALYSES: tuple[Analysis, ...] = (
    _guarded("PFS", "Progression-free survival", "ORIGIN_TREATMENT"),
    Analysis("PFSSENS", "Progression-free survival, nothing censored", "ORIGIN_TREATMENT", _PD,
             horizon_days=_MONTHS_24),
    _guarded("PFSINF", "Progression-free survival from infusion", "ORIGIN_INFUSION"),
    _guarded("DOR", "Duration of response", "RESPONSE"),
    Analysis("DORSENS", "Duration of response, nothing censored", "RESPONSE", _PD, horizon_days=_MONTHS_24),
    Analysis("DORCOMP", "Duration of response, transplant competing", "RESPONSE", (*_PD, "HSCT_EVENT"),
             ("NEWTX",), horizon_days=_MONTHS_24),
    Analysis("OS", "Overall survival", "ORIGIN_TREATMENT", ("DEATH",), closing="ALIVE", horizon_days=_MONTHS_24),
    Analysis("OSINF", "Overall survival from infusion", "ORIGIN_INFUSION", ("DEATH",), closing="ALIVE",
             horizon_days=_MONTHS_24),
)  # fmt: skip
"""Primary and sensitivity analyses of the reference study.

The time origin and the censoring of transplant are assumptions.
"""
