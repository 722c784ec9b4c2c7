"""Ranges outside which a measurement is taken for a slip of the pen and refused: ``data/plausible.json``."""

from escalon.criteria.result import check_finite
from escalon.criteria.tables import load_table


def check_temperature(value: float | None) -> None:
    """Refuse a body temperature (degC) outside the plausible range; None passes.

    Raises:
        ValueError: naming ``temperature``, the value and the accepted range.

    Example:
        >>> check_temperature(39.1)
    """
    row = load_table("plausible.json")["temperature_celsius"]
    check_finite("temperature", value, low=row["low"], high=row["high"])
