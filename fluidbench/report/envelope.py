"""The JSON that commands print: the records themselves, in a versioned envelope."""

from collections.abc import Sequence
from typing import Any

import msgspec

from fluidbench.analysis import Analysis
from fluidbench.comparison import Comparison
from fluidbench.records import FORMAT_VERSION, Run
from fluidbench.report import sentences


def runs(records: Sequence[Run]) -> dict[str, Any]:
    return {"format_version": FORMAT_VERSION, "runs": msgspec.to_builtins(list(records))}


def comparison(record: Comparison, analysis: Analysis | None = None) -> dict[str, Any]:
    """`headline` is what stands above the table, `remarks` what stands below; without a round `analysis` is null."""
    return {
        "format_version": FORMAT_VERSION,
        **msgspec.to_builtins(record),
        "headline": sentences.headline(record),
        "remarks": sentences.remarks(record),
        "analysis": msgspec.to_builtins(analysis),
    }
