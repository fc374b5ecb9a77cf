"""A target as the conformance test sees it: the program, its data directory, and how to see that nothing is left."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.bucket import Bucket
from support.program import Outcome, Program, Watch, gone_within
from tests.cluster.cluster import cluster, served_vineyard


@dataclass
class Bench:
    """One target. `left` names what a run must not leave and did; `secrets` are those of the steps' namespace."""

    target: str
    program: Program
    data: Path
    left: Callable[[], list[str]]
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)

    def __call__(self, *argv: str, **env: str) -> Outcome:
        return self.program(*argv, **env)

    def through(self, store: str, bucket: Bucket) -> Outcome:
        """One run through a store. Of the bucket's keys this target's steps hear in the way that is meant for them."""
        run = ("run", "-m", "1", "--store", store, "--threads", "1", "--json")
        if store != "s3":
            return self(*run)
        if self.target == "local":
            return self(*run, "--s3-url", bucket.url, **bucket.environment)
        self.secrets["bucket-keys"] = dict(bucket.environment)
        return self(*run, "--s3-url", bucket.url, "--s3-secret", "bucket-keys")

    def recorded(self) -> list[dict[str, Any]]:
        """All recorded runs, the newest first."""
        runs: list[dict[str, Any]] = self.program("history", "--json", "--limit", "99").json["runs"]
        return runs

    def during(self, act: Callable[[Path, Any], None], *argv: str) -> Outcome:
        """Runs the program; `act` is called with the run's directory and the process, once the first step is at work.

        No process of its own and no private directory may be left.
        """
        process = self.program.start(*argv)
        try:
            with Watch(process.pid) as watch:
                act(self._run_dir(process), process)
                stdout, stderr = process.communicate(timeout=120)
        finally:
            if process.poll() is None:
                process.kill()
        assert gone_within(watch, 1)
        assert watch.left() == []
        return Outcome(process.returncode, stdout, stderr)

    def _run_dir(self, process: Any) -> Path:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            if found := list(self.data.glob("exchange/*")):
                return found[0]
            time.sleep(0.02)
        raise AssertionError(f"no step began: {process.communicate(timeout=5)}")


@contextlib.contextmanager
def local(place: Path) -> Iterator[Bench]:
    program = Program(place)
    yield Bench("local", program, program.data, lambda: [str(path) for path in program.data.glob("exchange/*")])


@contextlib.contextmanager
def on_cluster(place: Path) -> Iterator[Bench]:
    with served_vineyard() as vineyard, cluster(place, vineyard) as made:
        made.make_current(place)
        yield Bench("cluster", Program(place), made.data, made.left, made.argo.kubelet.secrets)


OPEN = {"local": local, "cluster": on_cluster}
