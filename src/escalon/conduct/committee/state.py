"""What is true of committee: data cuts, reviews, votes and decisions."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Committee:
    """The committee slice of the state."""
