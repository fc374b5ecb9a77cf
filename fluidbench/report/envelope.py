"""The JSON that commands print: the records themselves, in a versioned envelope."""

from collections.abc import Sequence
from typing import Any

import msgspec

from fluidbench.comparison import Comparison
from fluidbench.records import FORMAT_VERSION, Run


def runs(records: Sequence[Run]) -> dict[str, Any]:
    return {"format_version": FORMAT_VERSION, "runs": msgspec.to_builtins(list(records))}


def comparison(record: Comparison) -> dict[str, Any]:
    return {"format_version": FORMAT_VERSION, **msgspec.to_builtins(record)}
