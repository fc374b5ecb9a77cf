"""The JSON that commands print: the records themselves, in a versioned envelope."""

from collections.abc import Sequence
from typing import Any

import msgspec

from fluidbench.analysis import Analysis
from fluidbench.comparison import Comparison
from fluidbench.records import FORMAT_VERSION, Run
from fluidbench.report import tables


def runs(records: Sequence[Run]) -> dict[str, Any]:
    return {"format_version": FORMAT_VERSION, "runs": msgspec.to_builtins(list(records))}


def comparison(record: Comparison, analysis: Analysis | None = None) -> dict[str, Any]:
    """`headline` is what the table says above it; `analysis` is null without a whole round."""
    return {
        "format_version": FORMAT_VERSION,
        **msgspec.to_builtins(record),
        "headline": tables.headline(record),
        "analysis": msgspec.to_builtins(analysis),
    }
