"""What a person sees while a design report is made."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from escalon.report.design_content import STEPS


class DesignProgress:
    """Progress bar on standard error, one step at a time."""

    def __init__(self, quiet: bool = False) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<16}"),
            BarColumn(bar_width=40),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            disable=quiet,
        )
        self._task = self._progress.add_task("Design report", total=len(STEPS))

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._progress.update(self._task, completed=len(STEPS), description="Design report")
        self._progress.stop()

    def step(self, text: str) -> None:
        """Show the step that begins."""
        self._progress.update(self._task, completed=STEPS.index(text), description=text)
