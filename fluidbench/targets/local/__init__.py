"""This machine as a target: processes, and a vineyardd of each run's own."""

from fluidbench.targets.local.target import LocalTarget

__all__ = ["LocalTarget"]
