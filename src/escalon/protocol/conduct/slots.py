"""What a study says about slots: the queue, reservations, the sentinel, the stagger, clearances and redosing."""

from typing import Literal

from pydantic import Field

from escalon.protocol.conduct.model import Model


class RedosingRules(Model):
    """A further infusion of the same patient: an exposure of its own."""

    most_exposures: int = Field(default=2, ge=2, description="infusions a patient may have in all")
    days_between: int = Field(default=28, ge=1, description="days from one infusion to the next of a patient")
    window_days: int | None = Field(
        default=None, ge=1, description="DLT window of a further infusion, days; null: that of the first one"
    )
    count_dlts: bool = Field(
        default=False,
        description="a DLT in the window of a further infusion enters the escalation counts, at its level",
    )
    opens_stagger: bool = Field(
        default=False,
        description="the open escalation cohort waits after a further infusion as after one of its own patients",
    )


class SlotRules(Model):
    """Seats, the queue, the stagger and the dose lock; the defaults are the careful choice."""

    policy: Literal["fifo", "site_round_robin", "sponsor_choice"] = Field(
        default="fifo", description="whose turn it is when a seat is free"
    )
    reservation_hours: float = Field(
        default=168, gt=0, description="hours a reserved seat waits for confirmation"
    )
    decision_days: int = Field(
        default=14,
        ge=0,
        description="days the committee takes at most, for the latest opening predicted to sites",
    )
    sentinel_review: bool = Field(
        default=True,
        description="the second infusion of a cohort waits for the signed review of the first patient",
    )
    stagger_unit: Literal["elapsed_hours", "calendar_days"] = Field(
        default="elapsed_hours",
        description="observation days as 24 hours each, or as dates in the zone of the site",
    )
    infusion_is_day: Literal[0, 1] = Field(
        default=0, description="number of the day of infusion when observation is counted in calendar days"
    )
    clear_across_strata: Literal["none", "regimen", "process", "both"] = Field(
        default="none",
        description="a cleared level counts for the other lymphodepletions, processes, or both",
    )
    redosing: RedosingRules | None = Field(default=None, description="null: a patient is infused once")
