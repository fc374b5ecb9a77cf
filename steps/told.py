"""What a step is told: its arguments and the `FLUIDBENCH_*` variables; docs/reference/step-contract.md."""

import argparse
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CONTRACT_VERSION = 1
PIPELINES = ("published", "lean")
FALSE_WORDS = frozenset({"false", "0", "no", "off"})


@dataclass(frozen=True)
class Parameters:
    """What a step is told."""

    multiplier: int
    store: str
    data_dir: Path
    run_id: str
    report: Path
    cache_policy: str
    spawned_at: float
    sample_memory: bool = False
    pipeline: str = PIPELINES[0]
    dataset_digest: str = ""
    # of a user's own step: the tables that it may hand over; None: it is not said
    saves: tuple[str, ...] | None = None

    @property
    def dataset(self) -> Path:
        return self.data_dir / f"df_{self.multiplier}.pkl"

    @property
    def run_dir(self) -> Path:
        """Where the run's own files lie: intermediates and the model."""
        return self.data_dir / "exchange" / self.run_id

    @property
    def model(self) -> Path:
        return self.run_dir / "model.pkl"


def parameters(argv: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> Parameters:
    """Reads the arguments (the published ones too) and the environment; a wrong one ends the step with 2."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data_multiplier", type=int, default=int(environ.get("FLUIDBENCH_MULTIPLIER", "1")))
    parser.add_argument("--with_vineyard", type=_boolean, default=False)
    # not a variable: steps that do not know it must not run another pipeline unawares
    parser.add_argument("--pipeline", choices=PIPELINES, default=PIPELINES[0])
    options = parser.parse_args(argv)
    asked = environ.get("FLUIDBENCH_CONTRACT", str(CONTRACT_VERSION))
    if asked != str(CONTRACT_VERSION):
        parser.error(f"these steps speak version {CONTRACT_VERSION} of the step contract, FluidBench asked for {asked}")
    return Parameters(
        multiplier=options.data_multiplier,
        store="vineyard" if options.with_vineyard else environ.get("FLUIDBENCH_STORE", "pickle"),
        data_dir=Path(environ.get("FLUIDBENCH_DATA_DIR", "/data")),
        run_id=environ.get("FLUIDBENCH_RUN_ID", "by-hand"),
        report=Path(environ.get("FLUIDBENCH_REPORT", "/tmp/fluidbench-report.json")),  # noqa: S108 - a container's own
        cache_policy=environ.get("FLUIDBENCH_CACHE_POLICY", "cold"),
        sample_memory=environ.get("FLUIDBENCH_SAMPLE_MEMORY", "") == "1",
        pipeline=options.pipeline,
        dataset_digest=environ.get("FLUIDBENCH_DATASET_DIGEST", ""),
        saves=tuple(environ["FLUIDBENCH_SAVES"].split()) if "FLUIDBENCH_SAVES" in environ else None,
        spawned_at=float(environ.get("FLUIDBENCH_SPAWNED_AT") or _process_start()),
    )


def _boolean(word: str) -> bool:
    return word.lower() not in FALSE_WORDS


def _process_start() -> float:
    """When this process started, on the monotonic clock; in steps of 10 ms, as the kernel tells it."""
    try:
        fields = Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return time.monotonic()
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return time.monotonic() - age
