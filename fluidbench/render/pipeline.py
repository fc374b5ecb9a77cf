"""Both published pipelines as Argo Workflows."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fluidbench import __version__, pins
from fluidbench.plan import (
    COSTLIEST,
    PUBLISHED,
    STEP_CONTRACT_VERSION,
    VINEYARD_STORES,
    Pipeline,
    StepPlan,
    dataset_bytes,
    storage_environment,
)
from fluidbench.records import Storage
from fluidbench.render.template import Manifest, document, plain

PIPELINE = "machine-learning-pipeline"
PIPELINE_WITH_VINEYARD = "machine-learning-pipeline-with-vineyard"
SERVICE_ACCOUNT = "pipeline-runner"
KFP_SDK_VERSION = "1.8.0"
STEP_UID = 10001

DATA_DIR = "/data"
VINEYARD_DIR = "/var/run/vineyard"
REPORT_PATH = "/tmp/fluidbench-report.json"  # noqa: S108 - a volume of the pod's own
MANAGED_BY = {"app.kubernetes.io/managed-by": "fluidbench"}
RUN_LABEL = "fluidbench/run"
STEP_IMAGE = f"{pins.STEP_IMAGE}:{__version__}"
# Argo's own words, for a Workflow that is submitted by hand and has no run id
WORKFLOW_NAME = "{{workflow.name}}"
MULTIPLIER_PARAMETER = "{{workflow.parameters.data_multiplier}}"
REGISTRY_PARAMETER = "{{workflow.parameters.registry}}"
MEBIBYTE = 1 << 20
# over the measured peak; pages of files that are read count too, until they are wanted for something else
MEMORY_HEADROOM = 1.1
MEMORY_HEADROOM_BYTES = 256 * MEBIBYTE
# The cache is dropped by a parent, so that the step's own start comes after it; the `exit` keeps the shell from
# becoming the step.
DROP_CACHES = ("sh", "-c", 'sync && echo 3 > /proc/sys/vm/drop_caches && "$@"; exit "$?"', "drop-caches")
# what goes into a Workflow as it was given
WORDS = (
    "namespace", "registry", "step_image", "run_id", "node", "runtime", "store", "cpu", "memory", "s3_url", "s3_secret",
)  # fmt: skip
DESCRIPTIONS = {
    PIPELINE: "Linear regression on house prices; the steps hand their tables over in files",
    PIPELINE_WITH_VINEYARD: "Linear regression on house prices; the steps hand their tables over in Vineyard",
}


@dataclass(frozen=True)
class PipelineOptions:
    """What a Workflow is made of. Without `run_id` it is one to be submitted by hand, any number of times.

    With `registry` every step has the image `registry/<step>`, as published; else all have `step_image`. `cpu` and
    `memory` are both request and limit of every step; by default, `threads` and what the costliest store needs, so
    that all have the same.
    """

    store: str = "pickle"
    multiplier: int = 100
    namespace: str = "default"
    registry: str = ""
    step_image: str = STEP_IMAGE
    run_id: str = ""
    node: str = ""
    threads: int = 1
    cpu: str = ""
    memory: str = ""
    cache_policy: str = "cold"
    runtime: str = "vineyard"
    deadline_s: int = 3600
    compiled_at: str = "1970-01-01T00:00:00"
    pipeline: Pipeline = PUBLISHED
    storage: Storage | None = None
    s3_url: str = ""
    s3_secret: str = ""
    dataset_digest: str = ""

    @property
    def drop_caches(self) -> bool:
        """The published way: privileged steps that drop the whole page cache of their node."""
        return self.cache_policy == "dropped"

    @property
    def with_vineyard(self) -> bool:
        return self.store in VINEYARD_STORES

    @property
    def resources(self) -> dict[str, str]:
        needed = int(MEMORY_HEADROOM * self.pipeline.private_bytes(dataset_bytes(self.multiplier), COSTLIEST))
        needed += MEMORY_HEADROOM_BYTES
        memory = self.memory or f"{-(-needed // MEBIBYTE)}Mi"
        return {"cpu": self.cpu or str(self.threads), "memory": memory}

    def image(self, step: str) -> str:
        """The image of a step outside of a Workflow."""
        return f"{self.registry}/{step}" if self.registry else self.step_image


def pipeline_name(options: PipelineOptions) -> str:
    """The published name of the pipeline."""
    return PIPELINE_WITH_VINEYARD if options.with_vineyard else PIPELINE


def labels(run_id: str) -> dict[str, str]:
    """The labels by which what we made is found again."""
    return MANAGED_BY | ({RUN_LABEL: run_id} if run_id else {})


def workflow(options: PipelineOptions) -> Manifest:
    """The pipeline as a Workflow, ready for `kubectl create` and `argo submit`."""
    for name in WORDS:
        plain(getattr(options, name), name.replace("_", " "))
    name = pipeline_name(options)
    return document(
        "machine-learning-pipeline",
        pipeline=name,
        pipeline_spec=_pipeline_spec(name, options),
        kfp_sdk_version=KFP_SDK_VERSION,
        run_labels=labels(options.run_id),
        pod_labels=labels(options.run_id or WORKFLOW_NAME),
        steps=[_step(step, options) for step in options.pipeline.steps],
        environment=environment(options, options.run_id or WORKFLOW_NAME, MULTIPLIER_PARAMETER),
        report_path=REPORT_PATH,
        step_uid=STEP_UID,
        secret=options.s3_secret,
        **{
            key: getattr(options, key)
            for key in (
                "namespace", "compiled_at", "multiplier", "registry", "deadline_s", "node", "drop_caches",
                "with_vineyard", "runtime", "resources",
            )
        },
    )  # fmt: skip


def environment(options: PipelineOptions, run_id: str, multiplier: str) -> dict[str, str]:
    """What a step is told, as in docs/reference/step-contract.md."""
    vineyard = {"VINEYARD_CONFIG": VINEYARD_DIR} if options.with_vineyard else {}
    bucket = {"FLUIDBENCH_S3_URL": options.s3_url} if options.s3_url else {}
    known = {"FLUIDBENCH_DATASET_DIGEST": options.dataset_digest} if options.dataset_digest else {}
    return {
        "FLUIDBENCH_CONTRACT": str(STEP_CONTRACT_VERSION),
        "FLUIDBENCH_DATA_DIR": DATA_DIR,
        "FLUIDBENCH_RUN_ID": run_id,
        "FLUIDBENCH_MULTIPLIER": multiplier,
        "FLUIDBENCH_STORE": options.store,
        "FLUIDBENCH_CACHE_POLICY": options.cache_policy,
        "FLUIDBENCH_REPORT": REPORT_PATH,
        **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(options.threads)),
        # nobody outside of the container could look
        "FLUIDBENCH_SAMPLE_MEMORY": "1",
        "PYTHONUNBUFFERED": "1",
        **vineyard,
        **bucket,
        **storage_environment(options.storage),
        **known,
    }


def _step(step: StepPlan, options: PipelineOptions) -> Mapping[str, Any]:
    multiplier = [f"--data_multiplier={MULTIPLIER_PARAMETER}"] if step.takes_multiplier else []
    command = ["python3", step.script]
    return {
        "name": step.name,
        "needs": step.needs,
        "image": f"{REGISTRY_PARAMETER}/{step.name}" if options.registry else options.step_image,
        "command": [*DROP_CACHES, *command] if options.drop_caches else command,
        "args": [*multiplier, *(["--with_vineyard=True"] if options.store == "vineyard" else []), *step.arguments],
    }


def _pipeline_spec(name: str, options: PipelineOptions) -> str:
    inputs = [
        {"name": "data_multiplier", "type": "Integer", "default": str(options.multiplier)},
        {"name": "registry", "type": "String", "default": options.registry},
    ]
    which = "" if options.pipeline is PUBLISHED else f" (pipeline {options.pipeline.name})"
    return json.dumps({"description": DESCRIPTIONS[name] + which, "inputs": inputs, "name": name}, ensure_ascii=False)
