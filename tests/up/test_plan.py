"""`--dry-run` touches nothing, `--offline` fetches nothing; and what can be known without a cluster."""

import json
import socket
from pathlib import Path

import pytest
import yaml

from fluidbench import pins
from fluidbench.errors import DoesNotFit, UsageProblem
from fluidbench.targets.cluster.bringup import sizing
from fluidbench.targets.cluster.bringup.argo import requeue_s
from fluidbench.targets.cluster.bringup.fluid import completed, lacking
from fluidbench.targets.cluster.bringup.kind_config import merged_config
from fluidbench.targets.cluster.bringup.options import UpOptions, bytes_of, quantity_of
from fluidbench.tools.docker import full_name
from tests.up.conftest import World
from tests.up.stack import controller

GIB = 1 << 30


def test_a_dry_run_starts_no_program_that_changes_anything_and_asks_no_cluster(world: World) -> None:
    outcome = world("up", *world.files, "--name", "bench", "--dry-run")
    assert outcome.code == 0, outcome.err
    assert world.programs.changed() == []
    assert world.api.requests == []
    assert not (world.home / "state").exists()
    assert not (world.home / "data").exists()


def test_a_dry_run_prints_every_command_and_manifest(world: World) -> None:
    outcome = world("up", *world.files, "--name", "bench", "--dry-run", "--quota", "1Gi")
    for wanted in ("kind create cluster --name bench", "docker build", "kind load docker-image", "helm install fluid"):
        assert wanted in outcome.out
    kinds = {"Role", "PersistentVolume", "VineyardRuntime", "Dataset", "Deployment", "CustomResourceDefinition", "Pod"}
    assert all(f"kind: {kind}" in outcome.out for kind in kinds)


def test_a_dry_run_on_a_kind_cluster_that_is_there_loads_images_too(world: World) -> None:
    loaded = "kind load docker-image --name bench"
    assert loaded in world("up", *world.files, "--context", "kind-bench", "--dry-run").out
    assert loaded not in world("up", *world.files, "--context", "admin@remote", "--dry-run").out


def test_a_dry_run_as_json_holds_the_same(world: World) -> None:
    outcome = world("up", *world.files, "--dry-run", "--json")
    planned = outcome.json["planned"]
    assert {"command", "manifest", "content", "note"} <= {key for entry in planned for key in entry}


def test_a_dry_run_with_published_locations_fetches_nothing(world: World) -> None:
    outcome = world("up", "--dry-run", "--data-dir", str(world.home / "data"))
    assert outcome.code == 0, outcome.err
    assert pins.ARGO_MANIFEST in outcome.out
    assert pins.FLUID_CHART in outcome.out


@pytest.mark.parametrize("option", ["--fluid-chart", "--argo-manifest"])
def test_offline_refuses_what_would_be_fetched(world: World, option: str) -> None:
    files = world.files
    del files[files.index(option) : files.index(option) + 2]
    outcome = world("up", *files, "--offline")
    assert outcome.code == 2
    assert option in outcome.err
    assert world.programs.asked() == []


def test_offline_names_the_images_that_are_missing_before_anything_is_made(world: World) -> None:
    images = world.programs.read()["images"]
    del images[pins.ARGO_IMAGES[1]]
    world.programs.change(images=images)
    outcome = world.up("--offline")
    assert outcome.code == 4
    assert pins.ARGO_IMAGES[1] in outcome.err
    assert "docker load" in outcome.err
    assert not world.programs.ran("kind create")


def test_offline_works_when_everything_is_at_hand(world: World) -> None:
    assert world.up().code == 0
    built = world.programs.read()["images"]
    assert world("down").code == 0
    world.programs.change(images=built)
    world.programs.forget()
    outcome = world.up("--offline")
    assert outcome.code == 0, outcome.err
    assert not world.programs.ran("docker build")


def test_images_that_are_not_held_are_left_to_the_nodes_and_told(world: World) -> None:
    images = world.programs.read()["images"]
    del images[pins.ARGO_IMAGES[0]]
    world.programs.change(images=images)
    outcome = world.up()
    assert outcome.code == 0, outcome.err
    assert f"each node pulls them: {pins.ARGO_IMAGES[0]}" in outcome.err


def test_a_port_that_the_configuration_wants_must_be_free(world: World) -> None:
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        port = taken.getsockname()[1]
        patch = world.home / "patch.yaml"
        patch.write_text(json.dumps({"nodes": [{"extraPortMappings": [{"containerPort": 80, "hostPort": port}]}]}))
        outcome = world.up("--kind-config-patch", str(patch))
    assert outcome.code == 4
    assert str(port) in outcome.err
    assert world.programs.changed() == []


def test_a_kind_patch_adds_to_the_configuration_and_takes_nothing_away(tmp_path: Path) -> None:
    patch = tmp_path / "patch.yaml"
    patch.write_text("networking: {apiServerPort: 7000}\nnodes: [{labels: {a: b}}]\nkubeadmConfigPatches: [x]\n")
    options = UpOptions(data_dir=tmp_path, kind_config_patch=patch)
    config = yaml.safe_load(merged_config(options, 2))
    assert config["networking"] == {"apiServerPort": 7000}
    assert [node["role"] for node in config["nodes"]] == ["control-plane", "worker", "worker"]
    assert config["nodes"][0]["labels"] == {"a": "b"}
    assert all(node["extraMounts"][0]["hostPath"] == str(tmp_path) for node in config["nodes"])


def test_a_kind_patch_with_more_nodes_than_there_are_is_refused(tmp_path: Path) -> None:
    patch = tmp_path / "patch.yaml"
    patch.write_text("nodes: [{}, {}, {}]")
    with pytest.raises(UsageProblem, match="3 nodes"):
        merged_config(UpOptions(data_dir=tmp_path, kind_config_patch=patch), 1)


def test_the_published_quota_is_taken_where_the_host_has_room() -> None:
    quota, why = sizing.choose(sizing.Host(64 * GIB, 3), 2, None, None)
    assert quota == 20 * GIB
    assert "as published" in why


def test_a_smaller_host_gets_the_largest_safe_quota_and_is_told() -> None:
    quota, why = sizing.choose(sizing.Host(24 * GIB, 3), 2, None, None)
    assert 8 * GIB < quota < 11 * GIB
    assert "published: 20Gi" in why


def test_a_quota_that_does_not_fit_is_refused_with_one_that_does() -> None:
    with pytest.raises(DoesNotFit) as refused:
        sizing.choose(sizing.Host(8 * GIB, 2), 2, 20 * GIB, None)
    assert "--quota" in refused.value.hint


def test_a_quota_that_cannot_hold_the_multiplier_is_refused() -> None:
    with pytest.raises(DoesNotFit, match="does not hold"):
        sizing.choose(sizing.Host(64 * GIB, 2), 2, GIB, 1000)


def test_a_multiplier_sizes_the_workers_for_it() -> None:
    quota, _ = sizing.choose(sizing.Host(64 * GIB, 2), 2, None, 1000)
    assert 3.6e9 < quota < 4.9e9


def test_two_workers_of_vineyard_need_two_nodes() -> None:
    with pytest.raises(UsageProblem, match="need as many nodes"):
        sizing.choose(sizing.Nodes([64 * GIB]), 2, GIB, None)


@pytest.mark.parametrize(("text", "count"), [("20Gi", 20 * GIB), ("512Mi", 512 << 20), ("1G", 10**9), ("7", 7)])
def test_quantities_are_read_as_kubernetes_writes_them(text: str, count: int) -> None:
    assert bytes_of(text) == count


def test_quantities_are_written_in_whole_mebibytes() -> None:
    assert quantity_of(20 * GIB) == "20Gi"
    assert quantity_of(1_600_000_000) == "1525Mi"


@pytest.mark.parametrize(("value", "seconds"), [(None, 10), ("1s", 1), ("500ms", 0.5), ("1m30s", 90), ("soon", 10)])
def test_the_controllers_grid_is_read(value: str | None, seconds: float) -> None:
    assert requeue_s(controller(requeue=value)) == seconds


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("python", "docker.io/library/python:latest"),
        ("fluidcloudnative/fluid-csi:v1", "docker.io/fluidcloudnative/fluid-csi:v1"),
        ("quay.io/a/b:1", "quay.io/a/b:1"),
        ("localhost:5000/a", "localhost:5000/a:latest"),
    ],
)  # fmt: skip
def test_image_names_are_completed_as_docker_does(short: str, full: str) -> None:
    assert full_name(short) == full


def test_a_webhook_profile_is_completed_without_touching_its_plugins() -> None:
    arguments = "preferred:\n# a comment\n- {name: fluid.io/node, weight: 100}\nrequired: [fluid.io/node]\n"
    profile = {"pluginConfig": [{"name": "NodeAffinityWithCache", "args": arguments}], "plugins": {"serverful": ["x"]}}
    assert lacking(profile) == ["fluid.io/fuse"]
    changed = completed(profile, ["fluid.io/fuse"])
    assert lacking(changed) == []
    assert changed["plugins"] == profile["plugins"]
    assert yaml.safe_load(changed["pluginConfig"][0]["args"])["required"] == ["fluid.io/node"]
