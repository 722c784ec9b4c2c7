"""The course drawn: plain SVG with one scale up to a week past the window and a closer one after it."""

from dataclasses import dataclass

from markupsafe import Markup, escape

from escalon.report.casebook.course import Course, CourseMark, Lane

WIDTH, LEFT, RIGHT, TOP = 1120.0, 138.0, 14.0, 30.0
LINE, EVENT_LINE, GAP = 26.0, 15.0, 9.0
NEAR_SHARE = 0.64
QUARTER = 365.25 / 4
CHARACTER = 6.0
"""Width of a letter of a label, in units of the picture; labels that would not fit go to the other side."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Days to places: ``first`` to ``bend`` takes a fixed share of the width, ``bend`` to ``last`` the rest."""

    first: float
    bend: float
    last: float

    def __call__(self, day: float) -> float:
        """Return the place of a day."""
        width = WIDTH - LEFT - RIGHT
        near = width if self.last <= self.bend else width * NEAR_SHARE
        if day <= self.bend or self.last <= self.bend:
            return LEFT + near * (day - self.first) / (
                min(self.bend, max(self.last, self.first + 1)) - self.first
            )
        return LEFT + near + (width - near) * (day - self.bend) / (self.last - self.bend)

    def ticks(self) -> list[int]:
        """Return the days named on the axis: every week, later every quarter of a year or year."""
        weeks = [day for day in range(-364, 365, 7) if self.first <= day <= min(self.bend, self.last)]
        step = QUARTER if self.last <= 2.2 * 4 * QUARTER else 4 * QUARTER
        far = [round(step * number) for number in range(1, int(self.last / step) + 1)]
        far = [day for day in far if day > self.bend + 14]
        return weeks + far


def scale_of(course: Course) -> Scale:
    """Return the scale on which all marks of a course have a place."""
    marks = course.marks
    first = min([0.0, *(mark.start for mark in marks)]) - 1.5
    bend = max(float(course.window + 7), first + 14)
    return Scale(first, bend, max([7.0, *(mark.end or mark.start for mark in marks)]) + 2)


def draw_course(course: Course, label: str) -> Markup:
    """Return the picture as SVG text; ``label`` says in words what it shows."""
    scale = scale_of(course)
    parts: list[Markup] = []
    y = TOP + 8
    for lane in course.lanes:
        height = max(len(lane.marks), 1) * EVENT_LINE + 4 if lane.stacked else LINE
        parts.append(_lane(lane, scale, y, height))
        y += height + GAP
    bottom = y
    head = Markup(
        '<svg class="course" viewBox="0 0 {w:.0f} {h:.0f}" role="img" aria-label="{label}">'
    ).format(w=WIDTH, h=bottom + 6, label=label)
    return Markup("").join([head, _axis(course, scale, bottom), *parts, Markup("</svg>")])


def _axis(course: Course, scale: Scale, bottom: float) -> Markup:
    lines = [
        Markup('<text class="axis" x="{x:.1f}" y="14">{word}</text>').format(
            x=LEFT - 132, word="Days after infusion" if course.infused else "Days after consent"
        )
    ]
    for day in scale.ticks():
        x = scale(day)
        lines.append(
            Markup(
                '<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="20" y2="{b:.1f}"/>'
                '<text class="axis" x="{x:.1f}" y="14" text-anchor="middle">{day}</text>'
            ).format(kind="zero" if day == 0 and course.infused else "grid", x=x, b=bottom, day=day)
        )
    if scale.last > scale.bend:
        x = scale(scale.bend)
        lines.append(
            Markup('<line class="bend" x1="{x:.1f}" x2="{x:.1f}" y1="20" y2="{b:.1f}"/>').format(
                x=x, b=bottom
            )
        )
    return Markup("").join(lines)


def _lane(lane: Lane, scale: Scale, y: float, height: float) -> Markup:
    parts = [
        Markup('<text class="lane" x="{x:.1f}" y="{y:.1f}">{label}</text>').format(
            x=LEFT - 132, y=y + (EVENT_LINE if lane.stacked else LINE) / 2 + 4, label=lane.label
        ),
        Markup('<line class="rule" x1="0" x2="{w:.0f}" y1="{y:.1f}" y2="{y:.1f}"/>').format(
            w=WIDTH, y=y + height + GAP / 2
        ),
    ]
    if lane.stacked:
        for row, mark in enumerate(lane.marks):
            top = y + 2 + row * EVENT_LINE
            parts.append(_point(mark, scale, top) if mark.end is None else _bar(mark, scale, top))
        return Markup("").join(parts)
    free = 0.0
    marks = sorted(lane.marks, key=lambda mark: mark.start)
    for place, mark in enumerate(marks):
        x = scale(mark.start)
        following = scale(marks[place + 1].start) if place + 1 < len(marks) else WIDTH + 60
        words = "" if mark.style in ("sample", "dose") else mark.text
        width = len(words) * CHARACTER + 18
        fits = bool(words) and x + 6 >= free and x + width <= min(following - 5, WIDTH)
        left = bool(words) and not fits and x - width >= max(free, LEFT - 4) and following > WIDTH
        parts.append(_moment(mark, scale, y, words if fits or left else "", left))
        free = x + (width if fits else 6)
    return Markup("").join(parts)


def _moment(mark: CourseMark, scale: Scale, y: float, words: str, left: bool) -> Markup:
    x, middle = scale(mark.start), y + LINE / 2
    if mark.end is not None:
        shape = Markup('<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="16" rx="2"/>').format(
            x=x, y=middle - 8, w=max(scale(mark.end) - x, 2)
        )
        text = Markup('<text class="in" x="{x:.1f}" y="{y:.1f}">{t}</text>').format(
            x=x + 6, y=middle + 4, t=mark.text
        )
        return _group(mark, shape + text)
    shapes = {
        "infusion": "M{x:.1f} {t:.1f}l7 9l-7 9l-7 -9z",
        "death": "M{x:.1f} {t:.1f}m-6 3l12 12m0 -12l-12 12",
        "sample": "M{x:.1f} {t:.1f}v18",
        "dose": "M{x:.1f} {t:.1f}m-4 2h8l-4 14z",
    }
    path = shapes.get(mark.style, "M{x:.1f} {t:.1f}m0 4a5 5 0 1 0 .01 0z").format(x=x, t=middle - 9)
    drawn = Markup('<path d="{p}"/>').format(p=path)
    if words:
        drawn += Markup('<text x="{x:.1f}" y="{y:.1f}"{a}>{t}</text>').format(
            x=x - 9 if left else x + 9, y=middle + 4, a=Markup(' text-anchor="end"') if left else "", t=words
        )
    return _group(mark, drawn)


def _point(mark: CourseMark, scale: Scale, y: float) -> Markup:
    """A moment on a line of its own: its words stand on the side that has room."""
    left = scale(mark.start) + len(mark.text) * CHARACTER + 12 > WIDTH
    return _moment(mark, scale, y - (LINE - EVENT_LINE) / 2 + 1, mark.text, left)


def _bar(mark: CourseMark, scale: Scale, y: float) -> Markup:
    x = scale(mark.start)
    end = scale(mark.end if mark.end is not None else mark.start)
    width = max(end - x, 3)
    shape = Markup('<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="10" rx="1.5"/>').format(
        x=x, y=y, w=width
    )
    if mark.open_end:
        shape += Markup('<path d="M{x:.1f} {y:.1f}l6 5l-6 5z"/>').format(x=x + width, y=y)
    room = len(mark.text) * CHARACTER + 14
    after = x + width + room <= WIDTH
    before = not after and x - room >= LEFT
    place = x + width + 9 if after else x - 6 if before else x + 5
    anchor = Markup(' text-anchor="end"') if before else Markup("")
    kind = "over" if not after and not before else "by"
    text = Markup('<text class="{k}" x="{x:.1f}" y="{y:.1f}"{a}>{t}</text>').format(
        k=kind, x=place, y=y + 9, a=anchor, t=mark.text
    )
    return _group(mark, shape + text)


def _group(mark: CourseMark, drawn: Markup) -> Markup:
    day = f"day {mark.start:.0f}" if mark.end is None else f"day {mark.start:.0f} to {mark.end:.0f}"
    name = escape(f"{mark.record}: " if mark.record else "")
    return Markup('<g class="{s}"><title>{n}{t}, {d}{o}</title>{g}</g>').format(
        s=mark.style, n=name, t=mark.text, d=day, o=" (ongoing)" if mark.open_end else "", g=drawn
    )
