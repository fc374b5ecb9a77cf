"""`up` and `down` on a cluster that was there, `status`, and `down` of a kind cluster."""

import yaml

from fluidbench.kube import CONFIG_MAP, CRD, DATASET, DEPLOYMENT, NAMESPACE, NODE, PV, VINEYARD_RUNTIME, WORKFLOW
from tests.up.conftest import World
from tests.up.stack import controller


def test_an_existing_cluster_gets_what_it_lacks_and_no_nodes(world: World, existing: list[str]) -> None:
    outcome = world.up(*existing)
    assert outcome.code == 0, outcome.err
    assert not world.programs.ran("kind create")
    assert not world.programs.ran("docker build")
    now = world.current()
    assert (now.context, now.made_cluster, now.step_image) == ("office", False, "registry.example/steps:1")
    assert world.api.get(DATASET, "vineyard", "default")


def test_an_existing_cluster_needs_to_know_where_its_step_image_is(world: World, existing: list[str]) -> None:
    outcome = world.up(*existing[:4])
    assert outcome.code == 4
    assert "--registry" in outcome.err
    assert "--step-image" in outcome.err


def test_an_image_for_an_existing_cluster_is_built_and_pushed_to_its_registry(
    world: World, existing: list[str]
) -> None:
    outcome = world.up(*existing[:4], "--registry", "registry.example/team")
    assert outcome.code == 0, outcome.err
    (pushed,) = world.programs.ran("docker push")
    assert pushed.startswith("docker push registry.example/team/fluidbench-steps:")


def test_options_of_kind_contradict_an_existing_cluster(world: World, existing: list[str]) -> None:
    outcome = world.up(*existing, "--workers", "2")
    assert outcome.code == 2
    assert "--workers" in outcome.err


def test_argo_of_somebody_else_is_used_and_its_grid_told(world: World, existing: list[str]) -> None:
    world.api.add({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "workflows"}})
    world.api.add({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "workflows.argoproj.io"},
    })  # fmt: skip
    world.api.add(controller("workflows"))
    outcome = world.up(*existing)
    assert outcome.code == 0, outcome.err
    assert "every 10 s" in outcome.err
    now = world.current()
    assert (now.requeue_s, now.installed) == (10.0, ("fluid",))
    assert world("down").code == 0
    assert world.api.get(DEPLOYMENT, "workflow-controller", "workflows")


def test_fluid_of_somebody_else_has_its_profile_completed_and_is_left_by_down(
    world: World, existing: list[str]
) -> None:
    world.api.add({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "fluid-system"}})
    arguments = "preferred: [{name: fluid.io/node, weight: 100}]"
    profile = {"pluginConfig": [{"name": "NodeAffinityWithCache", "args": arguments}], "plugins": {}}
    world.api.add({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "webhook-plugins", "namespace": "fluid-system"},
        "data": {"pluginsProfile": yaml.safe_dump(profile)},
    })  # fmt: skip
    _helm_install(world)
    outcome = world.up(*existing)
    assert outcome.code == 0, outcome.err
    assert "fluid.io/fuse" in world.api.get(CONFIG_MAP, "webhook-plugins", "fluid-system")["data"]["pluginsProfile"]
    template = world.api.get(DEPLOYMENT, "fluid-webhook", "fluid-system")["spec"]["template"]
    assert template["metadata"]["annotations"]
    assert not world.programs.ran("helm install fluid " + str(world.home))
    assert world("down").code == 0
    assert world.programs.read()["releases"]
    assert world.api.get(DEPLOYMENT, "dataset-controller", "fluid-system")


def _helm_install(world: World) -> None:
    from fluidbench.command import run

    run(["helm", "install", "fluid", "theirs"], timeout_s=20)


def test_down_removes_what_up_made_in_an_existing_cluster_and_nothing_else(world: World, existing: list[str]) -> None:
    theirs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs", "namespace": "default"}}
    world.api.add(theirs)
    assert world.up(*existing, "--namespace", "bench").code == 0
    world.api.add({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow",
        "metadata": {
            "name": "run-1", "namespace": "bench", "labels": {"app.kubernetes.io/managed-by": "fluidbench"},
        },
    })  # fmt: skip
    outcome = world("down", "--json")
    assert outcome.code == 0, outcome.err
    for kind in (WORKFLOW, DATASET, VINEYARD_RUNTIME, PV, DEPLOYMENT, CRD):
        assert world.api.objects(kind) == [], kind
    assert {item["metadata"]["name"] for item in world.api.objects(NAMESPACE)} == {"default", "kube-system"}
    assert world.api.get(CONFIG_MAP, "theirs", "default")
    assert len(world.api.objects(NODE)) == 3
    order = [line.split()[0] for line in outcome.json["removed"]]
    assert order.index("Workflow") < order.index("Dataset") < order.index("helm")
    assert not (world.home / "state" / "fluidbench" / "cluster.json").exists()


def test_down_leaves_fluid_and_argo_where_others_use_them(world: World, existing: list[str]) -> None:
    assert world.up(*existing).code == 0
    world.api.add({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}})
    world.stack.off.add("Fluid")
    world.api.add({
        "apiVersion": "data.fluid.io/v1alpha1", "kind": "Dataset", "metadata": {"name": "d", "namespace": "other"},
    })  # fmt: skip
    world.api.add({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "w", "namespace": "other"},
    })  # fmt: skip
    outcome = world("down")
    assert outcome.code == 0, outcome.err
    assert "left Fluid: still used by other/d" in outcome.out
    assert "left Argo: still used by other/w" in outcome.out
    assert world.api.get(DEPLOYMENT, "dataset-controller", "fluid-system")


def test_down_again_finds_nothing_to_do(world: World, existing: list[str]) -> None:
    assert world.up(*existing).code == 0
    assert world("down").code == 0
    outcome = world("down", "--target", "cluster")
    assert outcome.code == 0
    assert "No cluster is up" in outcome.out


def test_down_says_why_when_fluid_was_removed_before_its_dataset(world: World, existing: list[str]) -> None:
    assert world.up(*existing).code == 0
    world.api.remove(DEPLOYMENT, "dataset-controller", "fluid-system")
    outcome = world("down")
    assert outcome.code == 4
    assert "fluidbench up" in outcome.err


def test_down_deletes_a_kind_cluster_that_we_made_and_keeps_the_datasets(world: World) -> None:
    assert world.up().code == 0
    dataset = world.home / "data" / "df_10.pkl"
    dataset.write_text("")
    dataset.with_suffix(".json").write_text('{"sidecar_version": 1}')  # ours has one
    outcome = world("down", "--json")
    assert outcome.code == 0, outcome.err
    assert world.programs.read()["clusters"] == {}
    assert "kind cluster bench" in outcome.json["removed"]
    assert outcome.json["kept"] == [str(dataset)]
    assert dataset.exists()


def test_down_with_purge_removes_datasets_and_the_image(world: World) -> None:
    assert world.up().code == 0
    dataset = world.home / "data" / "df_10.pkl"
    dataset.write_text("")
    dataset.with_suffix(".json").write_text('{"sidecar_version": 1}')  # ours has one
    image = world.current().step_image
    assert world("down", "--purge").code == 0
    assert not dataset.exists()
    assert image not in world.programs.read()["images"]


def test_down_of_a_half_made_cluster_removes_its_nodes(world: World) -> None:
    world.programs.change(fail={"kind load": "no space left on device"})
    assert world.up().code == 8
    assert world("down").code == 0
    assert world.programs.read()["clusters"] == {}


def test_down_does_not_delete_a_kind_cluster_of_somebody_else(world: World) -> None:
    world.programs.change(clusters={"theirs": [{"name": "theirs-control-plane", "running": True, "mount": "/x"}]})
    outcome = world("down", "--name", "theirs")
    assert outcome.code == 2
    assert world.programs.read()["clusters"]


def test_status_tells_what_is_up_and_how_full_each_worker_is(world: World) -> None:
    assert world.up().code == 0
    outcome = world("status", "--json")
    assert outcome.code == 0, outcome.err
    cluster = outcome.json["cluster"]
    assert cluster["ready"]
    assert [(worker["node"], worker["used_bytes"]) for worker in cluster["workers"]] == [
        ("bench-worker", 1000), ("bench-worker2", 1000),
    ]  # fmt: skip
    assert {part["name"] for part in cluster["parts"]} >= {"fluid-webhook", "workflow-controller", "Dataset"}
    assert all(part["good"] for part in cluster["parts"])


def test_status_without_a_cluster_says_so(world: World) -> None:
    outcome = world("status")
    assert outcome.code == 0
    assert "fluidbench up" in outcome.out


def test_status_of_a_cluster_that_does_not_answer_is_an_error(world: World) -> None:
    assert world.up().code == 0
    world.api.close()
    outcome = world("status")
    assert outcome.code == 4


def test_namespaces_that_were_there_stay_and_lose_our_mark(world: World, existing: list[str]) -> None:
    for name in ("argo", "fluid-system"):
        world.api.add({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    assert world.up(*existing).code == 0
    assert world.current().installed == ("argo", "fluid")
    assert world("down").code == 0
    for name in ("argo", "fluid-system"):
        assert not world.api.get(NAMESPACE, name)["metadata"].get("labels")
    assert world.api.objects(DEPLOYMENT) == []


def test_data_that_moves_to_a_nas_makes_the_volume_anew(world: World, existing: list[str]) -> None:
    assert world.up(*existing).code == 0
    assert "hostPath" in world.api.get(PV, "benchmark-data")["spec"]
    outcome = world.up(*existing, "--nfs", "nas.example:/export/bench")
    assert outcome.code == 0, outcome.err
    assert world.api.get(PV, "benchmark-data")["spec"]["nfs"]["server"] == "nas.example"
    assert "made anew" in outcome.err
