"""How a report came about."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RunInfo:
    """How the page came about, printed in its footer.

    Attributes:
        software: name and version of the program.
        ledger_head: hash of the last entry of the ledger.
        seed: seed of a simulated run, or None.
        scenario: id of the true scenario of a simulated run, or None.
        simulated: the patients are virtual; the first page says so.
        data_cut: moment of the data cut; None takes the state's own.
    """

    software: str
    ledger_head: str
    seed: int | None = None
    scenario: str | None = None
    simulated: bool = True
    data_cut: datetime | None = None
