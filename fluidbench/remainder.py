"""What is left to run of an experiment that was interrupted. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice

from fluidbench.records import Experiment, Run, State
from fluidbench.rounds import whole_rounds


@dataclass(frozen=True)
class Remainder:
    """The rounds that are settled, whole or dropped for a store that failed, and the planned ones that are not."""

    settled: frozenset[int] = frozenset()
    pending: tuple[int, ...] = ()

    def next(self, rounds: int) -> tuple[int, ...]:
        """The numbers of so many more rounds. Beyond the plan the experiment goes on in the order of its seed."""
        return tuple(islice(self._open(), rounds))

    def _open(self) -> Iterator[int]:
        return (number for number in count(1) if number not in self.settled)


def remainder(planned: Experiment, runs: Sequence[Run]) -> Remainder:
    """What is left of an experiment, given all runs. A torn round, which has no failure, is to be run again whole."""
    ours = [run for run in runs if run.experiment_id == planned.experiment_id and run.round]
    succeeded = [run for run in ours if run.state is State.SUCCEEDED]
    whole = {next(iter(entry.values())).round or 0 for entry in whole_rounds(succeeded, planned.stores)}
    failed = {run.round or 0 for run in ours if run.state is State.FAILED}
    settled = frozenset(whole | failed)
    return Remainder(settled, tuple(number for number in range(1, planned.rounds + 1) if number not in settled))
