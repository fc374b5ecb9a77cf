"""Jobs of the step image: the dataset, and clearing up after a run. What they have to tell stands in their logs."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from fluidbench.errors import ResultProblem, StepFailed, WaitTimeout
from fluidbench.events import Note
from fluidbench.kube import CONFIG_MAP, JOB, POD, ApiFailure
from fluidbench.plan import Plan
from fluidbench.render import PipelineOptions, clean_up_job, prepare_job
from fluidbench.render.pipeline import MANAGED_BY
from fluidbench.targets.cluster.diagnose import stuck
from fluidbench.targets.cluster.owner import signed
from fluidbench.targets.cluster.ready import ReadyCluster
from fluidbench.wait import wait_until

TICK_S = 2.0
GONE_WITHIN_S = 60.0
CLEAN_UP_WITHIN_S = 300.0


def prepare(cluster: ReadyCluster, plan: Plan, options: PipelineOptions) -> Iterator[Note]:
    """Makes the dataset of a multiplier, or finds it whole; the facts of it are kept in a ConfigMap."""
    facts: Mapping[str, Any] = {}
    for line in _run(cluster, prepare_job(options), plan.step_timeout_s, "prepare-data"):
        if line.startswith("phase "):
            yield Note(f"prepare-data: {line}")
        elif line.startswith("{"):
            facts = json.loads(line).get("dataset", facts)
    if not facts:
        raise StepFailed("prepare-data told nothing of the dataset", f"See: {cluster.kube.kubectl} get pods -A")
    cluster.kube.apply(_facts_map(cluster, plan.multiplier, facts))


def facts(cluster: ReadyCluster, multiplier: int) -> Mapping[str, Any] | None:
    """What is known of the dataset of a multiplier: rows, digest, file_bytes; None where it was never prepared."""
    found = cluster.kube.get(CONFIG_MAP, _facts_name(multiplier), cluster.namespace)
    if found is None:
        return None
    told: Mapping[str, Any] = json.loads(found["data"]["facts"])
    return told


def forget(cluster: ReadyCluster, multiplier: int) -> None:
    """Forgets what is known of a dataset: the next run has it looked at."""
    cluster.kube.delete(CONFIG_MAP, _facts_name(multiplier), cluster.namespace)


def clean_up(cluster: ReadyCluster, options: PipelineOptions) -> Iterator[Note]:
    """Drops a run's objects and removes its files; tells where something stays in a worker."""
    runtime = cluster.current.runtime if options.with_vineyard else ""
    job = clean_up_job(
        cluster.namespace, options.image("clean-up"), options.run_id, runtime,
        node=options.node, as_root=options.drop_caches, s3_url=options.s3_url, s3_secret=options.s3_secret,
    )  # fmt: skip
    for line in _run(cluster, job, CLEAN_UP_WITHIN_S, "clean-up"):
        if not line.startswith('{"clean_up"'):
            continue
        told = json.loads(line)["clean_up"]
        if told.get("problem"):
            yield Note(f"clearing up in Vineyard: {told['problem']}")
        for worker, used in told.get("used_bytes", {}).items():
            if used and not told.get("names_left"):
                yield Note(f"Vineyard worker {worker} still holds {used} bytes under no name")


def _run(cluster: ReadyCluster, job: Mapping[str, Any], timeout_s: float, what: str) -> list[str]:
    """Runs a Job to its end and returns the lines of its log; one of the same name that is there is replaced."""
    name = job["metadata"]["name"]
    remove(cluster, name)
    try:
        cluster.kube.create(signed(job))
        pod = _wait(cluster, name, timeout_s, what)
        lines = cluster.kube.logs(pod["metadata"]["name"], cluster.namespace, tail_lines=200).splitlines()
        if pod["status"]["phase"] != "Succeeded":
            raise _failure(what, lines)
        return lines
    finally:
        remove(cluster, name)


def _wait(cluster: ReadyCluster, job: str, timeout_s: float, what: str) -> dict[str, Any]:
    """The Job's pod, once it ended; one that can never start is told at once."""
    labels = f"job-name={job}"
    for pod in cluster.kube.watch(POD, cluster.namespace, labels=labels, timeout_s=timeout_s, tick_s=TICK_S):
        if pod["status"].get("phase") in ("Succeeded", "Failed"):
            return pod
        waits = pod["status"].get("phase") == "Pending"
        if problem := stuck([pod], _events(cluster, pod) if waits else []):
            raise problem
    raise WaitTimeout(f"{what} did not end within {timeout_s:g} s")


def _events(cluster: ReadyCluster, pod: Mapping[str, Any]) -> list[dict[str, Any]]:
    """None where they may not be read: they only tell why a pod waits, and clearing up must not fail for want of it."""
    try:
        return cluster.events_of([pod])
    except ApiFailure:
        return []


def remove(cluster: ReadyCluster, job: str) -> None:
    """Deletes a Job and waits until it is gone."""
    if cluster.kube.delete(JOB, job, cluster.namespace):
        wait_until(
            lambda: None if cluster.kube.get(JOB, job, cluster.namespace) else True,
            what=f"the end of the Job {job}", timeout_s=GONE_WITHIN_S, interval_s=0.5,
        )  # fmt: skip


def _failure(what: str, lines: list[str]) -> Exception:
    altered = [line.partition(": ")[2] for line in lines if "AlteredDatasetError: " in line]
    if altered:
        return ResultProblem(altered[-1], "Remove it from the data volume, and the next run prepares it again.")
    return StepFailed(f"{what} failed", "Its log ends: " + "\n".join(lines[-15:]))


def _facts_name(multiplier: int) -> str:
    return f"fluidbench-dataset-{multiplier}"


def _facts_map(cluster: ReadyCluster, multiplier: int, facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": _facts_name(multiplier), "namespace": cluster.namespace, "labels": dict(MANAGED_BY)},
        "data": {"facts": json.dumps(facts)},
    }
