"""Records as a file of JSON lines, to be laid beside those of another machine.

The first line says what the file is, each other one holds an experiment or a run, and the last one the digest of all
bytes before it, so that a file that was altered or cut off is known as such before anything of it is taken.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec

from fluidbench import __version__
from fluidbench.errors import ResultProblem
from fluidbench.records import Experiment, Run, State
from fluidbench.results import Results
from fluidbench.schema import Filters

EXPORT_VERSION = 1
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_HINT = "Export it again, and copy it whole. Nothing was imported."


@dataclass(frozen=True)
class Exported:
    """What an export wrote."""

    runs: int
    experiments: int


@dataclass(frozen=True)
class Imported:
    """What an import found: records that were new here, and those that were here already."""

    added: int
    known: int


class Sink(Protocol):
    def write(self, piece: bytes, /) -> object: ...


def write(results: Results, wanted: Filters, file: Sink) -> Exported:
    """Writes the runs that are wanted, and the experiments that they belong to."""
    digest = hashlib.sha256()
    counts = {"experiment": 0, "run": 0}

    def line(text: str) -> None:
        piece = text.encode() + b"\n"
        digest.update(piece)
        file.write(piece)

    line(json.dumps({"fluidbench_export": EXPORT_VERSION, "version": __version__}))
    for kind, records in (("experiment", results.raw_experiments(wanted)), ("run", results.raw_runs(wanted))):
        for record in records:
            line(f'{{"{kind}":{record}}}')
            counts[kind] += 1
    file.write(json.dumps({"sha256": digest.hexdigest(), **_counted(counts)}).encode() + b"\n")
    return Exported(counts["run"], counts["experiment"])


def read(results: Results, path: Path) -> Imported:
    """Takes in a whole file, or nothing of it. Raises ResultProblem where it is not what an export wrote."""
    _check(path)
    return Imported(*results.take_in(_records(path)))


def _check(path: Path) -> None:
    """Reads the file once, without looking into its records: version, digest, and that nothing follows it."""
    digest = hashlib.sha256()
    counts = {"experiment": 0, "run": 0}
    last = b""
    for number, line in enumerate(_lines(path)):
        if number == 0:
            _check_version(path, line)
        else:
            counts["run"] += last.startswith(b'{"run":')
            counts["experiment"] += last.startswith(b'{"experiment":')
            digest.update(last)
        last = line
    if last != json.dumps({"sha256": digest.hexdigest(), **_counted(counts)}).encode() + b"\n":
        raise ResultProblem(f"{path} was altered, or is not whole: its last line does not fit the others", _HINT)


def _counted(counts: dict[str, int]) -> dict[str, int]:
    return {"runs": counts["run"], "experiments": counts["experiment"]}


def _check_version(path: Path, line: bytes) -> None:
    told = _decoded(path, line)
    version = told.get("fluidbench_export") if isinstance(told, dict) else None
    if not isinstance(version, int):
        raise ResultProblem(f"{path} is no export of FluidBench", "Make one: fluidbench export FILE")
    if version > EXPORT_VERSION:
        raise ResultProblem(
            f"{path} was written by a newer FluidBench (export {version}, this one knows {EXPORT_VERSION})",
            "Upgrade FluidBench. Nothing was imported.",
        )


def _records(path: Path) -> Iterator[Run | Experiment]:
    for number, line in enumerate(_lines(path), start=1):
        told = _decoded(path, line)
        for kind, record in (("run", Run), ("experiment", Experiment)):
            if kind in told:
                try:
                    yield _checked(msgspec.convert(told[kind], record))
                except (msgspec.ValidationError, ValueError) as error:
                    raise ResultProblem(f"line {number} of {path} holds no {kind}: {error}", _HINT) from error


def _checked(record: Any) -> Run | Experiment:
    """A record that may be kept: its id serves as a name, and nobody has to wait for its end."""
    name = record.run_id if isinstance(record, Run) else record.experiment_id
    if not _ID.fullmatch(name):
        raise ValueError(f"{name!r} cannot be an id")
    if isinstance(record, Run) and record.state in (State.RUNNING, State.PENDING):
        raise ValueError(f"{name} has not ended")
    kept: Run | Experiment = record
    return kept


def _decoded(path: Path, line: bytes) -> Any:
    try:
        return msgspec.json.decode(line)
    except msgspec.DecodeError as error:
        raise ResultProblem(f"{path} is no export of FluidBench, or was altered: {error}", _HINT) from error


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            yield from file
    except OSError as error:
        raise ResultProblem(f"{path} cannot be read: {error.strerror or error}", "Name a file of an export.") from error
