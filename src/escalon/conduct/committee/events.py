"""Facts of the committee."""

from dataclasses import dataclass

from escalon.conduct.act import Event


@dataclass(frozen=True, slots=True)
class MemberAppointed(Event):
    """A person belongs to the committee with this function."""

    person: str
    function: str


@dataclass(frozen=True, slots=True)
class CutTaken(Event):
    """Data cut number ``cut``: the state of ``part`` after event ``cut_seq``; ``content_hash`` pins what it holds."""

    cut: int
    part: str
    purpose: str
    cut_seq: int
    content_hash: str


@dataclass(frozen=True, slots=True)
class ReviewOpened(Event):
    """A review of a cut; ``packet_hash`` pins what the committee is shown."""

    review: int
    cut: int
    subject: str
    recommendation: int | None
    packet_hash: str


@dataclass(frozen=True, slots=True)
class InterestDeclared(Event):
    """A member's declaration; with a conflict the member is recused."""

    review: int
    person: str
    conflict: bool
    statement: str


@dataclass(frozen=True, slots=True)
class VoteCast(Event):
    """A member's vote; a later vote of the same member replaces it."""

    review: int
    person: str
    action: str
    dose_level: int | None
    reason: str
