"""Pods that run one script of the step image and end: prepare-data, the round trip, the clean-up; and a probe."""

import hashlib
import re
from dataclasses import replace

from fluidbench.plan import PREPARE, STEP_CONTRACT_VERSION
from fluidbench.render.pipeline import (
    DATA_DIR,
    MANAGED_BY,
    STEP_UID,
    VINEYARD_DIR,
    PipelineOptions,
    environment,
    labels,
)
from fluidbench.render.template import Manifest, document

NAME_LIMIT = 63
# the imports and some blocks; on a network file system also what the page cache has still to write
PREPARE_MEMORY = "1024Mi"
TOOL_REQUESTS = {"cpu": "100m", "memory": "512Mi"}
# importing takes seconds of a whole processor
TOOL_LIMITS = {"cpu": "1", "memory": "512Mi"}
ROUND_TRIP_DEADLINE_S = 300
CLEAN_UP_DEADLINE_S = 300


def prepare_job(options: PipelineOptions) -> Manifest:
    """The Job that makes the dataset of one multiplier, unless it is there."""
    # it has no part in how the steps exchange their tables, and its storage is never emulated
    files = replace(options, store="pickle", storage=None, s3_url="")
    resources = {"cpu": options.cpu or "1", "memory": PREPARE_MEMORY}
    return document(
        "job",
        name=name(f"prepare-data-{options.multiplier}"),
        labels=labels(options.run_id),
        namespace=options.namespace,
        deadline_s=options.deadline_s,
        image=options.image(PREPARE.name),
        command=["python3", PREPARE.script],
        args=[f"--data_multiplier={options.multiplier}"],
        environment=environment(files, options.run_id or PREPARE.name, str(options.multiplier)),
        requests=resources,
        limits=resources,
        node=options.node,
        runtime="",
        secret="",
        with_data=True,
        as_root=False,
        step_uid=STEP_UID,
    )


def round_trip_pod(namespace: str, node: str, image: str, runtime: str) -> Manifest:
    """The pod that proves Vineyard on one node; it ends with 0 only when an object came back through shared memory."""
    return document(
        "round-trip",
        name=name(f"fluidbench-round-trip-{node}"),
        labels=MANAGED_BY,
        namespace=namespace,
        deadline_s=ROUND_TRIP_DEADLINE_S,
        image=image,
        command=["python3", "round_trip.py"],
        args=[],
        environment=_tool_environment("round-trip", runtime),
        requests=TOOL_REQUESTS,
        limits=TOOL_LIMITS,
        node=node,
        runtime=runtime,
        secret="",
        with_data=False,
        as_root=False,
        step_uid=STEP_UID,
    )


def webhook_probe(namespace: str) -> Manifest:
    """A pod for dry-run creates: Fluid's webhook is asked about it."""
    return document("webhook-probe", namespace=namespace, step_uid=STEP_UID)


def clean_up_job(
    namespace: str,
    image: str,
    run_id: str,
    runtime: str,
    *,
    node: str = "",
    as_root: bool = False,
    s3_url: str = "",
    s3_secret: str = "",
) -> Manifest:
    """The Job that drops a run's names and objects from Vineyard (none with runtime "") and removes its files.

    `as_root` is for the files of a run with `drop_caches`, `s3_url` for the objects of one through s3.
    """
    return document(
        "job",
        name=name(f"clean-up-{run_id}"),
        labels=labels(run_id),
        namespace=namespace,
        deadline_s=CLEAN_UP_DEADLINE_S,
        image=image,
        command=["python3", "clean_up.py"],
        args=[],
        environment=_tool_environment(run_id, runtime) | ({"FLUIDBENCH_S3_URL": s3_url} if s3_url else {}),
        requests=TOOL_REQUESTS,
        limits=TOOL_LIMITS,
        node=node,
        runtime=runtime,
        secret=s3_secret,
        with_data=True,
        as_root=as_root,
        step_uid=STEP_UID,
    )


def name(wanted: str) -> str:
    """`wanted` as Kubernetes takes it for a name; one that had to be changed keeps apart by a digest."""
    fitting = re.sub("[^a-z0-9-]+", "-", wanted.lower()).strip("-")
    if fitting == wanted and len(fitting) <= NAME_LIMIT:
        return fitting
    digest = hashlib.sha256(wanted.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return f"{fitting[: NAME_LIMIT - len(digest) - 1].rstrip('-')}-{digest}"


def _tool_environment(run_id: str, runtime: str) -> dict[str, str]:
    return {
        "FLUIDBENCH_CONTRACT": str(STEP_CONTRACT_VERSION),
        "FLUIDBENCH_DATA_DIR": DATA_DIR,
        "FLUIDBENCH_RUN_ID": run_id,
        "PYTHONUNBUFFERED": "1",
        **({"VINEYARD_CONFIG": VINEYARD_DIR} if runtime else {}),
    }
