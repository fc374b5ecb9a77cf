"""What `compare` does: finds what is recorded, runs what is missing, and compares."""

import dataclasses
import secrets
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fluidbench import comparison, experiment
from fluidbench.comparison import Comparison
from fluidbench.errors import ResultProblem
from fluidbench.plan import Plan
from fluidbench.records import Experiment, Run, State
from fluidbench.runner import Runner, Slot, code_version, new_id
from fluidbench.text import timestamp

DEFAULT_ROUNDS = 6
# for a multiplier that was never run here: three steps that start, and the work of a slow machine
GUESS_STARTUP_S = 15.0
GUESS_PER_MULTIPLIER_S = 0.06


@dataclass(frozen=True)
class Missing:
    """What is still to be run: so many rounds, and how long they should take."""

    rounds: int
    recorded: int
    estimate_s: float


@dataclass(frozen=True)
class Campaign:
    """A comparison of `stores` on one plan. The plan's own store is not looked at."""

    runner: Runner
    plan: Plan
    stores: Sequence[str]

    def recorded(self) -> Comparison:
        """The comparison of what is recorded for this machine, dataset and plan."""
        own_code = {
            store: comparison.split_code(code_version(store, s3_url=self.plan.s3_url))[1] for store in self.stores
        }
        return comparison.compare(self._runs(), self.stores, self._like(), own_code)

    def missing(self, rounds: int | None) -> Missing:
        """How many rounds are still to be run: up to `rounds`, or the default where there is not one whole round."""
        recorded = self.recorded().rounds
        wanted = rounds if rounds is not None else (recorded or DEFAULT_ROUNDS)
        lacking = max(0, wanted - recorded)
        # the warm-ups come to the rounds
        return Missing(lacking, recorded, (lacking + 1) * self._round_s() if lacking else 0.0)

    def check(self) -> None:
        """Raises the first thing that stands against running any of the stores."""
        for store in self.stores:
            self.runner.check(dataclasses.replace(self.plan, store=store))

    def run(self, rounds: int, began: Callable[[experiment.Slot, int], None]) -> None:
        """Runs so many interleaved rounds, after one warm-up of each store; `began` hears of each slot first."""
        self.check()
        self.runner.prepare(self.plan)
        seed = secrets.randbelow(1 << 31)
        slots = experiment.schedule(self.stores, rounds, seed)
        experiment_id = self._record_experiment(rounds, seed)
        for slot in slots:
            began(slot, rounds)
            place = Slot(experiment_id, slot.round, slot.position, seed, slot.warmup)
            node = experiment.node_of(slot.round, seed, self.runner.target.nodes(self.plan))
            self.runner.run(dataclasses.replace(self.plan, store=slot.store, node=node), place)

    def _record_experiment(self, rounds: int, seed: int) -> str:
        like = self._like()
        if like is None:
            raise ResultProblem("the dataset disappeared", "Make it again: fluidbench prepare")
        experiment_id = new_id()
        identity = dataclasses.replace(like.identity, store=",".join(self.stores))
        self.runner.results.add_experiment(
            Experiment(experiment_id, identity, tuple(self.stores), rounds, seed, timestamp())
        )
        return experiment_id

    def _runs(self) -> list[Run]:
        return self.runner.results.runs_of(self.plan.multiplier)

    def _like(self) -> Run | None:
        """A record such as a run would have here and now; without a dataset, the last that there was; or None."""
        if self.runner.target.dataset(self.plan, self.runner.data_dir) is not None:
            return self.runner.blank(self.plan)
        plan = self.plan
        wanted = (self.runner.target.name, plan.pipeline.name, plan.cache_policy, plan.threads, plan.storage)
        for run in reversed(self._runs()):
            had = run.identity
            like = (had.target, had.pipeline, had.cache_policy, had.threads, had.storage)
            if like == wanted and run.state is State.SUCCEEDED:
                return run
        return None

    def _round_s(self) -> float:
        own = self.plan.pipeline.name
        runs = [run for run in self._runs() if run.duration_s and run.identity.pipeline == own]
        known = [
            statistics.median(run.duration_s + run.service_start_s + run.evict_s + run.verify_s for run in same)
            for store in self.stores
            if (same := [run for run in runs if run.identity.store == store])
        ]
        guess = GUESS_STARTUP_S + GUESS_PER_MULTIPLIER_S * self.plan.multiplier
        return sum(known) + (len(self.stores) - len(known)) * (statistics.fmean(known) if known else guess)
