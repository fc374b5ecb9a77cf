"""The progress of `up` and `down` on stderr: the stages that ended, and what the others wait for."""

import time
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from fluidbench import text
from fluidbench.cli.display import Display
from fluidbench.cli.output import Output
from fluidbench.targets.cluster.bringup.events import Event, StageEnded, StageStarted, Told, Waiting

# where there is no terminal, a wait is told again when it changes, and at most so often
QUIET_S = 15.0


class Stages(Display):
    """A listener for the events of `up` and `down`."""

    def __init__(self, output: Output) -> None:
        super().__init__(output)
        self._active: dict[str, tuple[float, str]] = {}
        self._told: dict[str, tuple[float, str]] = {}
        self.ended: list[dict[str, Any]] = []

    def __call__(self, event: Event) -> None:
        if isinstance(event, StageStarted):
            self._active[event.stage] = (time.monotonic(), "")
        elif isinstance(event, Waiting):
            began, _ = self._active.get(event.stage, (time.monotonic(), ""))
            self._active[event.stage] = (began, event.what)
            if not self._screen:
                self._tell_wait(event)
        elif isinstance(event, Told):
            self._tell(f"  {'⚠' if event.warning else '·'} {event.stage}: {event.text}")
        else:
            self._end(event)

    def _end(self, event: StageEnded) -> None:
        self._active.pop(event.stage, None)
        self.ended.append(
            {"stage": event.stage, "seconds": event.seconds, "outcome": event.outcome, "found": event.found}
        )
        sign = "○" if event.found else "✔"
        self._tell(f"{sign} {event.stage}  {text.seconds(event.seconds)}  {event.outcome}")

    def _tell_wait(self, event: Waiting) -> None:
        at, before = self._told.get(event.stage, (0.0, ""))
        now = time.monotonic()
        if (event.what != before and now - at >= 1.0) or now - at >= QUIET_S:
            self._told[event.stage] = (now, event.what)
            self._output.note(f"  ◷ {event.stage}: {event.what}")

    def __rich__(self) -> RenderableType:
        shown = Text()
        for stage, (began, what) in self._active.items():
            shown.append(f"◷ {stage}  {time.monotonic() - began:.0f} s  {what}\n")
        return shown
