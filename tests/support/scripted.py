"""A target whose runs take no time and the seconds that a script says, for what is about rounds and not about runs."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fluidbench.campaign import Campaign
from fluidbench.dataset import Dataset
from fluidbench.events import StepEnded, StepUpdate
from fluidbench.plan import Plan
from fluidbench.records import Fingerprint
from fluidbench.results import Results
from fluidbench.runner import Runner
from fluidbench.targets.base import Context, Session
from support.made import step

# the seconds of the n-th run through a store, from 0 (the warm-up), or what it fails of
Script = Callable[[str, int], float | BaseException]


@dataclass
class ScriptedTarget:
    """Counts the runs through each store, and lets each do what the script says."""

    script: Script
    name: str = "local"
    digest: str = "d"
    counts: dict[str, int] = field(default_factory=dict)

    def check(self, plan, data_dir):
        return []

    def prepare(self, plan, context):
        return iter(())

    def dataset(self, plan: Plan, data_dir: Path) -> Dataset:
        return Dataset(data_dir, plan.multiplier, plan.rows, self.digest, 1)

    @contextlib.contextmanager
    def session(self, plan: Plan, context: Context) -> Iterator[Session]:
        count = self.counts.get(plan.store, 0)
        self.counts[plan.store] = count + 1
        yield Session(self._updates(self.script(plan.store, count)), wall_s=self._seconds(plan.store, count))

    def _seconds(self, store: str, count: int) -> float:
        said = self.script(store, count)
        return said if isinstance(said, float) else 0.0

    def _updates(self, said: float | BaseException) -> Iterator[StepUpdate]:
        if isinstance(said, BaseException):
            raise said
        yield StepEnded(step(load=0.5 * said, compute=0.4 * said))

    def threads(self) -> int:
        return 2

    def nodes(self, plan):
        return []

    def clear(self, left):
        pass

    def fingerprint(self, data_dir: Path) -> Fingerprint:
        return Fingerprint({"cpu": "one"}, "f1")

    def readings(self):
        return {}


@dataclass
class Bench:
    """Campaigns on one results database; `heard` are the events of all runs."""

    results: Results
    place: Path
    heard: list[StepUpdate] = field(default_factory=list)

    def campaign(self, script: Script, *, digest: str = "d", **more) -> Campaign:
        runner = Runner(ScriptedTarget(script, digest=digest), self.results, self.place, self.heard.append)
        return Campaign(runner, Plan("pickle", 1, threads=2), ("pickle", "vineyard"), **more)

    def made(self, script: Script, rounds: int | None = None, **more) -> Campaign:
        """A campaign whose missing rounds have been run."""
        campaign = self.campaign(script, **more)
        campaign.run(campaign.missing(rounds))
        return campaign
