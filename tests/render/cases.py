"""Every manifest that FluidBench makes, and what it is expected to look like.

Run as a program it writes the expected files anew: `make expected-manifests`.
"""

from pathlib import Path

from fluidbench import render
from fluidbench.plan import LEAN
from fluidbench.records import Storage
from fluidbench.render import PipelineOptions, VolumeOptions

EXPECTED = Path(__file__).parent / "expected"
IMAGE = "fluidbench-steps:expected"
FILES = PipelineOptions(step_image=IMAGE)
VINEYARD = PipelineOptions("vineyard", step_image=IMAGE)
OF_A_RUN = PipelineOptions(
    "vineyard", multiplier=2000, namespace="benchmarks", registry="registry.example/ml", run_id="20261126-120000-abcd",
    node="worker-1", threads=4, memory="20Gi", cache_policy="warm", runtime="shared", deadline_s=900,
)  # fmt: skip
AS_PUBLISHED = PipelineOptions(step_image=IMAGE, cache_policy="dropped")
BLOCK = PipelineOptions("vineyard-block", step_image=IMAGE)
BUCKET = PipelineOptions(
    "s3", step_image=IMAGE, s3_url="s3://bucket/prefix", s3_secret="bucket-keys"
)  # fmt: skip
SLOW_STORAGE = PipelineOptions("arrow", step_image=IMAGE, storage=Storage(300e6))
WORKFLOWS = {
    "workflow-files": FILES,
    "workflow-vineyard": VINEYARD,
    "workflow-of-a-run": OF_A_RUN,
    "workflow-drop-caches": AS_PUBLISHED,
    "workflow-lean": PipelineOptions("vineyard", step_image=IMAGE, pipeline=LEAN),
    "workflow-vineyard-block": BLOCK,
    "workflow-s3": BUCKET,
    "workflow-slow-storage": SLOW_STORAGE,
}


def manifests() -> dict[str, list[render.Manifest]]:
    """All manifests, by the name of their expected file."""
    return {name: [render.workflow(options)] for name, options in WORKFLOWS.items()} | {
        "rbac": render.rbac("default"),
        "volumes": render.volumes(VolumeOptions()),
        "volumes-nfs": render.volumes(VolumeOptions("benchmarks", nfs="nas.example:/export/data")),
        "vineyard": render.vineyard("default", "vineyard", 2, "20Gi"),
        "prepare-data": [render.prepare_job(FILES)],
        "prepare-data-of-a-run": [render.prepare_job(OF_A_RUN)],
        "round-trip": [render.round_trip_pod("default", "kind-worker", IMAGE, "vineyard")],
        "webhook-probe": [render.webhook_probe("default")],
        "clean-up": [render.clean_up_job("default", IMAGE, "run-1", "vineyard", node="kind-worker")],
        "clean-up-s3": [
            render.clean_up_job("default", IMAGE, "run-1", "", s3_url=BUCKET.s3_url, s3_secret=BUCKET.s3_secret)
        ],
        "clean-up-files": [render.clean_up_job("default", IMAGE, "run-1", "", as_root=True)],
    }


def texts() -> dict[str, str]:
    """The text of all expected files."""
    return {name: render.to_yaml(made) for name, made in manifests().items()} | {
        "kind": render.kind_config("fluidbench", 3, Path("/home/me/fluidbench data"), "kindest/node:v1.34.4"),
        "kind-own-image": render.kind_config("fluidbench", 1, Path("/data"), ""),
        "fluid-values": render.fluid_values(),
        "fluid-values-image-prefix": render.fluid_values("registry.example/mirror/"),
    }


if __name__ == "__main__":
    EXPECTED.mkdir(exist_ok=True)
    for path in EXPECTED.glob("*.yaml"):
        path.unlink()
    for name, text in texts().items():
        (EXPECTED / f"{name}.yaml").write_text(text, encoding="utf-8")
