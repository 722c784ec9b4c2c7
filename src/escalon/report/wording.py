"""Numbers and codes as readers see them: one rounding rule, NE strings, units."""

from collections.abc import Mapping
from datetime import date, datetime
from math import floor, isfinite, log10

from escalon.analysis.summary import NOT_ESTIMABLE, format_number, format_percent, round_half_away

NE = NOT_ESTIMABLE
DASH = "–"

PARAMETER_NAMES: Mapping[str, str] = {
    "CMAX": "Cmax",
    "TMAX": "Tmax",
    "CLST": "Clast",
    "TLST": "Tlast",
    "AUCLST": "AUClast",
    "AUC0_28": "AUC to Day 28",
    "AUC0_56": "AUC to Day 56",
    "AUC0_84": "AUC to Day 84",
    "AUCIFO": "AUCinf (observed)",
    "AUCPEO": "AUC extrapolated",
    "LAMZ": "Terminal slope λz",
    "LAMZHL": "Terminal half-life",
    "CLO": "Clearance",
    "VZO": "Volume Vz",
    "TAT": "Time above the lympholytic level",
    "ARAUC": "Accumulation, AUC of the last over the first dosing interval",
    "ARCMAX": "Accumulation, Cmax of the last over the first dosing interval",
    "CDAY0": "Concentration at the infusion (Day 0)",
    "EXPRATE": "Expansion rate",
    "DOUBLING": "Doubling time",
    "CONTRHL": "Contraction half-life",
    "PERSDAYS": "Persistence",
}
DECISIONS: Mapping[str, str] = {
    "open": "open",
    "escalate": "escalate",
    "stay": "stay",
    "de_escalate": "de-escalate",
    "stop": "stop",
}
STATUS_NAMES: Mapping[str, str] = {
    "DLT": "DLT",
    "NO_DLT": "No DLT",
    "NOT_EVALUABLE": "Not evaluable",
    "PENDING": "Pending",
}
RULE_NAMES: Mapping[str, str] = {
    "three_plus_three": "3+3",
    "rolling_six": "Rolling six",
    "i3_plus_3": "i3+3",
    "mtpi": "mTPI",
    "mtpi2": "mTPI-2",
    "keyboard": "Keyboard",
    "boin": "BOIN",
    "table": "Decision table of the protocol",
    "crm": "CRM",
    "logistic2": "Two-parameter logistic model",
    "blrm": "BLRM",
    "tite_crm": "TITE-CRM",
    "tite_boin": "TITE-BOIN",
    "boin12": "BOIN12",
    "efftox": "EffTox",
    "boin_combination": "BOIN for combinations",
    "blrm_combination": "BLRM for combinations",
}


def rule_name(kind: str) -> str:
    """Name of a rule as the literature writes it."""
    return RULE_NAMES.get(kind, kind.replace("_", " "))


def render_number(value: float | None, digits: int) -> str:
    """Fixed decimals, halves away from zero as SAS rounds; NE for None.

    >>> render_number(0.125, 2), render_number(None, 1)
    ('0.13', 'NE')
    """
    return format_number(value, digits)


def render_significant(value: float | None, digits: int = 3) -> str:
    """``digits`` significant figures without exponent, thousands grouped; NE for None.

    >>> render_significant(24123.4), render_significant(0.012345), render_significant(7.0)
    ('24,100', '0.0123', '7.00')
    """
    if value is None or not isfinite(value):
        return NE
    if value == 0:
        return "0"
    places = digits - 1 - floor(log10(abs(value)))
    return f"{round_half_away(value, places):,.{max(places, 0)}f}"


def render_percent(value: float | None, digits: int = 1) -> str:
    """A fraction as a percentage number without its sign; NE for None."""
    return NE if value is None else render_number(100 * value, digits)


def render_count(n: float | None, total: float | None) -> str:
    """Patients and their share: ``3 (33.3)``; ``0`` alone when nobody, a dash when there is no group.

    >>> render_count(1, 3), render_count(0, 3), render_count(0, 0)
    ('1 (33.3)', '0', '–')
    """
    if not total or n is None:
        return DASH
    return "0" if n == 0 else f"{int(n)} ({format_percent(int(n), int(total))})"


def render_interval(low: float | None, high: float | None, digits: int = 1, factor: float = 1.0) -> str:
    """Both ends of an interval, each NE when not estimable."""
    ends = (NE if end is None else render_number(factor * end, digits) for end in (low, high))
    return ", ".join(ends)


def render_dose(dose: float) -> str:
    """Cells per kg with a superscript power of ten.

    >>> render_dose(2.5e6)
    '2.5 × 10⁶'
    """
    power = floor(log10(dose) + 1e-12)
    mantissa = f"{dose / 10**power:.3g}"
    return f"{mantissa} × 10{str(power).translate(str.maketrans('0123456789-', '⁰¹²³⁴⁵⁶⁷⁸⁹⁻'))}"


def render_date(day: date | datetime | str | None) -> str:
    """Day, month in letters and year, which no reader mistakes; a dash for None.

    >>> render_date(date(2021, 3, 4))
    '4 Mar 2021'
    """
    if day is None:
        return DASH
    if isinstance(day, str):
        day = datetime.fromisoformat(day)
    return f"{day.day} {day:%b %Y}"


def render_unit(unit: str | None) -> str:
    """Units with their proper signs."""
    signs = {"ug": "µg", "10*9/L": "×10⁹/L", "*": "·"}
    text = unit or ""
    for plain, sign in signs.items():
        text = text.replace(plain, sign)
    return text


def count_of(number: int, word: str) -> str:
    """A number with its noun: ``1 patient``, ``2 patients``."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def visit_name(visit: str) -> str:
    """Visit id in words: D28 is Day 28, M3 is Month 3."""
    kinds = {"D": "Day", "M": "Month"}
    return f"{kinds[visit[0]]} {visit[1:]}" if visit[:1] in kinds and visit[1:].isdigit() else visit


def render_sentence(text: str) -> str:
    """A text that starts with a capital and ends with a full stop.

    >>> render_sentence("no DLT among 3"), render_sentence("Done.")
    ('No DLT among 3.', 'Done.')
    """
    text = text.strip()
    closed = text if text.endswith((".", "!", "?")) or not text else f"{text}."
    # A name such as mTPI keeps its small letter.
    return closed if closed[1:2].isupper() else closed[:1].upper() + closed[1:]
