"""Values in, manifests out: everything that is asked of a cluster. Pure, but for reading the templates."""

from fluidbench.render.pipeline import STEP_IMAGE, PipelineOptions, pipeline_name, workflow
from fluidbench.render.pods import clean_up_job, prepare_job, round_trip_pod, webhook_probe
from fluidbench.render.setup import VolumeOptions, fluid_values, kind_config, rbac, vineyard, volumes
from fluidbench.render.template import Manifest, to_yaml

__all__ = [
    "STEP_IMAGE",
    "Manifest",
    "PipelineOptions",
    "VolumeOptions",
    "clean_up_job",
    "fluid_values",
    "kind_config",
    "pipeline_name",
    "prepare_job",
    "rbac",
    "round_trip_pod",
    "to_yaml",
    "vineyard",
    "volumes",
    "webhook_probe",
    "workflow",
]
