"""The host half of the stores, by name. Imports neither pandas nor vineyard."""

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

from fluidbench.errors import ExternalFailure, FluidbenchError, UsageProblem
from fluidbench.plan import Plan
from fluidbench.stores.base import Medium, Store

STORES = {
    "pickle": "fluidbench.stores.pickle_file:PickleStore",
    "parquet": "fluidbench.stores.parquet_file:ParquetStore",
    "arrow": "fluidbench.stores.arrow_file:ArrowStore",
    "tmpfs": "fluidbench.stores.tmpfs:TmpfsStore",
    "s3": "fluidbench.stores.s3_object:S3Store",
    "vineyard": "fluidbench.stores.vineyard_object:VineyardStore",
    "vineyard-block": "fluidbench.stores.vineyard_block:VineyardBlockStore",
}
DEFAULT_STORES = ("pickle", "vineyard")


def open_store(name: str) -> Store:
    """The store called `name`, or `module:Class`; raises UsageProblem where there is none."""
    module, separator, attribute = STORES.get(name, name).partition(":")
    if not separator:
        known = ", ".join(STORES)
        raise UsageProblem(f"there is no store {name!r}", f"Known are {known}, and your own as module:Class.")
    if name not in STORES:
        _look_where_started()
    try:
        store: Store = getattr(importlib.import_module(module), attribute)()
        missing = [part for part in ("name", "step_store", "footprint", "provision") if not hasattr(store, part)]
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise UsageProblem(
            f"the store {name!r} cannot be loaded: {error}", "Name it as module:Class, importable from here."
        ) from error
    if missing:
        raise UsageProblem(f"the store {name!r} lacks {', '.join(missing)}", "See docs/howto/add-a-store.md.")
    return store


def source_of(name: str) -> list[Path]:
    """The source files of a user's own store, both halves; none for ours."""
    if name in STORES:
        return []
    modules = [spec.partition(":")[0] for spec in (name, open_store(name).step_store)]
    found = [importlib.util.find_spec(module) for module in modules if module not in STORES]
    return [Path(spec.origin) for spec in found if spec and spec.origin]


def outside(name: str, run_id: str) -> list[Path]:
    """What a run through the store makes beside its directories."""
    told = getattr(open_store(name), "outside", None)
    return list(told(run_id)) if told else []


def elsewhere(plan: Plan, run_id: str) -> list[str]:
    """The URLs of what a run makes on other machines. Raises UsageProblem where the store tells something else."""
    told = getattr(open_store(plan.store), "elsewhere", None)
    urls = list(told(plan, run_id)) if told else []
    if wrong := [url for url in urls if "://" not in str(url)]:
        raise UsageProblem(
            f"the store {plan.store} names {wrong[0]!r}, which is no URL", "See docs/howto/add-a-store.md."
        )
    return urls


def remove(name: str, url: str) -> None:
    """Removes what a run through the store had at the URL. Raises ExternalFailure for whatever the store raises."""
    store: Any = open_store(name)
    try:
        store.remove(url)
    except FluidbenchError:
        raise
    except Exception as error:  # of a user's own store it may be any
        raise ExternalFailure(f"{type(error).__name__}: {error}") from error


def medium(name: str) -> Medium:
    """Where the tables of a store lie; a user's own store that does not say so does its file access by itself."""
    return Medium(getattr(open_store(name), "medium", Medium.ELSEWHERE))


def _look_where_started() -> None:
    """Makes modules of the current directory importable, as they are in the steps; a console script does not."""
    try:
        here = str(Path.cwd())
    except FileNotFoundError:
        return
    if here not in sys.path:
        sys.path.append(here)
