"""The internal case: everything an individual case safety report says, before it is written for a region."""

import re
from dataclasses import dataclass
from datetime import datetime

from escalon.protocol.conduct.safety_reports import Receiver, Sender, StudyNumbers

_LICENSED = re.compile(r"\d{1,2}\.\d")


@dataclass(frozen=True, slots=True)
class Header:
    """Identity and times of the report.

    ``number``: sender's and worldwide case id (C.1.1, C.1.8.1); ``created``: C.1.2; ``first_received`` and ``latest``:
    C.1.4 and C.1.5; ``timeliness``: ``7-day``, ``15-day`` or ``not expedited``.
    """

    number: str
    version: int
    created: datetime
    first_received: datetime
    latest: datetime
    timeliness: str
    receiver: Receiver


@dataclass(frozen=True, slots=True)
class Reporter:
    """The investigator who reported; name and address are masked."""

    organisation: str
    country: str
    qualification: str = "1"


@dataclass(frozen=True, slots=True)
class Trial:
    """The study (C.5)."""

    sponsor_number: str
    title: str
    numbers: StudyNumbers


@dataclass(frozen=True, slots=True)
class PatientData:
    """The patient (D): coded subject number; the age is that at consent, in years; None: not known."""

    subject: str
    age: int | None
    sex: str | None
    weight: float | None
    race: str | None
    ethnicity: str | None
    history: str | None
    died_on: str | None


@dataclass(frozen=True, slots=True)
class Reaction:
    """The event (E). ``code`` and ``version`` are of MedDRA, None without a licensed dictionary."""

    verbatim: str
    term: str
    code: str | None
    version: str | None
    onset: str
    end: str | None
    serious: tuple[str, ...]
    outcome: str
    country: str


@dataclass(frozen=True, slots=True)
class Dose:
    """One administration (G.k.4); moments as ISO text."""

    amount: float
    unit: str
    start: str
    end: str
    route: str | None
    lot: str | None
    text: str


@dataclass(frozen=True, slots=True)
class ProductUse:
    """A product (G.k) with its doses and both opinions; ``related`` is what the two say together."""

    name: str
    role: str
    doses: tuple[Dose, ...]
    investigator: str | None
    sponsor: str | None
    related: bool
    indication: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A document sent with the report, as it is: base64, never compressed."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Icsr:
    """An individual case safety report."""

    header: Header
    reporter: Reporter
    sender: Sender
    trial: Trial
    patient: PatientData
    reactions: tuple[Reaction, ...]
    products: tuple[ProductUse, ...]
    narrative: str
    attachments: tuple[Attachment, ...] = ()

    @property
    def submittable(self) -> bool:
        """Tell whether every event carries a code of a licensed dictionary, whose versions are written 27.1."""
        return all(
            reaction.code and _LICENSED.fullmatch(reaction.version or "") for reaction in self.reactions
        )
