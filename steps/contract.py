"""The step contract: what a step is told, what it measures, and how it reports; docs/reference/step-contract.md.

A step is told by arguments and `FLUIDBENCH_*` variables, prints a line as each phase ends, and writes one JSON
report. It cannot tell whether it runs as a process on one machine or in a container.
"""

import contextlib
import json
import time
import traceback
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import imports
from sampling import Sampler
from told import CONTRACT_VERSION, Parameters, parameters

if TYPE_CHECKING:
    from frames import Table
    from stores import Store

__all__ = ["CONTRACT_VERSION", "Parameters", "Step", "measured", "parameters"]


class Step:
    """One step at work: its clock, its phases, and what it read and wrote."""

    def __init__(self, name: str, told: Parameters) -> None:
        self.name = name
        self.told = told
        self.phases: dict[str, float] = {}
        self.results: dict[str, Any] = {}
        self._store: Store | None = None
        self._inputs: list[dict[str, Any]] = []
        self._files: dict[str, Path] = {}
        self._loaded: dict[str, Table] = {}
        self._saved: dict[str, Table | Path] = {}
        self._aside = {"evict_s": 0.0, "fsync_s": 0.0, "verify_s": 0.0}
        self._cpu_s = 0.0
        self._telling = True
        self._sampler = Sampler() if told.sample_memory else None
        self.warnings: list[warnings.WarningMessage] = []

    @property
    def store(self) -> "Store":
        if self._store is None:
            from stores import open_store

            self.told.run_dir.mkdir(parents=True, exist_ok=True)
            self._store = open_store(self.told.store, self.told.run_dir, self.told.run_id)
        return self._store

    def started(self, tables: Sequence[str] = (), files: Sequence[Path] = ()) -> None:
        """Ends `startup` (process start, imports, connect) and makes cold what the step is going to read."""
        if tables or self.told.saves:
            import frames  # noqa: F401 - its imports, and connecting, belong to startup

            _ = self.store
        reads = {name: self.store.files(name) for name in tables}
        self._phase_ended("startup", time.monotonic() - self.told.spawned_at)
        self.warnings.clear()  # what importing warns of is about the libraries, not about this run
        self._cpu_s = time.process_time()
        self._files = {path.name: path for path in files}
        if self.told.dataset_digest and self.told.dataset in files:
            self._expect_dataset()
        with self._beside("evict_s"):
            self._make_cold(reads | {name: [path] for name, path in self._files.items()})

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Times a phase; one that is entered again goes on adding up."""
        cpu_before, before = time.process_time(), time.monotonic()
        yield
        spent = time.monotonic() - before
        self._cpu_s += time.process_time() - cpu_before
        self._phase_ended(name, self.phases.get(name, 0.0) + spent)

    @contextlib.contextmanager
    def turns(self) -> Iterator[None]:
        """Phases that take turns in the body, many times each, are told once, as it ends."""
        before, self._telling = self.phases.copy(), False
        yield
        self._telling = True
        for name, seconds in self.phases.items():
            if seconds != before.get(name):
                self._phase_ended(name, seconds)

    def load(self, *names: str) -> tuple["Table", ...]:
        """The tables as the store hands them over (phase `load`), then every page read once (phase `touch`)."""
        from frames import touch

        if unknown := sorted(set(names) - {entry["name"] for entry in self._inputs}):
            raise ValueError(f"started(tables=[...]) did not name {', '.join(unknown)}, so it may not be cold")
        with self.phase("load"):
            tables = tuple(self.store.load(name) for name in names)
        with self.phase("touch"):
            touch(*tables)
        self._loaded |= dict(zip(names, tables, strict=True))
        return tables

    def save(self, tables: Mapping[str, "Table"]) -> None:
        """Hands the tables over (phase `save`)."""
        if self.told.saves is not None and (others := sorted(tables.keys() - set(self.told.saves))):
            raise ValueError(f"pipeline.toml does not say that {self.name} saves {', '.join(others)}")
        with self.phase("save"):
            for name, table in tables.items():
                self.store.save(name, table)
        self._saved |= tables

    def saved_file(self, path: Path) -> None:
        """Counts a file that the step wrote by itself, and has it synced after the last clock."""
        self._saved[path.name] = path

    def finish(self) -> dict[str, Any]:
        """What comes after the last clock: sync, then the digests of what was read; returns the report."""
        from stores import sync

        if "startup" not in self.phases:
            raise RuntimeError("the step never called started(): it says what is going to be read")

        peaks = self._peaks()
        with self._beside("fsync_s"):
            if self._store is not None:
                self._store.settle()
            for written in self._saved.values():
                if isinstance(written, Path):
                    sync(written)
        with self._beside("verify_s"):
            self.results |= self._digests() | {"steps_code": code_digest()}
        for entry in self._inputs:
            entry["bytes"] = self._size(entry["name"], self._loaded.get(entry["name"]))
        told = {
            "read_bytes": sum(entry["bytes"] for entry in self._inputs),
            "written_bytes": sum(self._size(name, what) for name, what in self._saved.items()),
            "transport": self._store.transport if self._store else "file",
            "ended_at": time.monotonic(),
        }
        return self._report() | peaks | told

    def failed(self, error: BaseException) -> dict[str, Any]:
        """The report of a step that raised."""
        told = {"type": type(error).__name__, "message": str(error), "errno": getattr(error, "errno", None)}
        return self._report() | {"error": told, "ended_at": time.monotonic()}

    def _report(self) -> dict[str, Any]:
        return {
            "contract_version": CONTRACT_VERSION,
            "step": self.name,
            "phases": self.phases,
            "cpu_s": self._cpu_s,
            "inputs": self._inputs,
            "results": self.results,
            **self._aside,
        }

    def _phase_ended(self, name: str, seconds: float) -> None:
        self.phases[name] = seconds
        if self._telling:
            print(f"phase {name} {seconds:.6f}", flush=True)

    @contextlib.contextmanager
    def _beside(self, name: str) -> Iterator[None]:
        before = time.monotonic()
        yield
        self._aside[name] += time.monotonic() - before

    def _expect_dataset(self) -> None:
        """Raises AlteredDatasetError where the dataset is not the one that the run was planned with."""
        with self._beside("verify_s"):
            import prepare_data

            prepare_data.check(self.told.dataset, self.told.multiplier, self.told.dataset_digest)

    def _make_cold(self, reads: Mapping[str, Sequence[Path]]) -> None:
        import pagecache

        for name, files in reads.items():
            if self.told.cache_policy != "warm":
                for path in files:
                    pagecache.evict(path)
            states = [pagecache.state(path) for path in files] or [getattr(self.store, "cache", "memory")]
            self._inputs.append({"name": name, "bytes": 0, "cache": pagecache.worst(states)})

    def _peaks(self) -> dict[str, int]:
        """What the sampler saw up to the last clock; nothing where somebody outside looks."""
        return self._sampler.peaks() if self._sampler else {}

    def _digests(self) -> dict[str, str]:
        if not self._loaded:
            return {}
        from frames import digest

        return {f"digest_{name}": digest(table) for name, table in self._loaded.items()}

    def _size(self, name: str, what: "Table | Path | None") -> int:
        if isinstance(what, Path) or what is None:
            return (what or self._files[name]).stat().st_size
        from frames import nbytes

        files = self.store.files(name)
        return sum(path.stat().st_size for path in files) if files else nbytes(what)


@contextlib.contextmanager
def measured(name: str, argv: Sequence[str] | None = None) -> Iterator[Step]:
    """Runs the body as the step `name`, and writes its report whatever happens."""
    imports.install()
    step = Step(name, parameters(argv))
    with warnings.catch_warnings(record=True) as step.warnings:
        warnings.simplefilter("default")
        warnings.simplefilter("ignore", DeprecationWarning)  # about the libraries' insides, likewise
        try:
            yield step
            report = step.finish()
            report["warnings"] = sorted({str(warning.message) for warning in step.warnings})
            _write(step.told.report, json.dumps(report, default=_as_json))
        except BaseException as error:
            _write(step.told.report, json.dumps(step.failed(error), default=str, skipkeys=True))
            traceback.print_exc()
            raise SystemExit(1) from error


def code_digest() -> str:
    """xxh3-64 of all step code: who compares runs must know that they ran the same."""
    import xxhash

    digest = xxhash.xxh3_64()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _write(path: Path, report: str) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_text(report, encoding="utf-8")
    partial.replace(path)


def _as_json(value: Any) -> Any:
    """numpy's numbers and arrays; raises TypeError for what a result cannot be."""
    if not hasattr(value, "tolist"):
        raise TypeError(f"a result is made of numbers, texts, lists and dicts, not of {type(value).__name__}")
    return value.tolist()
