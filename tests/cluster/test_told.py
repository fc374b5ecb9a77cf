"""What a run on a cluster tells and keeps: its names and lines to paste, logs, confounders, times, and its requests."""

import time
from pathlib import Path
from typing import Any

import yaml

from fluidbench.kube import DEPLOYMENT, NAMESPACE, NODE, POD, WORKFLOW
from tests.cluster import shapes
from tests.cluster.acts import report
from tests.cluster.conftest import World
from tests.kube.cluster_state import Object
from tests.up.stack import controller

STEPS = ["preprocess-data", "train-data", "test-data"]


def in_vineyard(pod: Object) -> bool:
    return "--with_vineyard=True" in pod["spec"]["containers"][0].get("args", [])


def test_after_the_submit_the_workflow_and_the_line_that_shows_it_are_told(world: World) -> None:
    ended = world.run()
    [workflow] = world.cluster.argo.workflows
    assert workflow.startswith("machine-learning-pipeline-")
    shown = f"KUBECONFIG={world.cluster.kubeconfig} argo get {workflow} -n default"
    assert f"Workflow {workflow}; see it with: {shown}" in ended.stderr


def test_the_steps_are_told_live_in_argos_words_and_glyphs(world: World) -> None:
    world.act("train-data", exit_code=1)
    lines = [line.strip() for line in world.run().stderr.splitlines()]
    # a pod that starts at once may never be seen Pending
    told = [line.replace("●", "◷") for line in lines if line.startswith(("◷", "●", "✔", "✖", "○"))]
    assert [line.split("  ")[0] for line in told] == [
        "◷ preprocess-data", "✔ preprocess-data", "◷ train-data", "✖ train-data", "○ test-data"
    ]  # fmt: skip
    assert "train-data: Failed: main: Error (exit code 1)" in lines
    assert any(line.startswith("preprocess-data: Running on bench-worker") for line in lines)


def test_the_target_is_told_where_nobody_chose_it(world: World) -> None:
    assert "Target: cluster, which `fluidbench up` made current" in world.run().stderr
    assert "Target:" not in world.run("--target", "cluster").stderr


def test_the_manifest_and_a_log_of_every_step_are_kept_with_the_run(world: World) -> None:
    run = world.run().json["runs"][0]
    kept = world.program.state / "runs" / run["run_id"]
    assert {path.name for path in kept.iterdir()} == {"workflow.yaml", *(f"{step}.log" for step in STEPS)}
    assert (kept / "train-data.log").read_text() == "phase startup 0.001\ntrain-data was here\n"
    [submitted] = world.cluster.api.asked("POST", "/workflows")
    manifest = yaml.safe_load((kept / "workflow.yaml").read_text())
    assert manifest["spec"] == submitted.body["spec"]
    assert submitted.body["metadata"]["labels"]["fluidbench/run"] == run["run_id"]


def test_what_is_around_a_step_comes_before_it_in_whole_seconds(world: World) -> None:
    world.act("train-data", takes_s=1.2)
    run = world.run().json["runs"][0]
    for step in run["steps"]:
        assert list(step["phases"])[:5] == ["scheduling", "image", "mount", "container", "startup"]
        for phase in ("scheduling", "image", "mount", "container", "exit"):
            assert step["phases"][phase] == int(step["phases"][phase])
    assert run["duration_s"] == int(run["duration_s"])


def test_the_end_is_noticed_within_a_second_and_without_busy_polling(world: World) -> None:
    world.run()
    ended_at: list[float] = []
    removed_at: list[float] = []

    def seen(workflow: Object) -> None:
        if (workflow.get("status") or {}).get("phase") == "Succeeded":
            ended_at.append(time.monotonic())

    world.cluster.api.when("MODIFIED", WORKFLOW, seen)
    world.cluster.api.when("DELETED", POD, lambda _: removed_at.append(time.monotonic()))
    world.act("train-data", takes_s=5.0)
    before = len(world.cluster.api.requests)
    assert world.run().returncode == 0
    assert removed_at[0] - ended_at[0] < 1
    # a quick run takes about 45; each tick of 2 s adds three
    assert len(world.cluster.api.requests) - before < 70


def spoilt(world: World) -> None:
    """Everything that breaks a comparison: a grid of 10 s, a second node, RPC and a warning in the vineyard arm."""
    world.cluster.api.put(controller(requeue="10s"))
    world.act("test-data", node="bench-worker3")

    def train(pod: Object) -> str:
        more: dict[str, Any] = {"transport": "rpc", "warnings": ["Put object to the vineyard instance 2"]}
        return report("train-data", **(more if in_vineyard(pod) else {}))

    world.act("train-data", report=train)


def test_whatever_breaks_a_comparison_is_told_as_confounded(world: World) -> None:
    spoilt(world)
    ended = world("compare", "-m", "1", "--rounds", "1", "--yes")
    assert ended.returncode == 0, ended.stderr
    told = [line.removeprefix("Confounded: ") for line in ended.stdout.splitlines() if line.startswith("Confounded: ")]
    assert any("bench-worker3" in line and line.startswith("round 1: placement, the steps ran on") for line in told)
    assert "Argo looks at a Workflow every 10 s only: steps start on that grid (DEFAULT_REQUEUE_TIME)" in told
    assert "round 1: train-data of vineyard reached Vineyard by RPC, not by shared memory" in told
    assert "round 1: train-data of vineyard: Put object to the vineyard instance 2" in told
    assert not any("of pickle" in line for line in told)
    assert world("compare", "-m", "1", "--no-run", "--json").json["confounded"] == told


def test_a_single_run_shows_them_too(world: World) -> None:
    spoilt(world)
    shown = world("run", "-m", "1", "--vineyard").stdout
    assert "! train-data reached Vineyard by RPC, not by shared memory" in shown
    assert "! train-data: Put object to the vineyard instance 2" in shown
    assert "! Argo looks at a Workflow every 10 s only" in shown
    assert "bench-worker3" in shown
    run = world.recorded()
    assert run["steps"][1]["transport"] == "rpc"
    assert run["readings"]["argo_requeue_s"] == 10


def test_both_arms_of_every_round_are_kept_on_one_node_that_has_a_ready_worker(world: World) -> None:
    api = world.cluster.api
    api.add(shapes.cluster_node("bench-without"))
    api.add(shapes.cluster_node("bench-starting"))
    unready = shapes.vineyard_worker("bench-starting", 7)
    unready["status"]["conditions"][0]["status"] = "False"
    api.put(unready)
    assert world("compare", "-m", "1", "--rounds", "2", "--yes", "--json").returncode == 0
    runs = [run for run in world("history", "--json").json["runs"] if not run["warmup"]]
    rounds = {number: {s["node"] for r in runs if r["round"] == number for s in r["steps"]} for number in (1, 2)}
    assert all(len(nodes) == 1 for nodes in rounds.values())
    assert set.union(*rounds.values()) <= {"bench-worker", "bench-worker2"}
    assert {run["identity"]["placement"] for run in runs} == {"one node"}
    specs = [seen.body["spec"] for seen in api.asked("POST", "/workflows")]
    limits = [[t["container"]["resources"] for t in spec["templates"] if "container" in t] for spec in specs]
    assert all(one == limits[0] for one in limits)


def test_threads_are_what_the_fullest_worker_node_has_to_spare(world: World) -> None:
    busy = shapes.vineyard_worker("bench-worker2", 9)
    busy["spec"]["containers"][0]["resources"]["requests"]["cpu"] = "1500m"
    busy["metadata"]["labels"] = {}
    world.cluster.api.put(busy)
    assert world.run().json["runs"][0]["identity"]["threads"] == 2


def test_a_multiplier_over_the_quota_is_refused_before_anything_is_made(world: World) -> None:
    ended = world("run", "-m", "20", "--vineyard", "--json")
    assert (ended.returncode, ended.json["error"]["code"]) == (8, "does_not_fit")
    assert "multiplier 20 puts 139 MB into one Vineyard worker, whose quota is 110 MB" in ended.json["error"]["message"]
    assert "The largest multiplier that fits is 12" in ended.json["error"]["hint"]
    assert world.cluster.api.asked("POST") == []
    assert world("run", "-m", "12", "--vineyard", "--json").returncode == 0


def test_files_have_no_quota_but_the_nodes_memory_counts(world: World) -> None:
    assert world("run", "-m", "20", "--json").returncode == 0
    ended = world("run", "-m", "9000", "--json")
    assert (ended.returncode, ended.json["error"]["code"]) == (8, "does_not_fit")


def test_the_published_figures_stand_beside_multiplier_2000_and_no_other(world: World) -> None:
    at = {number: world("compare", "-m", str(number), "--no-run").stdout for number in (1, 1000, 2000)}
    assert "published: NAS" in at[2000]
    total = next(line for line in at[2000].splitlines() if line.strip().startswith("total"))
    assert total.split()[1:] == ["160", "s", "111", "s", "1.44x", "+49", "s"]
    assert "published" not in at[1] + at[1000]


def test_a_runs_files_are_removed_as_the_user_that_wrote_them(world: World) -> None:
    world.run("--cache", "warm")
    [job] = [
        seen.body for seen in world.cluster.api.asked("POST", "/jobs") if "clean-up" in seen.body["metadata"]["name"]
    ]
    pod = job["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsUser"] == 10001
    assert pod["nodeSelector"]["kubernetes.io/hostname"] in {"bench-worker", "bench-worker2"}


def test_what_a_clean_up_could_not_free_is_told(world: World) -> None:
    log = '{"clean_up": {"names_left": 0, "used_bytes": {"1": 4096}, "problem": "MetaTreeInvalidException: no root"}}\n'
    world.act("clean-up", log=log)
    ended = world.run("--vineyard")
    assert ended.returncode == 0
    assert "clearing up in Vineyard: MetaTreeInvalidException" in ended.stderr
    assert "Vineyard worker 1 still holds 4096 bytes under no name" in ended.stderr


def test_what_a_run_asks_for_is_within_one_namespace_but_for_the_nodes(world: World) -> None:
    world.run("--vineyard")
    asked = {seen.path for seen in world.cluster.api.requests if "/namespaces/default/" not in seen.path}
    assert asked <= {"/version", NAMESPACE.path(name="default"), NODE.path(), POD.path(), DEPLOYMENT.path()}
    assert isinstance(world.program.state, Path)


def test_lines_that_a_library_prints_between_are_no_part_of_what_a_job_tells(world: World) -> None:
    noise = "No RDMA endpoint provided. Fall back to TCP.\n"
    for step in ("prepare-data", "clean-up"):
        said = world.cluster.argo.kubelet.acts[step].log
        world.act(step, log=noise + said + noise)
    ended = world.run("--vineyard")
    assert ended.returncode == 0, ended.stderr
    assert ended.json["runs"][0]["identity"]["rows"] == 10_000


def test_dropping_all_caches_is_privileged_in_its_steps_alone_and_cleared_up_as_root(world: World) -> None:
    ended = world.run("--vineyard", "--cache", "dropped")
    assert ended.returncode == 0, ended.stderr
    assert ended.json["runs"][0]["identity"]["cache_policy"] == "dropped"
    (workflow,) = (seen.body for seen in world.cluster.api.asked("POST", "/workflows"))
    containers = [template["container"] for template in workflow["spec"]["templates"] if "container" in template]
    assert [one["securityContext"]["privileged"] for one in containers] == [True] * 3
    assert all("drop_caches" in " ".join(one["command"]) for one in containers)
    jobs = [seen.body["spec"]["template"]["spec"] for seen in world.cluster.api.asked("POST", "/jobs")]
    assert [job["securityContext"]["runAsUser"] for job in jobs] == [10001, 0]
    assert not any(job["containers"][0]["securityContext"].get("privileged") for job in jobs)
    assert world.cluster.left() == []
