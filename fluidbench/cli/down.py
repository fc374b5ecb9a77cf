"""fluidbench down."""

import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from fluidbench.cli import options
from fluidbench.cli.output import Output

RUN_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
PARTIAL = re.compile(r"df_\d+\.(pkl|json)\.\d+\.partial")


def down(
    ctx: typer.Context,
    data_dir: options.DataDir = None,
    target: options.Target = "local",
    purge: Annotated[bool, typer.Option("--purge", help="Remove the datasets too, without asking.")] = False,
    as_json: options.Json = False,
) -> None:
    """Remove what FluidBench left on this machine; the results stay.

    Example: fluidbench down --purge
    """
    from fluidbench import dataset, places
    from fluidbench.cli import workbench
    from fluidbench.targets import open_target

    output: Output = ctx.obj
    output.as_json = as_json
    open_target(target)
    directory = (data_dir or places.default_data_dir()).expanduser().absolute()
    with workbench.measuring("down"), workbench.results(output):
        removed = _remove(_left_overs(directory))
        datasets = dataset.all_in(directory)
        if datasets and (purge or _agreed(output, datasets)):
            for path in datasets:
                dataset.remove(path)
            removed += [str(path) for path in datasets]
            datasets = []
    output.json({"format_version": 1, "removed": removed, "kept": [str(path) for path in datasets]})
    for line in [*(f"removed {path}" for path in removed), *(f"kept {path}" for path in datasets)]:
        output.result(line)
    output.result(f"The results are kept in {places.database()}.")


def _left_overs(directory: Path) -> list[Path]:
    """What killed processes left in the data directory; a directory there may hold other things too."""
    runs = [path for path in directory.glob("exchange/*") if RUN_ID.fullmatch(path.name)]
    return runs + [path for path in directory.glob("df_*.partial") if PARTIAL.fullmatch(path.name)]


def _remove(paths: list[Path]) -> list[str]:
    from fluidbench.dataset import remove_run

    for path in paths:
        remove_run(path) if path.is_dir() else path.unlink()
    return [str(path) for path in paths if not path.exists()]


def _count(datasets: list[Path]) -> str:
    return f"{len(datasets)} dataset{'' if len(datasets) == 1 else 's'}"


def _agreed(output: Output, datasets: list[Path]) -> bool:
    from fluidbench import text

    total = text.size(sum(path.stat().st_size for path in datasets))
    if not sys.stdin.isatty():
        output.note(f"kept, to be removed with --purge: {_count(datasets)} ({total})")
        return False
    return typer.confirm(f"Remove {_count(datasets)} too ({total})?", err=True)
