"""The host half of the stores, by name. Imports neither pandas nor vineyard."""

import importlib
import sys
from pathlib import Path

from fluidbench.errors import UsageProblem
from fluidbench.stores.base import Store

STORES = {
    "pickle": "fluidbench.stores.pickle_file:PickleStore",
    "vineyard": "fluidbench.stores.vineyard_object:VineyardStore",
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
    except (ImportError, AttributeError) as error:
        raise UsageProblem(
            f"the store {name!r} cannot be loaded: {error}", "Name it as module:Class, importable from here."
        ) from error
    return store


def _look_where_started() -> None:
    """Makes modules of the current directory importable, as they are in the steps; a console script does not."""
    try:
        here = str(Path.cwd())
    except FileNotFoundError:
        return
    if here not in sys.path:
        sys.path.append(here)
