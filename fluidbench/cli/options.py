"""The options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Vineyard = Annotated[bool, typer.Option("--vineyard", help="Through Vineyard; the same as --store vineyard.")]
Multiplier = Annotated[
    int,
    typer.Option("--multiplier", "-m", min=1, help="Size of the dataset: 10,000 rows, 3.68 MB, for each."),
]
MaybeMultiplier = Annotated[
    int | None,
    typer.Option("--multiplier", "-m", min=1, help="Size of the dataset; that of the last run by default."),
]
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="Where dataset and files lie; a mounted NAS, to measure that. [$XDG_DATA_HOME/fluidbench]",
    ),
]
Target = Annotated[
    str | None,
    typer.Option("--target", help="Where to run: local or cluster; the cluster that `up` made current, else local."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Cache = Annotated[
    str,
    typer.Option(
        "--cache",
        help="cold: what is read is evicted before. warm: nothing is. dropped: all caches are, which takes root.",
    ),
]
Pipeline = Annotated[
    str,
    typer.Option("--pipeline", help="published: the published steps. lean: the same results in bounded memory."),
]
Steps = Annotated[
    Path | None,
    typer.Option("--steps", help="A directory with steps of your own and their pipeline.toml; on this machine only."),
]
Threads = Annotated[
    int | None,
    typer.Option("--threads", min=1, help="Threads of a step's BLAS; all allowed processors by default."),
]
StepTimeout = Annotated[float, typer.Option("--step-timeout", min=1, help="Seconds that one step may take.")]
AllowConcurrent = Annotated[
    bool, typer.Option("--allow-concurrent", help="Measure although another measurement is running.")
]
Stores = Annotated[
    str, typer.Option("--stores", help="The stores to compare, the baseline first, separated by commas; or all.")
]
StorageBandwidth = Annotated[
    str | None,
    typer.Option(
        "--storage-bandwidth",
        help="Emulate a storage: 300MB/s at most for every file of the data directory. Shared memory is not limited.",
    ),
]
S3Url = Annotated[
    str,
    typer.Option("--s3-url", help="Where the store s3 keeps a run: s3://BUCKET/PREFIX. [$FLUIDBENCH_S3_URL]"),
]
S3Secret = Annotated[
    str,
    typer.Option("--s3-secret", help="On a cluster: the Secret with AWS_* for the store s3, in the steps' namespace."),
]
# of a comparison
Control = Annotated[bool, typer.Option("--control", help="Run the first store against itself: how much is noise here?")]
Against = Annotated[str | None, typer.Option("--against", help="Run anew, and compare with this recorded experiment.")]
FailOver = Annotated[
    str | None, typer.Option("--fail-over", help="With --against: exit 9 when slower by more than, say, 5%.")
]
Force = Annotated[bool, typer.Option("--force", help="Compare rounds of other machines too; runs nothing.")]
WhatIf = Annotated[
    str | None, typer.Option("--what-if", help="What would be on a storage of so much, by a model: 300MB/s.")
]
Html = Annotated[Path | None, typer.Option("--html", help="Write the report as one page to this file.")]
Format = Annotated[str | None, typer.Option("--format", help="table (default), json, csv or markdown.")]
# which of the recorded runs
OfTarget = Annotated[str | None, typer.Option("--target", help="Only runs on this target: local or cluster.")]
OfStore = Annotated[str | None, typer.Option("--store", help="Only runs through this store.")]
OfMultiplier = Annotated[int | None, typer.Option("--multiplier", "-m", min=1, help="Only runs of this size.")]
Since = Annotated[
    str | None, typer.Option("--since", help="Only runs that started then or later: 2026-01-31, 2026-01-31T12:30, 7d.")
]
Until = Annotated[str | None, typer.Option("--until", help="Only runs that started then or earlier; the same forms.")]
DEFAULT_MULTIPLIER = 100
DEFAULT_STEP_TIMEOUT_S = 3600.0
