"""Records made by hand."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from fluidbench.records import Fingerprint, Identity, Input, Run, State, Step

IDENTITY = Identity(
    target="local", pipeline="published", multiplier=1, rows=10_000, dataset_digest="d", store="pickle",
    cache_policy="cold", storage=None, threads=2, placement=None,
)  # fmt: skip
RESULTS = {"mse": 46782242342.25459, "intercept": 756349.6318621493, "digest": "abc", "coefficients": {"Id": -0.134}}


def step(name: str = "train-data", **phases: float) -> Step:
    phases = phases or {"startup": 1.0, "load": 2.0, "touch": 0.25, "compute": 3.0, "save": 0.5}
    return Step(
        name, State.SUCCEEDED, duration_s=sum(phases.values()), phases=phases, read_bytes=100, written_bytes=50,
        peak_private_bytes=7_000_000, peak_shared_bytes=1_000_000, inputs=(Input("X_train", 100, "cold"),),
    )  # fmt: skip


def run(
    run_id: str = "20260101-000000-aaaaaa",
    store: str = "pickle",
    duration_s: float = 7.0,
    identity: Mapping[str, Any] | None = None,
    **fields: Any,
) -> Run:
    """A finished run; `identity` and the other fields differ from the usual ones."""
    same = {"store": store, **(identity or {})}
    made = Run(
        run_id=run_id, identity=dataclasses.replace(IDENTITY, **same), experiment_id=None,
        round=None, position=None, seed=None, warmup=False, state=State.SUCCEEDED, reason="",
        started_at="2026-01-01T00:00:00.000Z", finished_at="2026-01-01T00:00:10.000Z", duration_s=duration_s,
        service_start_s=0.0, evict_s=0.1, verify_s=0.2, unaccounted_s=duration_s - 6.75, cache="cold",
        results=RESULTS, steps=(step(),), fingerprint=Fingerprint({"cpu": "one"}, "f1"), code_version="0.1.0+1",
    )  # fmt: skip
    return dataclasses.replace(made, **fields)


def rounds(*pairs: tuple[float, float], experiment: str = "e1", arm: str = "vineyard") -> list[Run]:
    """Whole rounds of pickle and another arm, from the seconds that each took."""
    runs = []
    for number, (before, after) in enumerate(pairs, start=1):
        for position, (store, seconds) in enumerate((("pickle", before), (arm, after))):
            runs.append(
                run(
                    f"{experiment}-{number}-{store}",
                    store,
                    seconds,
                    experiment_id=experiment,
                    round=number,
                    position=position,
                    seed=1,
                    steps=(step(load=seconds - 1.0, compute=0.5),),
                    unaccounted_s=0.5,
                )
            )
    return runs
