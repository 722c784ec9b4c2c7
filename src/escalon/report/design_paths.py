"""Dose-transition pathways as a tree: every outcome of the next cohorts, drawn from left to right."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape

from escalon.design.paths import PathNode
from escalon.report.theme import FONT, INK
from escalon.report.wording import render_percent

PITCH, HEIGHT, TOP, ROOT = 25, 21, 30, 112
WIDTH, GAP, MOST = 1160, 46, 120
FILLS = {"escalate": "#CDEBDD", "stay": "#D5E6F3", "de_escalate": "#FCE0AE", "stop": "#B34700"}
FOUND = "#E0D4EC"
WORDS = {"escalate": "up to", "stay": "stay at", "de_escalate": "down to"}


@dataclass
class Box:
    """One box of the tree: an outcome, or several of the last cohort that lead to the same decision.

    `level`: 1-based level treated; `dlts`: the outcomes joined; `y`: middle of the box, in pixels.
    """

    level: int
    size: int
    dlts: tuple[int, ...]
    action: str
    next_level: int | None
    mtd: int | None
    probability: float
    children: list["Box"] = field(default_factory=list)
    y: float = 0.0


def build_boxes(nodes: Sequence[PathNode]) -> list[Box]:
    """Boxes of the tree; outcomes of the last cohort with the same decision are joined, others never."""
    boxes: list[Box] = []
    for node in nodes:
        chance = node.probability or 0.0
        last = boxes[-1] if boxes else None
        same = last is not None and (last.action, last.next_level, last.mtd) == (
            node.action,
            node.next_level,
            node.mtd,
        )
        if last is not None and same and not node.children and not last.children:
            last.dlts = (*last.dlts, node.dlts)
            last.probability += chance
        else:
            boxes.append(
                Box(
                    node.level,
                    node.size,
                    (node.dlts,),
                    node.action,
                    node.next_level,
                    node.mtd,
                    chance,
                    build_boxes(node.children),
                )
            )
    return boxes


def _place(boxes: Sequence[Box], row: int = 0) -> int:
    """Give every box its height: ends in order, others in the middle of what follows; the next free row."""
    for box in boxes:
        if box.children:
            row = _place(box.children, row)
            box.y = (box.children[0].y + box.children[-1].y) / 2
        else:
            box.y = TOP + PITCH * row + PITCH / 2
            row += 1
    return row


def _walk(boxes: Sequence[Box], depth: int = 0) -> Iterator[tuple[int, Box]]:
    for box in boxes:
        yield depth, box
        yield from _walk(box.children, depth + 1)


def say_outcome(box: Box) -> str:
    """Outcome in words: ``0–1/3 DLT``."""
    first, last = box.dlts[0], box.dlts[-1]
    return f"{first}/{box.size}" if first == last else f"{first}–{last}/{box.size}"


def say_decision(box: Box, labels: Sequence[str]) -> str:
    """Decision in words: ``up to DL2``, ``stop: MTD DL2``."""
    if box.next_level is None:
        return "stop, no dose" if box.mtd is None else f"stop, MTD {labels[box.mtd - 1]}"
    return f"{WORDS[box.action]} {labels[box.next_level - 1]}"


def render_tree(
    nodes: Sequence[PathNode], labels: Sequence[str], start: str, cohorts: int, ident: str, label: str
) -> str:
    """SVG of the tree; empty for one of more than `MOST` rows, which nobody would read.

    Parameters: `nodes` from ``dose_paths`` with a scenario; `start`: label of the first level; `label`: what the
    picture shows, in words. The thickness of a line is the probability of the course so far.
    """
    boxes = build_boxes(nodes)
    rows = _place(boxes)
    if rows > MOST:
        return ""
    height = TOP + PITCH * rows + 6
    column = (WIDTH - ROOT) / cohorts
    width = column - GAP
    root = (boxes[0].y + boxes[-1].y) / 2
    lines, shapes = [], [_root(root, start)]
    starts = {id(box): (ROOT, root) for box in boxes}
    for depth, box in _walk(boxes):
        left = ROOT + depth * column + GAP
        x, y = starts[id(box)]
        lines.append(_line(x, y, left, box))
        shapes.append(_shape(left, width, box, labels))
        starts |= {id(child): (left + width, box.y) for child in box.children}
    heads = [
        f'<text x="{ROOT + depth * column + GAP:.1f}" y="16" font-weight="bold">Cohort {depth + 1}: DLTs, '
        f"then decision</text>"
        for depth in range(cohorts)
    ]
    return (
        f'<svg role="img" aria-label="{escape(label)}" id="{ident}-svg" viewBox="0 0 {WIDTH} {height}" '
        f'style="max-width:{WIDTH}px" font-family="{FONT}" font-size="11.5" fill="{INK}">'
        f'{"".join(heads)}<g fill="none" stroke="#9AA5B1">{"".join(lines)}</g>{"".join(shapes)}</svg>'
    )


def _root(y: float, start: str) -> str:
    return (
        f'<rect x="0" y="{y - 20:.1f}" width="{ROOT}" height="40" rx="5" fill="{INK}"/>'
        f'<text x="{ROOT / 2}" y="{y - 3:.1f}" text-anchor="middle" fill="#FFFFFF">Start</text>'
        f'<text x="{ROOT / 2}" y="{y + 12:.1f}" text-anchor="middle" fill="#FFFFFF" font-weight="bold">'
        f"{escape(start)}</text>"
    )


def _line(x: float, y: float, left: float, box: Box) -> str:
    middle = (x + left) / 2
    thick = max(0.6, 14 * box.probability)
    return (
        f'<path d="M{x:.1f} {y:.1f} C{middle:.1f} {y:.1f} {middle:.1f} {box.y:.1f} {left:.1f} {box.y:.1f}" '
        f'stroke-width="{thick:.2f}"/>'
    )


def _shape(left: float, width: float, box: Box, labels: Sequence[str]) -> str:
    fill = FILLS[box.action]
    ink = "#FFFFFF" if box.action == "stop" and box.mtd is None else INK
    if box.action == "stop" and box.mtd is not None:
        fill = FOUND
    base = box.y + 4
    gap = 50 + 6.6 * max(map(len, labels)) + 20
    chance = f"{render_percent(box.probability)}%" if box.probability >= 0.0005 else "<0.1%"
    return (
        f'<rect x="{left:.1f}" y="{box.y - HEIGHT / 2:.1f}" width="{width:.1f}" height="{HEIGHT}" rx="4" '
        f'fill="{fill}"/>'
        f'<g fill="{ink}"><text x="{left + 8:.1f}" y="{base:.1f}">{escape(labels[box.level - 1])} '
        f'<tspan font-weight="bold">{say_outcome(box)}</tspan></text>'
        f'<text x="{left + gap:.1f}" y="{base:.1f}">{escape(say_decision(box, labels))}</text>'
        f'<text x="{left + width - 8:.1f}" y="{base:.1f}" text-anchor="end">{escape(chance)}</text></g>'
    )


def list_paths(nodes: Sequence[PathNode], before: str = "") -> Iterator[tuple[str, int, PathNode]]:
    """Every node of the tree with its outcomes so far (``1NNN 2NNT``) and the number of its cohort, from 1."""
    for node in nodes:
        own = f"{node.level}{'N' * (node.size - node.dlts)}{'T' * node.dlts}"
        outcomes = f"{before} {own}".strip()
        yield outcomes, outcomes.count(" ") + 1, node
        yield from list_paths(node.children, outcomes)
