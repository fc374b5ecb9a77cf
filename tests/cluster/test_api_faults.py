"""Faults of the API server at every stage of a run, over HTTP."""

import pytest

from fluidbench.kube import NAMESPACE, WORKFLOW, watching
from tests.cluster.conftest import World

# a part of the request's path (with its query), for each stage in the order in which a run comes to it
STAGES = {
    "asking the version": ("GET", "/version", "get /version"),
    "looking for the workers": ("GET", "role%3Dvineyard-worker", "list pods"),
    "looking at the nodes": ("GET", "/api/v1/nodes", "list nodes"),
    "making a Job": ("POST", "/jobs", "create jobs.batch"),
    "watching its pod": ("GET", "labelSelector=job-name", "list pods"),
    "reading its log": ("GET", "/log", "get pods"),
    "removing it": ("DELETE", "/jobs/", "delete jobs.batch"),
    "keeping the facts of the dataset": ("PATCH", "/configmaps/", "patch configmaps"),
    "reading them": ("GET", "/configmaps/", "get configmaps"),
    "submitting": ("POST", "/workflows", "create workflows.argoproj.io"),
    "watching the Workflow": ("GET", "/workflows?fieldSelector", "list workflows.argoproj.io"),
    "looking at its pods": ("GET", "workflows.argoproj.io%2Fworkflow", "list pods"),
    "looking at events": ("GET", "/events", "list events"),
    "deleting the Workflow": ("DELETE", "/workflows/", "delete workflows.argoproj.io"),
}
ALWAYS = 1_000_000
# until FluidBench has seen that the step before has ended
SEEN_S = 0.5
each_stage = pytest.mark.parametrize("stage", STAGES)


def recovers(world: World) -> None:
    """A run like any other, once the fault is over."""
    world.cluster.api.faults.clear()
    ended = world.run()
    assert ended.returncode == 0, ended.stderr


@each_stage
def test_a_missing_right_is_told_wherever_it_is_missed(world: World, stage: str) -> None:
    method, path, right = STAGES[stage]
    message = 'pods is forbidden: User "me" cannot do that'
    world.cluster.api.fail(403, method=method, path=path, times=ALWAYS, reason="Forbidden", message=message)
    ended = world.run()
    assert (ended.returncode, ended.json["error"]["code"]) == (4, "external_failure")
    assert f"a right is missing: {right}" in ended.json["error"]["message"]
    assert "auth can-i" in ended.json["error"]["hint"]
    if stage not in ("removing it", "deleting the Workflow"):
        assert world.cluster.left() == []


PASSING = {
    "409": lambda api, method, path: api.fail(409, method=method, path=path, reason="Conflict", message="modified"),
    "429": lambda api, method, path: api.fail(429, method=method, path=path, retry_after=0, message="too many"),
    "500": lambda api, method, path: api.fail(500, method=method, path=path, retry_after=0, message="etcd"),
    "503": lambda api, method, path: api.fail(503, method=method, path=path, retry_after=0, message="starting"),
    "a broken connection": lambda api, method, path: api.drop(method=method, path=path),
    "a lost answer": lambda api, method, path: api.drop(method=method, path=path, after=True),
    "a slow answer": lambda api, method, path: api.slow(0.3, method=method, path=path),
}


@pytest.mark.parametrize("fault", PASSING)
def test_a_passing_fault_at_every_stage_is_outlived(world: World, fault: str) -> None:
    for method, path, _ in STAGES.values():
        PASSING[fault](world.cluster.api, method, path)
    ended = world.run()
    assert ended.returncode == 0, ended.stderr
    assert [one for one in world.cluster.api.faults if one.times] == []
    assert len(world.cluster.argo.workflows) == 1
    assert world.cluster.left() == []


@pytest.mark.parametrize("path", ["/jobs", "/workflows"])
@pytest.mark.parametrize(("status", "told"), [(429, "overloaded (429)"), (500, "failed (500) on every attempt")])
def test_a_fault_that_stays_ends_the_run_with_4(world: World, path: str, status: int, told: str) -> None:
    world.cluster.api.fail(status, method="POST", path=path, times=6, retry_after=0, message="etcdserver: no leader")
    ended = world.run()
    assert ended.returncode == 4
    assert told in ended.json["error"]["message"]
    assert world.cluster.left() == []


def test_credentials_that_expired_are_told_before_anything_is_made(world: World) -> None:
    world.cluster.api.fail(401, times=ALWAYS, reason="Unauthorized", message="Unauthorized")
    ended = world.run()
    assert ended.returncode == 4
    assert "does not accept the credentials" in ended.json["error"]["message"]
    assert world.cluster.api.asked("POST") == []


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A watch gives up as it always does, but after seconds instead of half a minute."""
    monkeypatch.setattr(watching, "FAILURES_IN_A_ROW", 4)


def test_credentials_that_expire_during_a_run_fail_it_and_are_recorded(world: World, impatient: None) -> None:
    api = world.cluster.api

    def expired() -> None:
        api.fail(401, times=ALWAYS, reason="Unauthorized")
        api.break_watches()

    world.during("train-data", lambda: api.later(SEEN_S, expired), takes_s=2 * SEEN_S)
    ended = world.run()
    assert ended.returncode == 4
    api.faults.clear()
    run = world.recorded()
    assert (run["state"], [step["name"] for step in run["steps"]]) == ("Failed", ["preprocess-data"])
    assert "credentials" in run["reason"]


def test_a_cluster_without_argo_is_told_with_what_installs_it(world: World) -> None:
    world.cluster.api.unknown.add("argoproj.io")
    ended = world.run()
    assert ended.returncode == 4
    assert "does not know Workflow (argoproj.io/v1alpha1)" in ended.json["error"]["message"]
    assert "fluidbench up" in ended.json["error"]["hint"]
    assert world.cluster.left() == []


def test_a_namespace_that_is_gone_is_told(world: World) -> None:
    world.cluster.api.remove(NAMESPACE, "default")
    ended = world.run()
    assert ended.returncode == 4
    assert "there is no namespace default" in ended.json["error"]["message"]


REFUSALS = [
    (500, 'Internal error occurred: failed calling webhook "mutate.example": context deadline exceeded', "webhook"),
    (400, 'admission webhook "policy.example" denied the request: no Workflows on Fridays', "no Workflows on Fridays"),
    (403, 'admission webhook "policy.example" denied the request: not here', "not here"),
    (403, "exceeded quota: team, requested: count/workflows.argoproj.io=1", "exceeded quota: team"),
]


@pytest.mark.parametrize(("status", "message", "told"), REFUSALS)
def test_a_webhook_or_a_rule_that_refuses_the_workflow_is_told(
    world: World, status: int, message: str, told: str
) -> None:
    world.cluster.api.fail(
        status, method="POST", path="/workflows", times=6, retry_after=0, message=message, reason="x"
    )
    ended = world.run()
    assert ended.returncode == 4
    assert told in ended.json["error"]["message"]
    assert world.cluster.left() == []
    recovers(world)


def test_a_watch_that_expires_in_the_middle_goes_on(world: World) -> None:
    world.during("train-data", world.cluster.api.forget_history, takes_s=0.3)
    assert world.run().returncode == 0
    assert [step["state"] for step in world.recorded()["steps"]] == ["Succeeded"] * 3


def test_watches_that_break_in_every_step_go_on_and_nothing_is_told_twice(world: World) -> None:
    for step in ("preprocess-data", "train-data", "test-data"):
        world.during(step, world.cluster.api.break_watches, takes_s=0.3)
    ended = world.run()
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.count("◷ train-data") == ended.stderr.count("✔ train-data") == 1


def test_a_silent_watch_is_noticed(world: World) -> None:
    api = world.cluster.api

    def silenced(workflow: dict) -> None:
        api.silence(method="GET", path=f"{workflow['metadata']['name']}&watch=true")

    api.when("ADDED", WORKFLOW, silenced)
    world.during("preprocess-data", lambda: None, takes_s=0.5)
    assert world.run().returncode == 0


def test_an_api_server_that_vanishes_in_the_middle_is_told_and_the_run_recorded(world: World, impatient: None) -> None:
    world.during("train-data", lambda: world.cluster.api.later(SEEN_S, world.cluster.api.vanish), takes_s=2 * SEEN_S)
    ended = world.run()
    assert (ended.returncode, ended.json["error"]["code"]) == (4, "external_failure")
    assert "API server" in ended.json["error"]["message"]
    assert "Traceback" not in ended.stderr
    run = world.recorded()
    assert (run["state"], [step["name"] for step in run["steps"]]) == ("Failed", ["preprocess-data"])


def test_a_workflow_that_was_made_though_every_answer_was_lost_is_removed(world: World) -> None:
    world.cluster.api.drop(method="POST", path="/workflows", times=6, after=True)
    ended = world.run()
    assert ended.returncode == 4
    assert "the connection to the API server broke on every attempt" in ended.json["error"]["message"]
    assert len(world.cluster.argo.workflows) == 1
    assert world.cluster.left() == []


def test_the_token_is_in_nothing_that_is_told(world: World) -> None:
    from tests.kube.apiserver import TOKEN

    world.cluster.api.fail(403, method="POST", path="/workflows", message=f"cannot: Bearer {TOKEN}", reason="Forbidden")
    ended = world.run()
    assert TOKEN not in ended.stdout + ended.stderr
    world.cluster.api.faults.clear()
    assert TOKEN not in world.cli("history", "--json").stdout
