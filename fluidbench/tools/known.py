"""Failures of external programs that are known, and what to do about each."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from fluidbench.errors import ExternalFailure, FluidbenchError


@dataclass(frozen=True)
class Known:
    """A failure that shows as `pattern` in a program's output, told in one sentence with the fix."""

    pattern: str
    message: str
    hint: str
    kind: type[FluidbenchError] = ExternalFailure


def explain(output: str, catalogue: Sequence[Known], failure: FluidbenchError) -> FluidbenchError:
    """`failure`, told in plain words where the program's output is a known one."""
    for known in catalogue:
        if re.search(known.pattern, output, re.IGNORECASE | re.DOTALL):
            return known.kind(f"{known.message}\n{failure.message}", known.hint)
    return failure
