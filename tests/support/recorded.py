"""A whole experiment as it would be recorded: a warm-up of each store, and rounds that drift and differ."""

import dataclasses
import random
from collections.abc import Sequence

from fluidbench.records import Experiment, Identity, Input, Run, State, Step
from support.made import IDENTITY, run

MB = 1_000_000
STEPS = ("preprocess-data", "train-data", "test-data")
DISK_BYTES_PER_S = 1000 * MB
FACTS = {"cpu": "A processor with 2 cores", "memory": "25 GB", "disk": "ext4 on /dev/vda", "python": "3.11.7"}


def _phases(store: str, step: str, factor: float) -> dict[str, float]:
    """Multiplier 500 on a disk of 1 GB/s, as the published steps do it; a file store pays for what it hands over."""
    files = store != "vineyard"
    slower = 1.3 if store == "parquet" else 1.0
    exchange = {
        "preprocess-data": {"load": 1.84, "touch": 0.02, "save": 2.4 * slower if files else 1.6},
        "train-data": {"load": 2.1 * slower if files else 0.02, "touch": 0.01 if files else 0.2, "save": 0.001},
        "test-data": {"load": 0.55 * slower if files else 0.01, "touch": 0.005 if files else 0.05},
    }[step]
    compute = {"preprocess-data": 6.2, "train-data": 4.5 if files else 4.8, "test-data": 0.3}[step]
    phases = {"startup": 0.7 if files else 0.9, **exchange, "compute": compute, "exit": 0.15}
    order = ("startup", "load", "touch", "compute", "save", "exit")
    return {phase: phases[phase] * factor for phase in order if phase in phases}


def _step(store: str, name: str, factor: float) -> Step:
    files = store != "vineyard"
    where = "cold" if files else "memory"
    inputs = {
        "preprocess-data": (Input("df_500.pkl", 1840 * MB, "cold"),),
        "train-data": (Input("X_train", 1400 * MB, where), Input("y_train", 30 * MB, where)),
        "test-data": (Input("X_test", 350 * MB, where), Input("model.pkl", 2081, "cold")),
    }[name]
    phases = _phases(store, name, factor)
    return Step(
        name, State.SUCCEEDED, duration_s=sum(phases.values()), phases=phases,
        read_bytes=sum(entry.bytes for entry in inputs),
        written_bytes={"preprocess-data": 1800 * MB, "train-data": 2081}.get(name, 0), cpu_s=3.0,
        peak_private_bytes={"preprocess-data": 3700, "train-data": 4200, "test-data": 700}[name] * MB,
        peak_shared_bytes=0 if files else 1800 * MB, peak_file_bytes=90 * MB, node="lab-1",
        transport="file" if files else "ipc", inputs=inputs,
    )  # fmt: skip


def one(
    store: str, experiment: str, number: int, position: int, factor: float = 1.0, identity: Identity | None = None
) -> Run:
    """One run of an experiment; round 0 is the warm-up."""
    steps = tuple(_step(store, name, factor) for name in STEPS)
    around = 0.35 * factor
    made = run(
        f"{experiment}-{number:02}-{store}", store, sum(step.duration_s for step in steps) + around,
        experiment_id=experiment, round=number, position=position, seed=77, warmup=number == 0, steps=steps,
        unaccounted_s=around, started_at=f"2026-01-05T{number:02}:{position:02}:00.000Z",
        service_start_s=0.0 if store != "vineyard" else 1.2,
        readings={"shared_memory_bytes": 0.0 if store != "vineyard" else 1830.0 * MB},
    )  # fmt: skip
    facts = dataclasses.replace(made.fingerprint, facts=FACTS)
    same = identity or dataclasses.replace(IDENTITY, multiplier=500, rows=5_000_000)
    return dataclasses.replace(made, identity=dataclasses.replace(same, store=store), fingerprint=facts)


def experiment(
    stores: Sequence[str] = ("pickle", "vineyard"), rounds: int = 6, name: str = "20260105-000000-abcdef"
) -> list[Run]:
    """Rounds whose machine drifts under all stores alike, with a little noise of their own."""
    chance = random.Random(5)
    runs = [one(store, name, 0, place, 1.1) for place, store in enumerate(stores)]
    for number in range(1, rounds + 1):
        order = list(stores)
        chance.shuffle(order)
        drift = 1 + 0.02 * number
        runs += [one(store, name, number, place, drift * chance.gauss(1, 0.01)) for place, store in enumerate(order)]
    return runs


def planned(runs: Sequence[Run]) -> Experiment:
    """The record of the experiment that the runs belong to."""
    stores = tuple(dict.fromkeys(entry.identity.store for entry in runs))
    identity = dataclasses.replace(runs[0].identity, store=",".join(stores))
    last = max(entry.round or 0 for entry in runs)
    return Experiment(str(runs[0].experiment_id), identity, stores, last, 77, runs[0].started_at)
