"""Stub until part B's is merged."""

from collections.abc import Sequence
from typing import Any

from fluidbench.errors import FluidbenchError


def stuck(pods: Sequence[dict[str, Any]], events: Sequence[dict[str, Any]]) -> FluidbenchError | None:
    return None
