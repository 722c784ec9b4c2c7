"""An estimate with its interval; what could not be estimated says why."""

from dataclasses import dataclass

__all__ = ["Estimate", "check_conf_level", "not_estimable"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A point estimate with the ends of its confidence interval.

    ``value``, ``low`` and ``high`` are in the unit of the quantity (fractions for proportions, the unit of
    ``time`` for quantiles). Any of them may be ``None``: not estimable (printed NE); ``reason`` then says
    why.

    >>> str(Estimate(31.0, 13.0, None, reason="upper end: the bound stays above 0.5"))
    '31 (13, NE)'
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str | None = None
    std_err: float | None = None

    def __str__(self) -> str:
        value, low, high = ("NE" if x is None else f"{x:.6g}" for x in (self.value, self.low, self.high))
        return f"{value} ({low}, {high})"

    def as_dict(self) -> dict[str, float | str | None]:
        """Plain JSON-able mapping with the keys value, low, high and reason."""
        return {"value": self.value, "low": self.low, "high": self.high, "reason": self.reason}


def not_estimable(reason: str) -> Estimate:
    """Return an estimate without numbers and with its reason."""
    return Estimate(None, None, None, reason=reason)


def check_conf_level(conf_level: float) -> None:
    """Raise ValueError unless the confidence level lies strictly between 0 and 1."""
    if not isinstance(conf_level, int | float) or not 0.0 < conf_level < 1.0:
        raise ValueError(
            f"conf_level is {conf_level!r}: a confidence level lies between 0 and 1, for example 0.95"
        )
