"""What is true of people: sites, persons, roles with their dates, electronic signatures."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class People:
    """The people slice of the state."""
