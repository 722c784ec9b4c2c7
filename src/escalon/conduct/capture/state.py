"""What is true of capture: queries, source verification, freeze, lock, consent versions."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Capture:
    """The capture slice of the state."""
