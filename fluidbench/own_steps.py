"""A user's own steps: `pipeline.toml` in their directory, checked, and made into a pipeline."""

import tomllib
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Annotated

import msgspec

from fluidbench import places
from fluidbench.errors import UsageProblem
from fluidbench.plan import PUBLISHED, Pipeline, StepPlan, dataset_bytes

FILE = "pipeline.toml"
# no name of a pipeline of FluidBench has it
PREFIX = "own:"
HINT = "See docs/howto/own-steps.md."
# what lies beside the reports and the tables
TAKEN = {"step": ("vineyardd",), "table": ("model",)}

_Word = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")]
_TableName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,39}$")]
_Script = Annotated[str, msgspec.Meta(pattern=r"^[^/\\]+\.py$")]
_Bytes = Annotated[int, msgspec.Meta(ge=0)]


class _Step(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    name: _Word
    script: _Script
    needs: tuple[str, ...] = ()
    loads: tuple[str, ...] = ()
    saves: tuple[str, ...] = ()
    memory: _Bytes = 0
    fixed_memory: _Bytes = 0


class _Described(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    name: _Word
    tables: Annotated[dict[_TableName, Annotated[int, msgspec.Meta(ge=1)]], msgspec.Meta(min_length=1)]
    steps: Annotated[tuple[_Step, ...], msgspec.Meta(min_length=1)]
    reads_dataset: bool = False


def read(directory: Path) -> Pipeline:
    """The pipeline that a directory describes; raises UsageProblem with the file and the key that is wrong."""
    directory = directory.expanduser().absolute()
    path = directory / FILE
    try:
        described = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _Described)
    except OSError as error:
        raise UsageProblem(f"--steps: {path} cannot be read: {error.strerror}", HINT) from error
    except ValueError as error:  # no TOML, no UTF-8, or not what it should be
        raise UsageProblem(f"{path}: {str(error).replace('`$.', '`')}", HINT) from error
    for problem in _problems(described, directory):
        raise UsageProblem(f"{path}: {problem}", HINT)
    return _pipeline(described, directory)


def files(directory: Path) -> list[Path]:
    """All that counts as code of the steps: what no program put there by itself."""
    found = (path for path in directory.rglob("*") if path.is_file())
    return sorted(path for path in found if not _beside(path.relative_to(directory)))


def _beside(path: Path) -> bool:
    return any(part.startswith(".") or part == "__pycache__" for part in path.parts)


def _problems(described: _Described, directory: Path) -> Iterator[str]:
    steps = described.steps
    yield from _taken("step", "steps.name", [step.name for step in steps])
    # a file's name is the table's in small letters
    yield from _taken("table", "tables", [table.lower() for table in described.tables])
    yield from _taken("table", "steps.saves", [table for step in steps for table in step.saves])
    for step in steps:
        if not (directory / step.script).is_file():
            yield f"steps.script: there is no file {step.script} (step {step.name})"
        yield from _unknown(step.needs, [other.name for other in steps], f"steps.needs of {step.name}", "step")
        for key, tables in (("loads", step.loads), ("saves", step.saves)):
            yield from _unknown(tables, described.tables, f"steps.{key} of {step.name}", "table in [tables]")
    saved = [table for step in steps for table in step.saves]
    yield from (f"tables.{table}: no step saves it" for table in described.tables if table not in saved)
    yield from _cycle(described)
    yield from _hiding(directory)


def _taken(kind: str, key: str, names: Iterable[str]) -> Iterator[str]:
    seen = set(TAKEN[kind])
    for name in names:
        if name in seen:
            yield f"{key}: the {kind} {name} is there twice, or has a name that FluidBench uses"
        seen.add(name)


def _unknown(names: Iterable[str], known: Iterable[str], key: str, kind: str) -> Iterator[str]:
    return (f"{key}: there is no {kind} {name!r}" for name in names if name not in known)


def _cycle(described: _Described) -> Iterator[str]:
    try:
        _ordered(described)
    except CycleError as error:
        yield f"steps.needs: a cycle, {' needs '.join(reversed(error.args[1]))}"


def _hiding(directory: Path) -> Iterator[str]:
    """Modules that would be imported in place of those of the contract: the script's directory comes first."""
    programs = {step.script for step in PUBLISHED.steps}
    ours = {path.stem for path in places.steps_dir().iterdir() if path.name not in programs and _module(path)}
    for path in sorted(directory.iterdir()):
        if path.stem in ours and _module(path):
            yield f"{path.name} beside it hides a module of FluidBench's own of that name: call it otherwise"


def _module(path: Path) -> bool:
    return path.suffix == ".py" or (path / "__init__.py").is_file()


def _needs(described: _Described) -> dict[str, list[str]]:
    """What each step needs: what it says, and who saves what it loads."""
    saver = {table: step.name for step in described.steps for table in step.saves}
    return {
        step.name: list(dict.fromkeys([*step.needs, *(saver[table] for table in step.loads if table in saver)]))
        for step in described.steps
    }


def _ordered(described: _Described) -> list[_Step]:
    """The steps in an order that their needs allow. Raises CycleError where there is none."""
    steps = {step.name: step for step in described.steps}
    return [steps[name] for name in TopologicalSorter(_needs(described)).static_order()]


def _pipeline(described: _Described, directory: Path) -> Pipeline:
    one = dataset_bytes(1)
    sizes = {table: count / one for table, count in described.tables.items()}
    needs = _needs(described)
    return Pipeline(
        PREFIX + described.name,
        tuple(_step(step, tuple(needs[step.name]), sizes, directory) for step in _ordered(described)),
        tables=tuple(sizes),
        exchange_tables=sum(sizes.values()),
        reads_dataset=described.reads_dataset,
        directory=directory,
    )


def _step(step: _Step, needs: tuple[str, ...], sizes: dict[str, float], directory: Path) -> StepPlan:
    loaded, saved = ([sizes[table] for table in tables] for tables in (step.loads, step.saves))
    # what it saves is made, and saved, while it holds what it works with
    held = step.memory / dataset_bytes(1) + sum(saved)
    return StepPlan(
        step.name,
        str(directory / step.script),
        needs,
        work_tables=held,
        input_tables=sum(loaded),
        output_tables=held if saved else 0.0,
        fixed_bytes=step.fixed_memory,
        saves=step.saves,
    )
