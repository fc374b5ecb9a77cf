"""The steps may do what they need, and nothing else."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
from render.cases import AS_PUBLISHED, FILES, OF_A_RUN, VINEYARD, manifests

from fluidbench import render
from fluidbench.render import Manifest, PipelineOptions

TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount"
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
WORKFLOWS = {"files": FILES, "vineyard": VINEYARD, "of a run": OF_A_RUN}


def steps(workflow: Manifest) -> list[dict[str, Any]]:
    return [template for template in workflow["spec"]["templates"] if "container" in template]


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    """The spec of every pod that is not a Workflow's."""
    for name, made in manifests().items():
        for manifest in made:
            if manifest["kind"] == "Job":
                yield name, manifest["spec"]["template"]["spec"]
            elif manifest["kind"] == "Pod":
                yield name, manifest["spec"]


PODS = dict(pods())


@pytest.mark.parametrize("name", WORKFLOWS)
def test_steps_run_restricted_and_not_as_root(name: str) -> None:
    workflow = render.workflow(WORKFLOWS[name])
    security = workflow["spec"]["securityContext"]
    assert security["runAsNonRoot"] is True
    assert security["runAsUser"] == 10001
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    for step in steps(workflow):
        assert step["container"]["securityContext"] == RESTRICTED


@pytest.mark.parametrize("name", WORKFLOWS)
def test_the_container_of_a_step_is_not_given_the_pods_token(name: str) -> None:
    workflow = render.workflow(WORKFLOWS[name])
    for step in steps(workflow):
        (mount,) = [mount for mount in step["container"]["volumeMounts"] if mount["mountPath"] == TOKEN]
        (volume,) = [volume for volume in workflow["spec"]["volumes"] if volume["name"] == mount["name"]]
        assert volume == {"name": "no-token", "emptyDir": {}}


@pytest.mark.parametrize("name", PODS)
def test_other_pods_run_restricted_and_have_no_token_at_all(name: str) -> None:
    assert PODS[name]["automountServiceAccountToken"] is False
    assert PODS[name]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert PODS[name]["securityContext"].get("runAsNonRoot", False) is (name != "clean-up-files")
    assert [container["securityContext"] for container in PODS[name]["containers"]] == [RESTRICTED]


def test_no_pod_mounts_a_directory_of_its_node_or_shares_its_namespaces() -> None:
    workflows = [render.workflow(options)["spec"] for options in WORKFLOWS.values()]
    for spec in [*PODS.values(), *workflows]:
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
        assert all("hostPath" not in volume for volume in spec.get("volumes", ()))


def test_the_account_may_hand_in_results_in_its_namespace_and_nothing_more() -> None:
    account, role, binding = render.rbac("benchmarks")
    assert role["kind"] == "Role"
    assert role["rules"] == [
        {"apiGroups": ["argoproj.io"], "resources": ["workflowtaskresults"], "verbs": ["create", "patch"]}
    ]
    assert binding["kind"] == "RoleBinding"
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "pipeline-runner", "namespace": "benchmarks"}]
    assert account["metadata"]["name"] == "pipeline-runner"


def test_only_drop_caches_is_privileged() -> None:
    for step in steps(render.workflow(AS_PUBLISHED)):
        assert step["container"]["securityContext"] == {"privileged": True}
        assert "/proc/sys/vm/drop_caches" in step["container"]["command"][2]


@pytest.mark.parametrize(
    "change", [{}, {"multiplier": 2000}, {"memory": "3Gi", "threads": 2}, {"cache_policy": "dropped"}]
)
def test_both_arms_have_equal_requests_limits_threads_and_privileges(change: dict[str, Any]) -> None:
    arms = [
        [step["container"] for step in steps(render.workflow(dataclasses.replace(PipelineOptions(store), **change)))]
        for store in ("pickle", "vineyard")
    ]
    for files, vineyard in zip(*arms, strict=True):
        assert vineyard["resources"]["requests"] == vineyard["resources"]["limits"]
        for key in ("resources", "securityContext", "image", "command"):
            assert vineyard[key] == files[key]
        assert threads(vineyard) == threads(files)


def threads(container: dict[str, Any]) -> list[str]:
    return [entry["value"] for entry in container["env"] if entry["name"].endswith("_THREADS")]


def test_what_a_step_measured_is_an_output_with_a_default_for_a_killed_one() -> None:
    for step in steps(render.workflow(VINEYARD)):
        (report,) = step["outputs"]["parameters"]
        assert report["valueFrom"] == {"path": "/tmp/fluidbench-report.json", "default": "{}"}


def test_pods_stay_until_their_logs_were_read() -> None:
    spec = render.workflow(VINEYARD)["spec"]
    assert not {"podGC", "ttlStrategy"} & spec.keys()
    assert spec["activeDeadlineSeconds"] == 3600
