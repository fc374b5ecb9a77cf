"""Removes what earlier commands left on the cluster: they were killed, or could not clear up after themselves."""

from collections.abc import Iterator, Mapping
from typing import Any

from fluidbench.events import Note
from fluidbench.kube import JOB, WORKFLOW, Resource
from fluidbench.render import PipelineOptions
from fluidbench.render.pipeline import RUN_LABEL
from fluidbench.targets.cluster import jobs
from fluidbench.targets.cluster.bringup.objects import OURS, labels, name_of
from fluidbench.targets.cluster.owner import abandoned, note
from fluidbench.targets.cluster.ready import ReadyCluster
from fluidbench.targets.cluster.submission import remove_run


def clear(cluster: ReadyCluster) -> Iterator[Note]:
    """Removes the Workflows and Jobs of processes of this machine that are gone, and tells of each.

    A Workflow goes last of all that its run left, so that as long as anything is there, so is the Workflow.
    """
    for workflow in _abandoned(cluster, WORKFLOW):
        run_id = labels(workflow)[RUN_LABEL]
        yield Note(f"removing what run {run_id} left on the cluster")
        yield from map(Note, remove_run(cluster, noted_options(cluster, run_id, workflow)))
    for job in _abandoned(cluster, JOB):
        yield Note(f"removing the Job {name_of(job)}, which an interrupted command left")
        jobs.remove(cluster, name_of(job))


def noted_options(cluster: ReadyCluster, run_id: str, workflow: Mapping[str, Any]) -> PipelineOptions:
    """What of a run's options its Workflow remembers, which is enough to clear up after it."""
    return PipelineOptions(
        store=note(workflow, "store"), cache_policy=note(workflow, "cache_policy"), s3_url=note(workflow, "s3_url"),
        s3_secret=note(workflow, "s3_secret"), run_id=run_id, step_image=cluster.current.step_image,
    )  # fmt: skip


def _abandoned(cluster: ReadyCluster, resource: Resource) -> list[dict[str, Any]]:
    return [item for item in cluster.kube.list(resource, cluster.namespace, labels=OURS) if abandoned(item)]
