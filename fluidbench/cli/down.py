"""fluidbench down."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from fluidbench.cli import cluster_options, options
from fluidbench.cli.output import Output


def down(
    ctx: typer.Context,
    data_dir: options.DataDir = None,
    target: options.Target = None,
    name: cluster_options.MaybeName = None,
    context: cluster_options.Context = None,
    kubeconfig: cluster_options.Kubeconfig = None,
    namespace: cluster_options.MaybeNamespace = None,
    purge: Annotated[bool, typer.Option("--purge", help="Remove the datasets too, without asking.")] = False,
    as_json: options.Json = False,
) -> None:
    """Remove what `up` made, or what FluidBench left on this machine; the results stay.

    Example: fluidbench down --purge
    """
    from fluidbench import places
    from fluidbench.cli import teardown, workbench
    from fluidbench.targets.cluster import current as currents

    output: Output = ctx.obj
    output.as_json = as_json
    directory = (data_dir or places.default_data_dir()).expanduser().absolute()
    named = name is not None or context is not None
    if target == "cluster" or (target is None and (named or currents.load() is not None)):
        with workbench.measuring("down"):
            site = teardown.site_of(name, context, kubeconfig, namespace, directory)
            if site is not None:
                teardown.take_cluster_down(output, site, purge)
                return
        output.json({"format_version": 1, "removed": [], "kept": [], "left": []})
        output.result("No cluster is up.")
        return
    _local(output, target or "local", directory, purge)


def _local(output: Output, target: str, directory: Path, purge: bool) -> None:
    from fluidbench import dataset, places
    from fluidbench.cli import recorded, workbench
    from fluidbench.targets import open_target

    open_target(target)
    with workbench.measuring("down"), recorded.results(output):
        removed = _remove(dataset.left_over(directory))
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
