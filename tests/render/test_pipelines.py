"""Both pipelines bear the published names."""

import json

import pytest

from fluidbench import render
from fluidbench.render import PipelineOptions

KFP = "pipelines.kubeflow.org"
ARMS = {"pickle": "machine-learning-pipeline", "vineyard": "machine-learning-pipeline-with-vineyard"}


@pytest.fixture(params=ARMS)
def store(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def workflow(store: str) -> render.Manifest:
    return render.workflow(PipelineOptions(store, multiplier=2000, registry="test-registry"))


def test_the_workflow_bears_the_published_names(store: str, workflow: render.Manifest) -> None:
    assert workflow["apiVersion"] == "argoproj.io/v1alpha1"
    assert workflow["metadata"]["generateName"] == f"{ARMS[store]}-"
    assert workflow["spec"]["entrypoint"] == ARMS[store]
    assert workflow["spec"]["serviceAccountName"] == "pipeline-runner"
    assert workflow["spec"]["arguments"]["parameters"] == [
        {"name": "data_multiplier", "value": "2000"},
        {"name": "registry", "value": "test-registry"},
    ]


def test_tools_that_know_the_kfp_sdk_find_its_annotations_and_labels(store: str, workflow: render.Manifest) -> None:
    metadata = workflow["metadata"]
    assert set(metadata["annotations"]) == {
        f"{KFP}/kfp_sdk_version",
        f"{KFP}/pipeline_compilation_time",
        f"{KFP}/pipeline_spec",
    }
    spec = json.loads(metadata["annotations"][f"{KFP}/pipeline_spec"])
    assert set(spec) == {"description", "inputs", "name"}
    assert [given["name"] for given in spec["inputs"]] == ["data_multiplier", "registry"]
    assert f"{KFP}/kfp_sdk_version" in metadata["labels"]


def test_every_steps_pod_has_the_published_labels(store: str, workflow: render.Manifest) -> None:
    for template in workflow["spec"]["templates"][1:]:
        labels = template["metadata"]["labels"]
        assert labels[f"{KFP}/pipeline-sdk-type"] == "kfp"
        assert labels[f"{KFP}/enable_caching"] == "true"
        assert f"{KFP}/kfp_sdk_version" in labels
        assert labels.get("fuse.serverful.fluid.io/inject") == ("true" if store == "vineyard" else None)


def test_the_steps_follow_each_other_in_the_published_order(workflow: render.Manifest) -> None:
    tasks = workflow["spec"]["templates"][0]["dag"]["tasks"]
    assert {task["name"]: task.get("dependencies", []) for task in tasks} == {
        "preprocess-data": [],
        "train-data": ["preprocess-data"],
        "test-data": ["preprocess-data", "train-data"],
    }


def test_each_step_has_its_own_image_and_the_published_arguments(store: str, workflow: render.Manifest) -> None:
    with_vineyard = ["--with_vineyard=True"] if store == "vineyard" else []
    for template in workflow["spec"]["templates"][1:]:
        container, name = template["container"], template["name"]
        first = name == "preprocess-data"
        multiplier = ["--data_multiplier={{workflow.parameters.data_multiplier}}"] if first else []
        assert container["image"] == f"{{{{workflow.parameters.registry}}}}/{name}"
        assert container["imagePullPolicy"] == "IfNotPresent"
        assert container["command"] == ["python3", f"{name.replace('-', '_')}.py"]
        assert container.get("args", []) == multiplier + with_vineyard


def test_the_claims_are_mounted_where_they_were_published(store: str, workflow: render.Manifest) -> None:
    claims = {
        volume["name"]: volume["persistentVolumeClaim"]["claimName"]
        for volume in workflow["spec"]["volumes"]
        if "persistentVolumeClaim" in volume
    }
    expected = {"/data": "benchmark-data"} | ({"/var/run/vineyard": "vineyard"} if store == "vineyard" else {})
    for template in workflow["spec"]["templates"][1:]:
        mounts = template["container"]["volumeMounts"]
        assert {mount["mountPath"]: claims[mount["name"]] for mount in mounts if mount["name"] in claims} == expected


def test_one_image_for_all_steps_stands_as_it_was_given() -> None:
    workflow = render.workflow(PipelineOptions(step_image="mirror.example:5000/steps@sha256:1"))
    images = {template["container"]["image"] for template in workflow["spec"]["templates"][1:]}
    assert images == {"mirror.example:5000/steps@sha256:1"}


def test_by_hand_the_workflows_own_name_keeps_its_runs_apart() -> None:
    template = render.workflow(PipelineOptions())["spec"]["templates"][1]
    assert {"name": "FLUIDBENCH_RUN_ID", "value": "{{workflow.name}}"} in template["container"]["env"]


def test_a_run_is_found_by_its_label() -> None:
    workflow = render.workflow(PipelineOptions(run_id="run-1", node="worker-1"))
    assert workflow["metadata"]["labels"]["fluidbench/run"] == "run-1"
    assert workflow["spec"]["nodeSelector"] == {"kubernetes.io/hostname": "worker-1"}
    assert {template["metadata"]["labels"]["fluidbench/run"] for template in workflow["spec"]["templates"][1:]} == {
        "run-1"
    }


@pytest.mark.parametrize(
    ("node", "name"),
    [
        ("kind-worker", "fluidbench-round-trip-kind-worker"),
        ("10.0.0.1", "fluidbench-round-trip-10-0-0-1-a22421e7"),
        ("n" * 80, f"fluidbench-round-trip-{'n' * 32}-c3b70c85"),
    ],
)
def test_the_name_of_a_pod_is_one_that_kubernetes_takes(node: str, name: str) -> None:
    made = render.round_trip_pod("default", node, "image", "vineyard")["metadata"]["name"]
    assert len(made) <= 63
    assert made == name
