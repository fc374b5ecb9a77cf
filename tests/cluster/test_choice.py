"""Which target a command takes, and what it says when that one cannot be had: never a silent run on this machine."""

from typing import Any

import pytest

from fluidbench.kube import POD
from tests.cluster.conftest import World
from tests.conftest import Cli

COMMANDS = [("run", "-m", "1"), ("compare", "-m", "1", "--rounds", "1", "--yes"), ("prepare", "-m", "1")]
each_command = pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])


@each_command
def test_a_current_cluster_that_does_not_answer_is_an_error_and_nothing_runs_here(
    world: World, command: tuple[str, ...]
) -> None:
    world.cluster.api.vanish()
    ended = world(*command, "--json")
    assert (ended.returncode, ended.json["error"]["code"]) == (4, "external_failure")
    assert "does not answer" in ended.json["error"]["message"]
    assert world("history", "--json").json["runs"] == []
    assert list((world.home / "data").glob("**/*.pkl")) == []


def test_a_kubeconfig_that_is_gone_is_told(world: World) -> None:
    world.cluster.kubeconfig.unlink()
    ended = world.run()
    assert ended.returncode == 4
    assert str(world.cluster.kubeconfig) in ended.json["error"]["message"]


@each_command
def test_asked_for_a_cluster_where_there_is_none_it_says_how_to_get_one(cli: Cli, command: tuple[str, ...]) -> None:
    ended = cli(*command, "--target", "cluster", "--json")
    assert (ended.returncode, ended.json["error"]["code"]) == (2, "usage")
    assert "there is no current cluster" in ended.json["error"]["message"]
    assert "fluidbench up" in ended.json["error"]["hint"]


@pytest.mark.parametrize("target", [(), ("--target", "cluster")])
def test_a_cluster_that_up_did_not_finish_is_not_run_on(world: World, target: tuple[str, ...]) -> None:
    world.cluster.make_current(world.home, ready=False)
    ended = world.run(*target)
    assert (ended.returncode, ended.json["error"]["code"]) == (2, "usage")
    assert "did not come to its end" in ended.json["error"]["message"]
    assert world.cluster.api.requests == []


def test_an_unknown_target_is_a_usage_problem(world: World) -> None:
    ended = world.run("--target", "moon")
    assert ended.returncode == 2
    assert "Known are: local, cluster" in ended.json["error"]["hint"]


def test_a_data_directory_is_not_for_a_cluster(world: World) -> None:
    ended = world.run("--data-dir", str(world.home))
    assert ended.returncode == 2
    assert "fluidbench up --data-dir" in ended.json["error"]["hint"]


def test_a_store_that_the_step_image_does_not_hold_is_refused_before_anything_is_made(world: World) -> None:
    ended = world.run("--store", "support.odd_stores:Slow")
    assert (ended.returncode, ended.json["error"]["code"]) == (2, "usage")
    assert world.cluster.api.asked("POST") == []


def test_a_cluster_whose_workers_are_all_gone_is_told(world: World) -> None:
    for number in range(2):
        world.cluster.api.remove(POD, f"vineyard-worker-{number}", "default")
    ended = world.run("--vineyard")
    assert ended.returncode == 4
    assert "none of Vineyard's 0 workers is ready" in ended.json["error"]["message"]
    assert "fluidbench status" in ended.json["error"]["hint"]
    assert world.cluster.api.asked("POST") == []


def test_doctor_tells_what_fits_into_the_cluster_and_the_largest_that_does(world: World) -> None:
    def fit(multiplier: int, *more: str) -> dict[str, Any]:
        ended = world("doctor", "--target", "cluster", "-m", str(multiplier), "--json", *more)
        return ended.json["findings"][-1]

    assert (fit(12)["good"], fit(13)["good"]) == (True, False)
    assert "the largest that does, by memory: 12" in fit(12)["found"]
    assert "The largest multiplier that fits is 12" in fit(13)["fix"]
    files = fit(13, "--store", "pickle")
    assert files["good"]
    assert files["what"] == "multiplier 13, published, through pickle"


def test_a_cluster_whose_disk_is_this_machines_is_asked_for_room(world: World) -> None:
    world.cluster.make_current(world.home, made_cluster=True)
    ended = world("run", "-m", "2000000", "--json")
    assert (ended.returncode, ended.json["error"]["code"]) == (8, "does_not_fit")
    assert world("run", "-m", "1", "--json").returncode == 0
