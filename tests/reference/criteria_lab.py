"""A naive reader of the published laboratory rules: it evaluates the rule text itself, one value at a time.

The text is a list of ``condition ~ "grade"`` parts; the first condition that is true gives the grade, a condition that
is not known counts as false, and no true condition gives grade 0. Written from the rule text alone.
"""

import json
import math
import re
from functools import cache
from pathlib import Path

_TOKEN = re.compile(r'\s*(%in%|<=|>=|[<>&|!~,()*+]|"\d"|[A-Za-z_.][\w.]*|-?\d+\.?\d*)')


def load_published_rules(version):
    path = Path(__file__).parent.parent / "published" / f"criteria_lab_rules_v{version}.json"
    return {row["TERM"]: row for row in json.loads(path.read_text())["rules"]}


@cache
def tokens(text):
    return _TOKEN.findall(text)


def signif(x, digits=10):
    if x is None or x == 0:
        return x
    return round(x, digits - 1 - math.floor(math.log10(abs(x))))


class Reader:
    """Recursive descent over one rule text with the values of one patient; None is not known."""

    def __init__(self, text, values):
        self.tokens = tokens(text)
        self.values = values
        self.at = 0

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self, expected=None):
        token = self.tokens[self.at]
        assert expected in (None, token), (expected, token)
        self.at += 1
        return token

    def parts(self):
        while True:
            condition = self.either()
            self.take("~")
            yield condition, self.take()
            if self.peek() != ",":
                assert self.peek() is None
                return
            self.take(",")

    def either(self):
        found = [self.both()]
        while self.peek() == "|":
            self.take()
            found.append(self.both())
        return True if True in found else (None if None in found else False)

    def both(self):
        found = [self.negated()]
        while self.peek() == "&":
            self.take()
            found.append(self.negated())
        return False if False in found else (None if None in found else True)

    def negated(self):
        if self.peek() == "!":
            self.take()
            inner = self.negated()
            return None if inner is None else not inner
        return self.compared()

    def compared(self):
        left = self.summed()
        sign = self.peek()
        if sign not in ("<", "<=", ">", ">=", "%in%"):
            return left
        self.take()
        right = self.summed()
        if sign == "%in%":
            return left == right
        if left is None or right is None:
            return None
        return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[sign]

    def summed(self):
        total = self.multiplied()
        while self.peek() == "+":
            self.take()
            other = self.multiplied()
            total = None if total is None or other is None else total + other
        return total

    def multiplied(self):
        product = self.atom()
        while self.peek() == "*":
            self.take()
            other = self.atom()
            product = None if product is None or other is None else product * other
        return product

    def atom(self):
        token = self.take()
        if token == "(":
            inner = self.either()
            self.take(")")
            return inner
        if token == "is.na":
            self.take("(")
            inner = self.either()
            self.take(")")
            return inner is None
        if token == "signif":
            self.take("(")
            inner = self.summed()
            self.take(",")
            self.take("signif_dig")
            self.take(")")
            return signif(inner)
        if token in ("high_indicator", "low_indicator"):
            return token.split("_")[0].upper()
        return self.values[token] if token in self.values else float(token)


def naive_lab_grade(rule, value, lln=None, uln=None, baseline=None, indicator=None):
    """Grade by the rule text: 0 to 4, or None."""
    change = None if value is None or not baseline else 100 * (value - baseline) / baseline
    values = {
        "AVAL": value,
        "ANRLO": lln,
        "ANRHI": uln,
        "BASE": baseline,
        "BNRIND": indicator,
        "PCHG": change,
    }
    for name in ("NA", 4, 3, 2, 1):
        text = rule.get(f"GRADE_{name}_CODE")
        if text is None:
            continue
        for condition, outcome in Reader(text, values).parts():
            if condition is True:
                return None if outcome == "NA_character_" else int(outcome.strip('"'))
    return 0
