"""Which runs, in which order. Pure."""

import random
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Slot:
    """A place for one run: round 0 holds the warm-ups, `position` counts within the round."""

    round: int
    position: int
    store: str

    @property
    def warmup(self) -> bool:
        return self.round == 0


def node_of(round_number: int, seed: int, nodes: Sequence[str]) -> str:
    """The node that all runs of a round are kept on: any of them, the same for all arms; "" without a choice."""
    return random.Random(f"{seed}/{round_number}").choice(sorted(nodes)) if nodes else ""  # noqa: S311


def schedule(stores: Sequence[str], rounds: int, seed: int) -> list[Slot]:
    """One warm-up of each store, then `rounds` rounds that run each store once, in an order of their own.

    Interleaved, so that a machine that drifts does so under all arms alike; shuffled, so that no arm always follows
    the same other one. The same seed gives the same order, however many rounds are asked for.
    """
    shuffle = random.Random(seed)  # noqa: S311 - an order, not a secret
    slots = [Slot(0, position, store) for position, store in enumerate(stores)]
    for number in range(1, rounds + 1):
        order = list(stores)
        shuffle.shuffle(order)
        slots += [Slot(number, position, store) for position, store in enumerate(order)]
    return slots
