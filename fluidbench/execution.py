"""Runs the rounds of an experiment, tells how far it is, and bears with a store that fails once."""

import dataclasses
import statistics
import time
from collections.abc import Mapping, Sequence

from fluidbench import control, experiment
from fluidbench.errors import ExternalFailure, FluidbenchError, StepFailed, WaitTimeout
from fluidbench.events import Progress, RoundDropped
from fluidbench.plan import Plan
from fluidbench.records import Experiment, State
from fluidbench.runner import Runner, Slot

# what a store may fail of in one round and do without in the next
PASSING = (StepFailed, WaitTimeout, ExternalFailure)


class Execution:
    """The rounds `numbers` of a planned experiment. `guess_s` is how long a run of each arm should take.

    A round in which a store fails is dropped, and the others go on. The same store failing in the next round that it
    runs in too, or in its warm-up, ends the experiment with its error.
    """

    def __init__(
        self, runner: Runner, plan: Plan, planned: Experiment, numbers: Sequence[int], guess_s: Mapping[str, float]
    ) -> None:
        self._runner, self._plan, self._planned = runner, plan, planned
        wanted = {0, *numbers}
        order = experiment.schedule(planned.stores, planned.rounds, planned.seed)
        self._slots = [slot for slot in order if slot.round in wanted]
        self._guess_s = guess_s
        self._nodes = runner.target.nodes(plan)
        self._wall_s: dict[str, list[float]] = {arm: [] for arm in planned.stores}
        self._times: dict[str, list[float]] = {arm: [] for arm in planned.stores}
        self._failed: set[str] = set()

    def run(self) -> None:
        """Runs them all. Leaves everything recorded, however it ends."""
        self._times |= self._recorded()
        dropped = 0
        for position, slot in enumerate(self._slots):
            if slot.round and slot.round == dropped:
                continue
            self._runner.listener(self._progress(position))
            try:
                self._run(slot)
            except PASSING as error:
                self._bear(slot, error)
                dropped = slot.round

    def _run(self, slot: experiment.Slot) -> None:
        arms = self._planned.stores
        is_control = control.is_control(arms)
        place = Slot(
            self._planned.experiment_id, slot.round, slot.position, self._planned.seed, slot.warmup,
            control.CONTROL_ARMS[arms.index(slot.store)] if is_control else "",
        )  # fmt: skip
        node = experiment.node_of(slot.round, self._planned.seed, self._nodes)
        store = arms[0] if is_control else slot.store
        began = time.monotonic()
        run = self._runner.run(dataclasses.replace(self._plan, store=store, node=node), place)
        self._wall_s[slot.store].append(time.monotonic() - began)
        self._failed.discard(slot.store)
        if not slot.warmup:
            self._times[slot.store].append(run.duration_s)

    def _bear(self, slot: experiment.Slot, error: FluidbenchError) -> None:
        """Drops the round, or raises the error where there is no hope."""
        if slot.warmup or slot.store in self._failed:
            raise error
        self._failed.add(slot.store)
        self._runner.listener(RoundDropped(slot.round, slot.store, error.message))

    def _progress(self, position: int) -> Progress:
        slot = self._slots[position]
        return Progress(
            store=slot.store, multiplier=self._plan.multiplier, round=slot.round, of=self._slots[-1].round,
            times={arm: tuple(times) for arm, times in self._times.items()},
            left_s=sum(self._expected_s(rest.store) for rest in self._slots[position:]),
        )  # fmt: skip

    def _expected_s(self, arm: str) -> float:
        walls = self._wall_s[arm]
        return statistics.median(walls) if walls else self._guess_s[arm]

    def _recorded(self) -> dict[str, list[float]]:
        """The times of the rounds that ran before an interruption."""
        runs = self._runner.results.runs_of_experiment(self._planned.experiment_id)
        runs = control.as_pair(runs, self._planned.stores[0]) if control.is_control(self._planned.stores) else runs
        done = [run for run in runs if run.round and run.state is State.SUCCEEDED]
        return {arm: [run.duration_s for run in done if run.identity.store == arm] for arm in self._planned.stores}
