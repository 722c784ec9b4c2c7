"""What is true of slots: seats, the queue, clearances, the dose lock and the stagger."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Slots:
    """The slots slice of the state."""
