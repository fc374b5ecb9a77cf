"""What `compare` does: finds what is recorded, runs what is missing, and compares."""

import dataclasses
import secrets
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from fluidbench import comparison, control, machines, regression
from fluidbench.comparison import Comparison
from fluidbench.errors import ResultProblem
from fluidbench.execution import Execution
from fluidbench.plan import Plan
from fluidbench.records import Experiment, Run, State
from fluidbench.remainder import Remainder, remainder
from fluidbench.rounds import OwnCode, Round, mismatch, split_code
from fluidbench.runner import Runner, code_version, new_id
from fluidbench.text import timestamp

DEFAULT_ROUNDS = 6
# for a multiplier that was never run here: three steps that start, and the work of a slow machine
GUESS_STARTUP_S = 15.0
GUESS_PER_MULTIPLIER_S = 0.06


@dataclass(frozen=True)
class Missing:
    """What is still to be run: the numbers of the rounds, in a new experiment or in one that was interrupted, and how
    long they should take."""

    numbers: Sequence[int]
    recorded: int
    estimate_s: float
    resumed: Experiment | None = None

    @property
    def rounds(self) -> int:
        return len(self.numbers)


@dataclass(frozen=True)
class Campaign:
    """A comparison of `stores` on one plan. The plan's own store is not looked at.

    With `control` it is one of the first store with itself. With `against`, the id of an experiment, only the newest
    other one counts, and its arms are held against those of that one.
    """

    runner: Runner
    plan: Plan
    stores: Sequence[str]
    control: bool = False
    against: str | None = None
    # whether rounds of other machines are compared too
    force: bool = False

    @property
    def arms(self) -> tuple[str, ...]:
        """The names of what is compared, the baseline first."""
        return control.arms_of(self.stores[0]) if self.control else tuple(self.stores)

    def recorded(self) -> Comparison:
        """The comparison of what is recorded for this machine, dataset and plan."""
        return self._compared(self._runs(), self._like())

    def _compared(self, runs: Sequence[Run], like: Run | None) -> Comparison:
        own = self._own_code()
        runs = machines.alike(runs, like) if self.force else runs
        if self.control:
            floor = control.control_of(runs, self.stores[0], like, own) if like else None
            pairs = control.as_pair(runs, self.stores[0])
            return dataclasses.replace(comparison.compare(pairs, self.arms, like, own), control=floor)
        if self.against is None or like is None:
            return comparison.compare(runs, self.arms, like, own)
        newest = self._newest(like, runs)
        runs = [run for run in runs if run.control_arm or (newest and run.experiment_id == newest.experiment_id)]
        now = comparison.rounds_of(runs, self.arms, like, own)
        changes = regression.changes(self.yardstick(), now, self.stores[1:], self.against)
        return dataclasses.replace(comparison.compare(runs, self.arms, like, own), against=changes)

    def yardstick(self) -> list[Round]:
        """The rounds of the earlier experiment. Raises ResultProblem where nothing can be held against them."""
        like = self._like()
        if self.against is None or like is None:
            return []
        runs = self.runner.results.runs_of_experiment(self.against)
        return regression.earlier_rounds(runs, self.against, self.stores, like)

    def foreign(self) -> list[machines.Foreign]:
        """The whole rounds that only another machine's fingerprint keeps from being compared."""
        return machines.foreign(self._as_arms(self._runs()), self.arms, self._like(), self._own_code())

    def missing(self, rounds: int | None) -> Missing:
        """The rounds that are still to be run: up to `rounds`; without a number what an interrupted experiment lacks,
        or the default where nothing is recorded."""
        runs, like = self._runs(), self._like()
        newest = self._newest(like, runs) if like else None
        rest = remainder(newest, self._as_arms(runs)) if newest else Remainder()
        recorded = self._compared(runs, like).rounds
        # what an earlier night recorded is no answer to whether it got slower
        counted = recorded if rest.pending or self.against is None else 0
        if rounds is not None:
            lacking = max(0, rounds - counted)
        else:
            lacking = len(rest.pending) or (0 if counted else DEFAULT_ROUNDS)
        if not rest.pending:
            newest, rest = None, Remainder()
        # the warm-ups come to the rounds
        estimate_s = (lacking + 1) * sum(self._guesses(runs).values()) if lacking else 0.0
        return Missing(rest.next(lacking), counted, estimate_s, newest)

    def check(self) -> None:
        """Raises the first thing that stands against running any of the stores."""
        for store in self.stores:
            self.runner.check(dataclasses.replace(self.plan, store=store))

    def run(self, missing: Missing) -> None:
        """Runs the missing rounds, interleaved, after one warm-up of each store.

        An experiment that was interrupted goes on in its own order. It is warmed up again: what was warm when it was
        interrupted may be cold by now.
        """
        self.check()
        self.runner.prepare(self.plan)
        planned = self._longer(missing.resumed, missing) if missing.resumed else self._new_experiment(missing)
        Execution(self.runner, self.plan, planned, missing.numbers, self._guesses(self._runs())).run()

    def _longer(self, resumed: Experiment, missing: Missing) -> Experiment:
        planned = dataclasses.replace(resumed, rounds=max(resumed.rounds, missing.numbers[-1]))
        self.runner.results.save_experiment(planned)
        return planned

    def _new_experiment(self, missing: Missing) -> Experiment:
        like = self._like()
        if like is None:
            raise ResultProblem("the dataset disappeared", "Make it again: fluidbench prepare")
        identity = dataclasses.replace(like.identity, store=",".join(self.arms))
        seed = secrets.randbelow(1 << 31)
        planned = Experiment(new_id(), identity, self.arms, missing.rounds, seed, timestamp())
        self.runner.results.add_experiment(planned)
        return planned

    def _newest(self, like: Run, runs: Sequence[Run]) -> Experiment | None:
        """The last experiment of these stores that was made of the same, in the same place, with the same code."""
        wanted = dataclasses.replace(like.identity, store=",".join(self.arms))
        own = self._own_code()
        others = {run.experiment_id for run in runs if run.state is State.SUCCEEDED and mismatch(run, like, own)}
        for planned in self.runner.results.experiments_of(self.plan.multiplier):
            if planned.identity == wanted and planned.experiment_id not in {*others, self.against}:
                return planned
        return None

    def _runs(self) -> list[Run]:
        return self.runner.results.runs_of(self.plan.multiplier)

    def _as_arms(self, runs: Sequence[Run]) -> Sequence[Run]:
        return control.as_pair(runs, self.stores[0]) if self.control else runs

    def _own_code(self) -> OwnCode:
        return {store: split_code(code_version(store, s3_url=self.plan.s3_url))[1] for store in self.stores}

    def _like(self) -> Run | None:
        """A record such as a run would have here and now; without a dataset, the last that there was; or None."""
        if self.runner.target.dataset(self.plan, self.runner.data_dir) is not None:
            return self.runner.blank(self.plan)
        plan = self.plan
        wanted = (self.runner.target.name, plan.pipeline.name, plan.cache_policy, plan.threads, plan.storage)
        # an import is recorded late, whenever it was measured
        for run in sorted(self._runs(), key=lambda run: run.started_at, reverse=True):
            had = run.identity
            like = (had.target, had.pipeline, had.cache_policy, had.threads, had.storage)
            if like == wanted and run.state is State.SUCCEEDED:
                return run
        return None

    def _guesses(self, runs: Sequence[Run]) -> dict[str, float]:
        """How long a run of each arm should take: as long as it did, or as the others do, or a guess."""
        own = self.plan.pipeline.name
        runs = [run for run in runs if run.duration_s and run.identity.pipeline == own]
        known = {
            store: statistics.median(run.duration_s + run.service_start_s + run.evict_s + run.verify_s for run in same)
            for store in self.stores
            if (same := [run for run in runs if run.identity.store == store])
        }
        guess = GUESS_STARTUP_S + GUESS_PER_MULTIPLIER_S * self.plan.multiplier
        usual = statistics.fmean(known.values()) if known else guess
        stores = [self.stores[0]] * len(self.arms) if self.control else self.stores
        return {arm: known.get(store, usual) for arm, store in zip(self.arms, stores, strict=True)}
