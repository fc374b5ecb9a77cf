"""The JSON that commands print: the records themselves, in a versioned envelope."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from fluidbench.records import FORMAT_VERSION, Run

if TYPE_CHECKING:
    from fluidbench.analysis import Analysis
    from fluidbench.comparison import Comparison


def runs(records: Sequence[Run]) -> dict[str, Any]:
    return {"format_version": FORMAT_VERSION, "runs": msgspec.to_builtins(list(records))}


def comparison(record: "Comparison", analysis: "Analysis | None" = None) -> dict[str, Any]:
    """`headline` is what stands above the table, `remarks` what stands below; without a round `analysis` is null."""
    from fluidbench.report import sentences  # `history`, which has no use for them, has to be quick

    return {
        "format_version": FORMAT_VERSION,
        **msgspec.to_builtins(record),
        "headline": sentences.headline(record),
        "remarks": sentences.remarks(record),
        "analysis": msgspec.to_builtins(analysis),
    }
