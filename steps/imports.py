"""Imports just what a step needs: importing is part of a step's time, so what is never used is not paid for.

Whole, pandas, scikit-learn and vineyard take seconds to import, most of it for parts that no step touches. Here
  * a package in `NARROW` runs only the submodules that are asked for, not everything its `__init__` gathers, until
    somebody wants a name of the package itself,
  * a module in `DEFERRED` is loaded at its first use (`importlib.util.LazyLoader`),
  * a package in `ABSENT` counts as not installed; vineyard looks for it and does without.
The functions that come out are the libraries' own, unchanged.
"""

import importlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

NARROW = frozenset({"sklearn.linear_model", "sklearn.model_selection"})
DEFERRED = frozenset({"scipy.stats", "scipy.optimize"})
ABSENT = ("kubernetes",)


class _EmptyPackage(importlib.abc.Loader):
    """Makes a package without running its `__init__`: its submodules can be imported one by one."""

    def __init__(self, whole: importlib.abc.Loader) -> None:
        self._whole = whole

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        def wanted(name: str) -> Any:
            if name.startswith("__") and name != "__all__":  # what importing itself asks every module for
                raise AttributeError(name)
            del module.__getattr__
            self._whole.exec_module(module)
            return getattr(module, name)

        module.__getattr__ = wanted  # type: ignore[method-assign]


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in NARROW and fullname not in DEFERRED:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            kind = _EmptyPackage if fullname in NARROW else importlib.util.LazyLoader
            spec.loader = kind(spec.loader)
        return spec


def install() -> None:
    """Puts the rules above into force. Call it before the first import of a library."""
    sys.meta_path.insert(0, _Finder())
    for name in ABSENT:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]


def _from(package: str, module: str, name: str) -> Any:
    try:
        return getattr(importlib.import_module(f"{package}.{module}"), name)
    except (ImportError, AttributeError):
        # a scikit-learn that is arranged differently: take the public door, and its cost
        sys.modules.pop(package, None)
        sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Finder)]
        return getattr(importlib.import_module(package), name)


def train_test_split() -> Any:
    """scikit-learn's `train_test_split`."""
    return _from("sklearn.model_selection", "_split", "train_test_split")


def linear_regression() -> Any:
    """scikit-learn's `LinearRegression`."""
    return _from("sklearn.linear_model", "_base", "LinearRegression")
