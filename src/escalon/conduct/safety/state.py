"""What is true of safety: cases, reporting clocks, causality and expectedness."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Safety:
    """The safety slice of the state."""
