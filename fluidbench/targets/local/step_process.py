"""One step as a process: started as in a container, watched from outside, and turned into a record."""

import errno
import json
import os
import re
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fluidbench import text
from fluidbench.command import Exit, running, shell_line
from fluidbench.errors import DoesNotFit, ResultProblem, StepFailed, UsageProblem, WaitTimeout
from fluidbench.events import PhaseEnded, StepEnded, StepStarted, StepUpdate
from fluidbench.machine.memory import allowance, oom_kills
from fluidbench.machine.sampling import SAMPLE_INTERVAL_S, Peaks
from fluidbench.places import steps_dir
from fluidbench.plan import STEP_CONTRACT_VERSION, Plan, StepPlan
from fluidbench.records import Input, State, Step
from fluidbench.targets.base import Context
from fluidbench.tools.vineyardd import clean_environment

LOG_TAIL_LINES = 15
PHASE_LINE = re.compile(r"^phase (\S+) (\d+\.\d+)$", re.MULTILINE)


class StepProcess:
    """Runs one step of a plan. `environment` is what the store adds to it."""

    def __init__(self, plan: Plan, step: StepPlan, context: Context, environment: Mapping[str, str]) -> None:
        self._plan, self._step, self._context = plan, step, context
        self._report = context.private_dir / f"{step.name}.json"
        self._log = context.logs / f"{step.name}.log"
        self._environment = environment
        self._peaks = Peaks()
        self._seen_phases: list[str] = []
        self._timed_out = False
        self._dropping_s = 0.0

    def run(self) -> Iterator[StepUpdate]:
        """Yields the step's start, each phase as it ends, and its record.

        Raises StepFailed, WaitTimeout, or DoesNotFit when the disk is full.
        """
        began = time.monotonic()
        if self._plan.drop_caches:
            drop_caches()
        self._dropping_s = time.monotonic() - began if self._plan.drop_caches else 0.0
        started_at, kills_before = text.timestamp(), oom_kills()
        yield StepStarted(self._step.name, started_at)
        with running(self._argv(), env=self._env(), cwd=self._context.private_dir, log=self._log) as child:
            deadline = time.monotonic() + self._plan.step_timeout_s
            while (ended := child.wait(SAMPLE_INTERVAL_S)) is None:
                self._peaks.sample(child.pid)
                yield from self._new_phases()
                if time.monotonic() >= deadline:
                    self._timed_out = True
                    ended = child.stop()
                    break
        yield from self._new_phases()
        step = self._record(started_at, ended, oom_kills() > kills_before)
        yield StepEnded(step)
        if step.state is not State.SUCCEEDED:
            raise self._failure(step)

    def _argv(self) -> list[str]:
        multiplier = [f"--data_multiplier={self._plan.multiplier}"] if self._step.takes_multiplier else []
        return [sys.executable, str(steps_dir() / self._step.script), *multiplier, *self._step.arguments]

    def _env(self) -> dict[str, str]:
        threads = str(self._plan.threads)
        own = {
            "FLUIDBENCH_CONTRACT": str(STEP_CONTRACT_VERSION),
            "FLUIDBENCH_DATA_DIR": str(self._context.data_dir),
            "FLUIDBENCH_RUN_ID": self._context.run_id,
            "FLUIDBENCH_MULTIPLIER": str(self._plan.multiplier),
            "FLUIDBENCH_REPORT": str(self._report),
            "FLUIDBENCH_CACHE_POLICY": self._plan.cache_policy,
            **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), threads),
            "PYTHONPATH": os.pathsep.join(filter(None, self._importable())),
            "PYTHONUNBUFFERED": "1",
        }
        if self._step.saves is not None:
            own["FLUIDBENCH_SAVES"] = " ".join(self._step.saves)
        return clean_environment() | own | dict(self._environment)

    def _importable(self) -> list[str | None]:
        """Where a user's own store lies, and the contract for a step that is not one of FluidBench's."""
        contract = str(steps_dir()) if self._step.saves is not None else None
        return [contract, os.environ.get("PYTHONPATH"), _where_started()]

    def _new_phases(self) -> Iterator[PhaseEnded]:
        for name, seconds in _phases_told(self._log)[len(self._seen_phases) :]:
            self._seen_phases.append(name)
            yield PhaseEnded(self._step.name, name, seconds)

    def _record(self, started_at: str, ended: Exit, oom_killed: bool) -> Step:
        report = self._read_report()
        aside: dict[str, Any] = {name: float(report.get(name, 0.0)) for name in ("evict_s", "fsync_s", "verify_s")}
        aside["evict_s"] += self._dropping_s
        phases = dict(report.get("phases", {}))
        if "ended_at" in report:
            phases["exit"] = max(0.0, ended.seen_at - report["ended_at"])
        succeeded = ended.returncode == 0 and "ended_at" in report and "error" not in report
        return Step(
            name=self._step.name,
            state=State.SUCCEEDED if succeeded else State.FAILED,
            reason="" if succeeded else self._reason(report, ended, oom_killed),
            started_at=started_at,
            finished_at=text.timestamp(),
            duration_s=sum(phases.values()),
            phases=phases,
            read_bytes=report.get("read_bytes", 0),
            written_bytes=report.get("written_bytes", 0),
            cpu_s=report.get("cpu_s", 0.0),
            peak_private_bytes=self._peaks.private_bytes,
            peak_shared_bytes=self._peaks.shared_bytes,
            peak_file_bytes=self._peaks.file_bytes,
            node=os.uname().nodename,
            transport=report.get("transport", ""),
            inputs=tuple(Input(**entry) for entry in report.get("inputs", ())),
            results=report.get("results", {}),
            warnings=tuple(report.get("warnings", ())),
            **aside,
        )

    def _read_report(self) -> dict[str, Any]:
        try:
            report: dict[str, Any] = json.loads(self._report.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return report

    def _reason(self, report: Mapping[str, Any], ended: Exit, oom_killed: bool) -> str:
        if self._timed_out:
            last = self._seen_phases[-1] if self._seen_phases else "none"
            return f"did not end within {self._plan.step_timeout_s:g} s; the last phase that ended: {last}"
        if ended.signal == 9 and oom_killed:
            limit = allowance()
            return (
                f"out of memory: the kernel killed it at {text.size(self._peaks.private_bytes)} private and "
                f"{text.size(self._peaks.shared_bytes)} shared; without it {text.size(limit.available_bytes)} "
                f"are free ({limit.bound})"
            )
        if ended.signal is not None:
            return f"killed by signal {ended.signal}"
        if error := report.get("error"):
            return f"{error['type']}: {error['message']}"
        return f"exit code {ended.returncode}"

    def _failure(self, step: Step) -> Exception:
        if self._timed_out:
            return WaitTimeout(
                f"{step.name} {step.reason}", f"Give it more time with --step-timeout, or read its log: {self._log}"
            )
        error = self._read_report().get("error") or {}
        message = f"{step.name} failed: {step.reason}"
        if error.get("errno") == errno.ENOSPC:
            return DoesNotFit(
                message, f"{self._context.data_dir} is full: free some space, or name another --data-dir."
            )
        if error.get("type") == "AlteredDatasetError":
            dataset = self._context.data_dir / f"df_{self._plan.multiplier}"
            remove = shell_line(["rm", "-f", f"{dataset}.pkl", f"{dataset}.json"])
            return ResultProblem(
                error["message"], f"Name another --data-dir, or remove it, and the next run prepares it: {remove}"
            )
        tail = "\n".join(self._log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])
        return StepFailed(f"{message}\n{tail}".rstrip(), f"The whole log: {self._log}")


def drop_caches(switch: Path = Path("/proc/sys/vm/drop_caches")) -> None:
    """Empties the page cache of the whole machine, libraries too. Raises UsageProblem without the right."""
    os.sync()
    try:
        switch.write_text("3", encoding="ascii")
    except OSError as error:
        raise UsageProblem(
            f"--cache dropped needs the right to write {switch}: {error.strerror}",
            "Run as root, or use --cache cold: it evicts what the steps read, and needs no privilege.",
        ) from error


def _where_started() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - as Python itself asks
    except FileNotFoundError:
        return ""


def _phases_told(log: Path) -> list[tuple[str, float]]:
    """The phases in a step's log, from its whole lines."""
    whole, _, _ = log.read_text(errors="replace").rpartition("\n")
    return [(name, float(seconds)) for name, seconds in PHASE_LINE.findall(whole)]
