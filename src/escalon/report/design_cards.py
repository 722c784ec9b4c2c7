"""The numbers a reader meets first: the default scenario, and the worst of all scenarios."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import exp

from escalon.design import OperatingCharacteristics
from escalon.report.design_content import DesignContent, prob_right, right_answer
from escalon.report.design_tables import quantile
from escalon.report.wording import render_number, render_percent


@dataclass(frozen=True)
class Card:
    """A number with its name, and a line that puts it into perspective."""

    label: str
    value: str
    detail: str


def build_cards(content: DesignContent) -> list[Card]:
    """The cards of the page, most important first."""
    return [*_right(content), *_burden(content)]


def _right(content: DesignContent) -> Iterator[Card]:
    """Is the right dose found?"""
    found = content.characteristics
    own = found[content.folder.scenarios.default]
    target = _percent(content.plan.rule.target_rate)
    yield Card("Right dose found", _percent(prob_right(own)), f"lowest: {_extreme(content, prob_right, min)}")
    if content.moving is not None:
        yield Card(
            "Right dose found, on average",
            _percent(_average(content)),
            f"over all places of the right dose, odds {exp(content.moving.step):.1f}-fold per level",
        )
    yield Card(
        f"Dose above {target} selected",
        _percent(own.prob_select_overdose),
        f"highest: {_extreme(content, lambda oc: oc.prob_select_overdose, max)}",
    )
    for key, characteristics in found.items():
        if right_answer(characteristics) is None:
            yield Card(
                "No dose, where none is bearable", _percent(characteristics.prob_none), content.title(key)
            )
            break


def _burden(content: DesignContent) -> Iterator[Card]:
    """What does it cost the patients?"""
    own = content.characteristics[content.folder.scenarios.default]
    target = _percent(content.plan.rule.target_rate)
    low, high = (quantile(own.n_distribution, q) for q in (0.1, 0.9))
    yield Card(
        "Expected patients",
        render_number(own.mean_total_n, 1),
        f"of at most {content.plan.max_total}; 10th to 90th centile {low} to {high}",
    )
    yield Card(
        f"Expected patients above {target}",
        render_number(own.mean_n_overdose, 1),
        f"most: {_extreme(content, lambda oc: oc.mean_n_overdose, max, share=False)}",
    )
    yield Card(
        "Expected DLTs",
        render_number(own.mean_total_dlt, 1),
        f"most: {_extreme(content, lambda oc: oc.mean_total_dlt, max, share=False)}",
    )
    yield Card(
        "Over 60% of patients above the target",
        _percent(own.prob_overdose_60),
        f"highest: {_extreme(content, lambda oc: oc.prob_overdose_60, max)}",
    )


def _average(content: DesignContent) -> float:
    """Mean probability of the right answer while the dose that meets the target lies within half a step of a level."""
    assert content.moving is not None
    inside = [
        prob_right(found)
        for place, found in zip(content.moving.positions, content.moving.results, strict=True)
        if 0.5 <= place <= len(content.labels) + 0.5
    ]
    return sum(inside) / len(inside)


def _percent(value: float) -> str:
    return f"{render_percent(value, 0)}%"


def _extreme(
    content: DesignContent,
    measure: Callable[[OperatingCharacteristics], float],
    choose: Callable[..., str],
    share: bool = True,
) -> str:
    """The extreme over the scenarios, with the scenario's title."""
    key = choose(content.characteristics, key=lambda name: measure(content.characteristics[name]))
    value = measure(content.characteristics[key])
    return f"{_percent(value) if share else render_number(value, 1)}, {content.title(key)}"
