"""What a study says about safety reporting: jurisdictions, clocks and what freezes a cohort."""

import json
from collections.abc import Iterable, Iterator
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, PositiveInt, TypeAdapter, model_validator

from escalon.protocol.conduct.model import Model
from escalon.protocol.conduct.safety_reports import Receiver, Sender, StudyNumbers, default_receivers
from escalon.protocol.tagged_yaml import Path

Purpose = Literal[
    "site_sae",
    "susar_fatal",
    "susar_other",
    "complete_report",
    "upgrade",
    "follow_up",
    "urgent_safety_measure",
    "serious_breach",
    "dsur",
]
Start = Literal[
    "site_awareness",
    "sponsor_awareness",
    "determination",
    "filing",
    "measure_taken",
    "breach_awareness",
    "data_lock_point",
]

LockPoint = Literal["day_before_anniversary", "month_end"]


class ClockRule(Model):
    """How long a report may take: ``count`` hours or calendar days from ``starts``.

    ``awareness_is_day`` is the number of the first day, 0 or 1. A rule applies from ``valid_from`` on until a later
    version of the same id does.
    """

    id: str
    jurisdiction: str
    applies_to: Purpose
    starts: Start
    count: PositiveInt
    unit: Literal["hours", "days"]
    awareness_is_day: Literal[0, 1] = 0
    version: str
    valid_from: date
    source: str


@cache
def default_clocks() -> tuple[ClockRule, ...]:
    """Return the clocks that ship with the platform, each with its source."""
    text = (files("escalon.protocol.conduct") / "data" / "safety_clocks.json").read_text(encoding="utf-8")
    return TypeAdapter(tuple[ClockRule, ...]).validate_python(json.loads(text))


HoldScope = Literal["study", "stratum", "level_and_above", "stratum_level_and_above"]


class HoldScopes(Model):
    """Whom a hold freezes, by its cause: the study, or the stratum (regimen and process) or dose level affected."""

    susar: HoldScope = Field(default="study", description="a single suspected unexpected serious reaction")
    death: HoldScope = Field(default="study", description="a single death within the days named")
    stopping_rule: HoldScope = Field(
        default="study", description="a stopping rule not named in stopping_rules"
    )
    stopping_rules: dict[str, HoldScope] = Field(
        default_factory=dict, description="scope by id of the stopping rule"
    )

    def of_rule(self, rule: str) -> HoldScope:
        """Return the scope of the stopping rule with that id."""
        return self.stopping_rules.get(rule, self.stopping_rule)


class SafetyRules(Model):
    """Safety reporting of the study."""

    zone: str = Field(default="UTC", description="IANA zone in which the sponsor counts days")
    jurisdictions: tuple[str, ...] = Field(default=("EU", "US"), min_length=1)
    clocks: tuple[ClockRule, ...] = Field(default_factory=default_clocks, min_length=1)
    freeze_on_susar: bool = True
    hold_scope: HoldScopes = Field(default_factory=HoldScopes)
    freeze_on_death_within_days: PositiveInt | None = Field(
        default=90, description="a death up to this day after the infusion holds enrolment; None: every death"
    )
    development_birth_date: date | None = Field(
        default=None, description="first authorisation of a trial with the product anywhere (DIBD)"
    )
    data_lock_point: LockPoint = Field(
        default="day_before_anniversary",
        description="last day of a year of the DSUR; month_end: the last day of the month before that of the DIBD",
    )
    ind_effective_date: date | None = Field(
        default=None, description="day the IND went into effect, for an FDA annual report; None: the DIBD"
    )
    sender: Sender | None = Field(
        default=None, description="sender of case safety reports; None: none is written"
    )
    receivers: dict[str, Receiver] = Field(
        default_factory=default_receivers, description="receiver of case safety reports by jurisdiction"
    )
    numbers: StudyNumbers = Field(default_factory=StudyNumbers)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        try:
            ZoneInfo(self.zone)
        except (ValueError, LookupError, OSError) as error:
            raise ValueError(
                f"zone: {self.zone!r} is no IANA time zone; right is e.g. Europe/Paris"
            ) from error
        known = {rule.jurisdiction for rule in self.clocks}
        missing = [name for name in self.jurisdictions if name not in known]
        if missing:
            raise ValueError(
                f"jurisdictions: no clock is given for {missing[0]}; known are {', '.join(sorted(known))}"
            )
        versions = [(rule.id, rule.valid_from) for rule in self.clocks]
        if len(set(versions)) != len(versions):
            raise ValueError(
                "clocks: a rule stands twice with the same day; give each version its own valid_from"
            )
        return self

    def rules_for(self, purpose: Purpose, on: date) -> tuple[ClockRule, ...]:
        """Return the rules for ``purpose`` in force on ``on`` in the jurisdictions of the study."""
        latest: dict[str, ClockRule] = {}
        for rule in sorted(self.clocks, key=lambda rule: rule.valid_from):
            if (
                rule.jurisdiction in self.jurisdictions
                and rule.applies_to == purpose
                and rule.valid_from <= on
            ):
                latest[rule.id] = rule
        return tuple(latest.values())


def check_hold_scopes(rules: SafetyRules, stopping_rules: Iterable[str]) -> Iterator[tuple[Path, str]]:
    """Yield path and rule for every scope of a stopping rule the study does not have."""
    known = sorted(stopping_rules)
    for name in rules.hold_scope.stopping_rules:
        if name not in known:
            rule = f"the study has no stopping rule {name}; it has {', '.join(known) or 'none'}"
            yield ("safety", "hold_scope", "stopping_rules", name), rule
