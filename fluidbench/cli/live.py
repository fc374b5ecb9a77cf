"""The progress of a run on stderr: a tree that grows on a terminal, plain lines elsewhere."""

import statistics
import time
from typing import Any

from rich.console import RenderableType
from rich.text import Text
from rich.tree import Tree

from fluidbench import text
from fluidbench.cli.display import Display
from fluidbench.cli.output import Output
from fluidbench.confounding import remarks
from fluidbench.events import (
    Note,
    PhaseEnded,
    Progress,
    RoundDropped,
    RunEnded,
    StepEnded,
    StepRunning,
    StepStarted,
    StepUpdate,
)
from fluidbench.own_steps import PREFIX
from fluidbench.records import Run, State, Step

GLYPHS = {
    State.PENDING: "◷", State.RUNNING: "●", State.SUCCEEDED: "✔", State.FAILED: "✖", State.ERROR: "⚠",
    State.SKIPPED: "○", State.OMITTED: "○",
}  # fmt: skip

# of a store's times so far
LAST_TIMES = 5


class Live(Display):
    """A listener for a runner; `runs` are those that were recorded."""

    def __init__(self, output: Output) -> None:
        super().__init__(output)
        self._title = ""
        self.runs: list[Run] = []
        self._ended: list[Step] = []
        self._running: tuple[str, float] | None = None
        self._state = State.RUNNING
        self._phases: dict[str, float] = {}
        self._progress: tuple[Progress, float] | None = None

    def pause(self) -> None:
        """Takes the tree off the terminal, for a question or a result."""
        if self._screen and self._screen.is_started:
            self._screen.stop()

    def begin(self, title: str) -> None:
        """A new run begins."""
        self._title, self._ended, self._running = title, [], None
        if self._screen and not self._screen.is_started:
            self._screen.start()
        if not self._screen:
            self._output.note(title)

    def __call__(self, update: StepUpdate) -> None:
        if isinstance(update, StepStarted):
            self._running, self._phases, self._state = (update.name, time.monotonic()), {}, update.state
        elif isinstance(update, StepRunning):
            self._state = State.RUNNING
        elif isinstance(update, PhaseEnded):
            self._phases[update.phase] = update.seconds
        elif isinstance(update, StepEnded):
            self._running = None
            self._ended.append(update.step)
        elif isinstance(update, RunEnded):
            self.runs.append(update.run)
        elif isinstance(update, Progress):
            self._progress = update, time.monotonic()
            self.begin("; ".join([progress_title(update), *progress_lines(update, update.left_s)]))
        elif isinstance(update, RoundDropped):
            self._tell(dropped_line(update))
        if not self._screen:
            self._line(update)
        elif isinstance(update, Note):
            self._tell(f"  {update.text}")

    def _line(self, update: StepUpdate) -> None:
        if isinstance(update, Note):
            self._output.note(f"  {update.text}")
        elif isinstance(update, StepStarted):
            self._output.note(f"  {GLYPHS[update.state]} {update.name}")
        elif isinstance(update, PhaseEnded):
            self._output.note(f"      {update.phase} {text.seconds(update.seconds)}")
        elif isinstance(update, StepEnded):
            self._output.note(f"  {step_line(update.step)}")

    def __rich__(self) -> RenderableType:
        tree = Tree(Text(self._title))
        if self._progress:
            progress, since = self._progress
            tree = Tree(Text(progress_title(progress)))
            for line in progress_lines(progress, progress.left_s - (time.monotonic() - since)):
                tree.add(Text(line))
        for step in self._ended:
            tree.add(Text(step_line(step)))
        if self._running:
            name, since = self._running
            node = tree.add(Text(f"{GLYPHS[self._state]} {name}  {time.monotonic() - since:.1f} s"))
            for phase, seconds in self._phases.items():
                node.add(Text(f"{phase} {text.seconds(seconds)}"))
        return tree


def progress_title(progress: Progress) -> str:
    """What is run: multiplier 100 through pickle, round 2 of 6."""
    where = f"round {progress.round} of {progress.of}" if progress.round else "warm-up"
    return f"multiplier {progress.multiplier} through {progress.store}, {where}"


def progress_lines(progress: Progress, left_s: float) -> list[str]:
    """Each arm's times so far, the last ones told singly, and the time left."""
    lines = [
        f"{arm} {', '.join(text.seconds(value) for value in times[-LAST_TIMES:])} "
        f"(median {text.seconds(statistics.median(times))} of {len(times)})"
        for arm, times in progress.times.items()
        if times
    ]
    return [*lines, f"about {text.seconds(left_s)} left" if left_s >= 1 else "nearly done"]


def dropped_line(dropped: RoundDropped) -> str:
    """Why a round does not count, in a line."""
    reason = (dropped.reason.splitlines() or [""])[0]
    return f"Round {dropped.round} is dropped: {dropped.store} failed ({reason}). The other rounds go on."


def step_line(step: Step) -> str:
    """A step that ended, in one line."""
    parts = [f"{GLYPHS[step.state]} {step.name}", text.seconds(step.duration_s)]
    if step.read_bytes:
        parts.append(f"read {text.size(step.read_bytes)}, wrote {text.size(step.written_bytes)}")
    return "  ".join([*parts, step.reason]).rstrip()


def _results(run: Run) -> dict[str, Any]:
    """The results in a line each: the published one, or all that are so short of a user's own steps."""
    if not run.identity.pipeline.startswith(PREFIX):
        return {"MSE": run.results["mse"]} if "mse" in run.results else {}
    short = {name: value for name, value in run.results.items() if isinstance(value, int | float | str)}
    return {name: value for name, value in short.items() if "digest" not in name and name != "steps_code"}


def run_tree(run: Run) -> list[str]:
    """A finished run in the manner of `argo get`, as lines."""
    facts: dict[str, Any] = {
        "Name": run.run_id,
        "Status": f"{run.state}{': ' + run.reason if run.reason else ''}",
        "Store": run.identity.store,
        "Multiplier": f"{run.identity.multiplier}" + (f" ({run.identity.rows:,} rows)" if run.identity.rows else ""),
        "Target": f"{run.identity.target}, pipeline {run.identity.pipeline}",
        "Cache": f"{run.cache} (policy {run.identity.cache_policy})",
        **({"Storage": str(run.identity.storage)} if run.identity.storage else {}),
        "Started": run.started_at,
        "Duration": f"{text.seconds(run.duration_s)}, of which {text.seconds(run.unaccounted_s)} around the steps",
        "Not counted": f"service start {text.seconds(run.service_start_s)}, evict {text.seconds(run.evict_s)}, "
        f"sync and verify {text.seconds(run.verify_s)}",
    }
    lines = [f"{name + ':':<13}{value}" for name, value in facts.items()]
    lines += [f"{name + ': ':<13}{value}" for name, value in _results(run).items()]
    lines += ["", f"{'STEP':<22}{'DURATION':>10}  {'PRIVATE':>9}  {'SHARED':>9}  PHASES"]
    for position, step in enumerate(run.steps):
        branch = "└─" if position == len(run.steps) - 1 else "├─"
        phases = "  ".join(f"{name} {text.seconds(seconds)}" for name, seconds in step.phases.items())
        lines.append(
            f"{branch}{GLYPHS[step.state]} {step.name:<18}{text.seconds(step.duration_s):>10}  "
            f"{text.size(step.peak_private_bytes):>9}  {text.size(step.peak_shared_bytes):>9}  {phases}"
        )
    return [*lines, *(f"! {remark}" for remark in remarks(run))]
