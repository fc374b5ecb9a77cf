"""What shows itself on stderr as long as it is entered."""

import sys
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from rich.console import Console, RenderableType
from rich.live import Live as RichLive

from fluidbench.cli.output import Output


class Display(ABC):
    """Drawn anew four times a second on a terminal, lines elsewhere. Leaving it leaves the terminal as it was."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._screen = (
            RichLive(self, console=Console(stderr=True), refresh_per_second=4, transient=True)
            if sys.stderr.isatty()
            else None
        )

    def __enter__(self) -> Self:
        if self._screen:
            self._screen.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._screen:
            self._screen.stop()

    @abstractmethod
    def __rich__(self) -> RenderableType:
        """What is drawn on a terminal."""

    def _tell(self, line: str) -> None:
        """A line that stays, above what is drawn on a terminal."""
        if self._screen and self._screen.is_started:
            self._screen.console.print(line, highlight=False, markup=False, soft_wrap=True)
        else:
            self._output.note(line)
