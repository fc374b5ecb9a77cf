"""The published procedure on a real cluster, in four commands. The tests go on from each other, in this order."""

import json
import math
import re
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from support.expected import EXPECTED
from tests.e2e.conftest import RealCluster, by_hand, last_run

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(3600)]
MULTIPLIER = 2
RUN = ("run", "-m", str(MULTIPLIER), "--json")
STEPS = ["preprocess-data", "train-data", "test-data"]


@pytest.fixture
def ready(real: RealCluster) -> RealCluster:
    if real.brought_up.returncode != 0:
        pytest.skip("up failed")
    return real


def nothing_left(cluster: RealCluster) -> None:
    """No Workflow, and no byte in any worker of Vineyard."""
    seen = cluster("status", "--json")
    assert seen.returncode == 0, seen.stderr
    told = seen.json["cluster"]
    assert told["runs"] == []
    assert [worker["used_bytes"] for worker in told["workers"]] == [0] * len(told["workers"]), told["notes"]


def check(run: dict[str, Any], store: str) -> None:
    """What a run must have yielded, and how its times hang together."""
    assert run["state"] == "Succeeded"
    assert [step["name"] for step in run["steps"]] == STEPS
    assert run["results"]["mse"] == pytest.approx(EXPECTED[MULTIPLIER].mse, rel=1e-9)
    assert {step["transport"] for step in run["steps"]} == {"ipc" if store == "vineyard" else "file"}
    assert len({step["node"] for step in run["steps"]}) == 1
    for step in run["steps"]:
        assert list(step["phases"])[:4] == ["scheduling", "image", "mount", "container"]
        assert "startup" in step["phases"]
        assert math.isclose(sum(step["phases"].values()), step["duration_s"], abs_tol=1e-9)
    steps_s = sum(step["duration_s"] for step in run["steps"])
    assert math.isclose(steps_s + run["unaccounted_s"], run["duration_s"], abs_tol=1e-6)


def test_up_brings_up_the_cluster(real: RealCluster) -> None:
    assert real.brought_up.returncode == 0, real.brought_up.stderr
    assert real.brought_up.json["cluster"]["ready"] is True


def test_status_tells_that_all_is_well(ready: RealCluster) -> None:
    seen = ready("status", "--json")
    assert seen.returncode == 0, seen.stderr
    told = seen.json["cluster"]
    assert told["ready"]
    assert [part["name"] for part in told["parts"] if not part["good"]] == []
    assert all(worker["limit_bytes"] > 0 for worker in told["workers"])


def test_the_file_pipeline_runs(ready: RealCluster) -> None:
    ended = ready(*RUN)
    assert ended.returncode == 0, ended.stderr
    check(ended.json["runs"][0], "pickle")
    assert re.search(r"Workflow machine-learning-pipeline-\w+; see it with: .*argo get", ended.stderr)


def test_the_vineyard_pipeline_runs_and_leaves_nothing(ready: RealCluster) -> None:
    ended = ready(*RUN, "--vineyard")
    assert ended.returncode == 0, ended.stderr
    run = ended.json["runs"][0]
    check(run, "vineyard")
    assert run["readings"]["shared_memory_bytes"] > 0
    nothing_left(ready)


def test_a_comparison_is_equivalent_and_not_confounded(ready: RealCluster) -> None:
    ended = ready("compare", "-m", str(MULTIPLIER), "--rounds", "1", "--yes", "--json")
    assert ended.returncode == 0, ended.stderr
    told = ended.json
    assert (told["rounds"], told["equivalent"], told["confounded"]) == (1, True, [])
    nothing_left(ready)


@pytest.mark.parametrize("store", ["pickle", "vineyard"])
def test_ctrl_c_stops_the_workflow_and_removes_what_it_left(ready: RealCluster, store: str) -> None:
    process = ready.program.start(*RUN, "--store", store)
    lines: list[str] = []
    for line in _until(process.stderr, "train-data: Running", 300):
        lines.append(line)
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=300)
    assert process.returncode == 130, "".join(lines) + rest
    run = last_run(ready)
    assert (run["state"], run["reason"], run["identity"]["store"]) == ("Error", "interrupted", store)
    assert [step["name"] for step in run["steps"]] == ["preprocess-data"]
    nothing_left(ready)


def _until(stream: Any, words: str, seconds: float) -> Iterator[str]:
    """The lines up to the one that holds `words`; a process that says nothing ends the test by its own time-out."""
    deadline = time.monotonic() + seconds
    for line in stream:
        yield line
        if words in line:
            return
        assert time.monotonic() < deadline, f"no line with {words!r} within {seconds:g} s"
    raise AssertionError(f"it ended before a line with {words!r}")


def test_a_killed_run_is_cleared_up_by_the_next_command(ready: RealCluster) -> None:
    process = ready.program.start(*RUN, "--vineyard")
    for _ in _until(process.stderr, "preprocess-data: Running", 300):
        pass
    process.kill()
    process.communicate()
    listed = ready("history", "--json")
    assert "had been interrupted; what it left was removed" in listed.stderr
    nothing_left(ready)


def test_a_second_up_makes_nothing_anew(ready: RealCluster) -> None:
    again = ready.up()
    assert again.returncode == 0, again.stderr
    done_again = {stage["stage"] for stage in again.json["stages"] if not stage["found"]}
    looked_at = {"cluster"} if "--context" in ready.options else set()  # one that was there is asked who it is
    assert done_again <= {"check", "images", "access and volume", "step image in the nodes"} | looked_at
    assert again.json["cluster"] == ready.brought_up.json["cluster"]


def test_two_runs_at_once_are_refused(ready: RealCluster) -> None:
    process = ready.program.start(*RUN)
    for _ in _until(process.stderr, "preprocess-data: Running", 300):
        pass
    refused = ready(*RUN)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=300)
    assert (refused.returncode, refused.json["error"]["code"]) == (10, "busy")


def test_what_render_prints_passes_kubectl_and_argo_by_hand(ready: RealCluster) -> None:
    image = ready.brought_up.json["cluster"]["step_image"]
    about = ("-m", str(MULTIPLIER), "--step-image", image)
    by_hand(ready, "kubectl", "apply", "--dry-run=server", "-f", "-", stdin=ready("render", "--what", "setup").stdout)
    created = by_hand(ready, "kubectl", "create", "-o", "name", "-f", "-", stdin=ready("render", *about).stdout)
    name = created.strip().rpartition("/")[2]
    by_hand(ready, "kubectl", "wait", f"workflow/{name}", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=300s")
    in_vineyard = ready("render", *about, "--vineyard").stdout
    # it exits with 0 only when the Workflow succeeded
    submitted = json.loads(by_hand(ready, "argo", "submit", "-", "--wait", "-o", "json", stdin=in_vineyard))
    for workflow, more in ((name, ()), (submitted["metadata"]["name"], ("--vineyard",))):
        what = ("--what", "clean-up", "--run-id", workflow, "--step-image", image, *more)
        clean_up = ready("render", *what).stdout
        by_hand(ready, "kubectl", "create", "-f", "-", stdin=clean_up)
        by_hand(ready, "kubectl", "wait", f"job/clean-up-{workflow}", "--for=condition=Complete", "--timeout=300s")
        by_hand(ready, "kubectl", "delete", f"workflow/{workflow}", f"job/clean-up-{workflow}")
    nothing_left(ready)


def test_down_removes_everything_and_says_what_is_left(ready: RealCluster) -> None:
    ended = ready("down", "--purge", "--json")
    assert ended.returncode == 0, ended.stderr
    # of nodes that were there before Fluid, and are after it, its empty directories are told
    not_ours = [left for left in ended.json["left"] if "--context" not in ready.options or " on node " not in left]
    assert not_ours == [], ended.json
    assert ended.json["removed"]
    assert ready("status", "--json").json["cluster"] is None
    again = ready("down", "--json", "--target", "cluster")
    assert (again.returncode, again.json["removed"]) == (0, [])
