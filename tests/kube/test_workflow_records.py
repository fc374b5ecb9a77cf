import base64
import gzip
import json

import pytest

from fluidbench.errors import ExternalFailure
from fluidbench.events import Note, StepRunning, StepStarted
from fluidbench.plan import PUBLISHED, StepPlan
from fluidbench.records import State
from fluidbench.targets.cluster import nodes
from fluidbench.targets.cluster import workflow as workflows
from tests.kube.plugin import FIXTURES, fixture, sequence

LAB_STEPS = tuple(StepPlan(name, "", (), 1) for name in ("step-a", "step-b"))
PREPROCESS, TRAIN, TEST = PUBLISHED.steps
REPORT = {
    "contract_version": 1, "step": "preprocess-data", "phases": {"startup": 1.25, "load": 0.5, "compute": 0.75},
    "cpu_s": 2.0, "inputs": [{"name": "df_100.pkl", "bytes": 368, "cache": "cold"}], "results": {"rows": 10},
    "evict_s": 0.25, "fsync_s": 0.0, "verify_s": 0.0, "read_bytes": 368, "written_bytes": 350, "transport": "ipc",
    "warnings": ["a warning"], "ended_at": 12.0,
}  # fmt: skip


def with_report(name, step, report):
    """A fixture's Workflow in which a step has a report."""
    workflow = fixture(name)
    node = nodes.node_of(step, workflow)
    node.setdefault("outputs", {})["parameters"] = [{"name": "report", "value": json.dumps(report)}]
    return workflow


def record(name, step, pods=None, events=()):
    workflow = fixture(f"workflow-{name}")
    return workflows.step_record(step, workflow, nodes.pod_of(step, workflow, fixture(f"pods-{pods or name}")), events)


# Records


def test_a_step_without_a_report_has_what_the_pod_tells():
    step = record("succeeded-files", PREPROCESS)
    assert step.state is State.SUCCEEDED
    assert (step.started_at, step.finished_at, step.node) == (
        "2026-11-25T10:31:55Z",
        "2026-11-25T10:32:01Z",
        "lab-worker",
    )
    assert step.phases == {"scheduling": 0, "image": 0, "mount": 0, "container": 1, "main": 4, "exit": 1}
    assert step.duration_s == 6


def test_the_first_pod_on_a_node_pays_for_the_mount_of_vineyard():
    step = record("succeeded-vineyard", PREPROCESS)
    assert step.phases["mount"] >= 4
    assert step.duration_s == 12


def test_the_steps_own_phases_follow_those_of_the_pod():
    workflow = with_report("workflow-succeeded-files", PREPROCESS, REPORT)
    pod = nodes.pod_of(PREPROCESS, workflow, fixture("pods-succeeded-files"))
    step = workflows.step_record(PREPROCESS, workflow, pod)
    assert list(step.phases) == ["scheduling", "image", "mount", "container", "startup", "load", "compute", "exit"]
    assert step.phases["compute"] == 0.75
    # 6 s of the node, 1 s to main, 2.5 s measured, 0.25 s of evicting beside it: 2.25 s are left, told as 2
    assert step.phases["exit"] == 2
    assert step.duration_s == sum(step.phases.values()) == 5.5
    assert (step.transport, step.cpu_s, step.read_bytes, step.written_bytes) == ("ipc", 2.0, 368, 350)
    assert step.inputs[0].cache == "cold"
    assert step.results == {"rows": 10}
    assert step.warnings == ("a warning",)
    assert step.evict_s == 0.25


def test_what_kubernetes_tells_in_whole_seconds_stays_in_whole_seconds():
    workflow = with_report("workflow-succeeded-files", PREPROCESS, REPORT)
    pod = nodes.pod_of(PREPROCESS, workflow, fixture("pods-succeeded-files"))
    phases = workflows.step_record(PREPROCESS, workflow, pod).phases
    assert all(phases[name] == int(phases[name]) for name in ("scheduling", "image", "mount", "container", "exit"))


def test_a_step_whose_pod_is_gone_keeps_its_wall_time():
    workflow = with_report("workflow-succeeded-files", PREPROCESS, REPORT)
    assert workflows.step_record(PREPROCESS, workflow, None).phases == {"pod": 3, **REPORT["phases"]}


def test_pulls_that_events_tell_of_are_a_phase_of_their_own():
    workflow, pods = fixture("workflow-succeeded-vineyard"), fixture("pods-succeeded-vineyard")
    pod = nodes.pod_of(PREPROCESS, workflow, pods)
    events = [
        pulling(pod, "Pulling", "2026-11-25T10:32:42Z", 'Pulling image "a:1"'),
        pulling(pod, "Pulled", "2026-11-25T10:32:44Z", 'Successfully pulled image "a:1" in 1.9s'),
        pulling(pod, "Pulled", "2026-11-25T10:32:45Z", 'Container image "b:1" already present on machine'),
    ]
    without = workflows.step_record(PREPROCESS, workflow, pod).phases
    step = workflows.step_record(PREPROCESS, workflow, pod, events)
    assert step.phases["image"] == 2
    assert step.phases["mount"] == without["mount"] - 2
    assert step.duration_s == 12


def pulling(pod, reason, at, message):
    involved = {"kind": "Pod", "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]}
    return {"reason": reason, "message": message, "firstTimestamp": at, "involvedObject": involved, "metadata": {}}


@pytest.mark.parametrize(
    ("name", "step", "state", "reason"),
    [
        ("failed-exit1", LAB_STEPS[1], State.FAILED, "Error (exit code 1)"),
        ("failed-oomkilled", LAB_STEPS[1], State.FAILED, "killed for lack of memory (OOMKilled); its limit was 100Mi"),
        ("failed-vineyard-get", TRAIN, State.FAILED, "Error (exit code 1)"),
        ("failed-vineyard-get", TEST, State.OMITTED, "omitted: depends condition not met"),
        ("error-missing-taskresults-rbac", PREPROCESS, State.ERROR, "may not create workflowtaskresults"),
        ("error-missing-taskresults-rbac", TRAIN, State.OMITTED, "omitted"),
    ],
)
def test_a_step_that_ended_badly_is_recorded_with_its_reason(name, step, state, reason):
    recorded = record(name, step)
    assert recorded.state is state
    assert reason in recorded.reason
    assert recorded.duration_s == sum(recorded.phases.values())


def test_a_step_that_stood_before_its_image_until_the_deadline_says_so():
    workflow = fixture("workflow-failed-deadline-exceeded")
    pod = nodes.pod_of(LAB_STEPS[1], workflow, fixture("pods-running-imagepullbackoff"))
    step = workflows.step_record(LAB_STEPS[1], workflow, pod)
    assert "did not end within the time" in step.reason
    assert step.phases["image"] > 100
    assert step.duration_s == 110


def test_a_step_that_stood_before_a_mount_says_so():
    workflow = fixture("workflow-running-failedmount")
    node = nodes.node_of(LAB_STEPS[1], workflow)
    node |= {"phase": "Failed", "finishedAt": "2026-11-25T10:39:38Z", "message": "Step exceeded its deadline"}
    pod = nodes.pod_of(LAB_STEPS[1], workflow, fixture("pods-running-failedmount"))
    assert workflows.step_record(LAB_STEPS[1], workflow, pod).phases == {"scheduling": 0, "mount": 60}


def test_an_error_that_the_step_reported_is_its_reason():
    report = {**REPORT, "error": {"type": "OSError", "message": "disk gone", "errno": 5}}
    workflow = with_report("workflow-failed-vineyard-get", TRAIN, report)
    assert workflows.step_record(TRAIN, workflow, None).reason == "OSError: disk gone"


def test_a_report_that_is_no_json_is_an_external_failure():
    workflow = fixture("workflow-succeeded-files")
    nodes.node_of(PREPROCESS, workflow)["outputs"]["parameters"] = [{"name": "report", "value": "{"}]
    with pytest.raises(ExternalFailure, match="the report of preprocess-data is not JSON"):
        workflows.step_record(PREPROCESS, workflow, None)


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("workflow-*.json")), ids=lambda path: path.stem)
def test_the_phases_of_every_step_of_every_workflow_add_up(path):
    workflow = fixture(path.stem)
    for step in (*PUBLISHED.steps, *LAB_STEPS):
        recorded = workflows.step_record(step, workflow, None)
        assert recorded.duration_s == sum(recorded.phases.values())
        assert all(seconds >= 0 for seconds in recorded.phases.values())


# Nodes


def test_packed_nodes_are_unpacked():
    workflow = fixture("workflow-succeeded-files")
    plain = workflow["status"].pop("nodes")
    workflow["status"]["compressedNodes"] = base64.b64encode(gzip.compress(json.dumps(plain).encode())).decode()
    assert nodes.nodes(workflow) == plain
    assert workflows.step_record(PREPROCESS, workflow, None).state is State.SUCCEEDED


def test_nodes_that_are_packed_otherwise_are_refused():
    workflow = fixture("workflow-succeeded-files")
    workflow["status"] |= {"nodes": {}, "compressedNodes": base64.b64encode(b"\x28\xb5\x2f\xfd zstd").decode()}
    with pytest.raises(ExternalFailure, match="packed in a way"):
        nodes.nodes(workflow)


def test_nodes_that_lie_in_a_database_are_refused():
    workflow = fixture("workflow-succeeded-files")
    workflow["status"] |= {"nodes": None, "offloadNodeStatusVersion": "fnv:1"}
    with pytest.raises(ExternalFailure, match="in a database") as refused:
        nodes.nodes(workflow)
    assert "nodeStatusOffLoad" in refused.value.hint


# Live


def told(states, steps):
    """What each state told anew."""
    return [workflows.updates(before, state, steps) for before, state in zip([None, *states], states, strict=False)]


def test_the_states_of_a_vineyard_pipeline_tell_of_each_start_once():
    news = told(sequence("workflow-seq-vineyard"), PUBLISHED.steps)
    assert news[0] == []
    assert news[1] == [StepStarted("preprocess-data", "2026-11-25T10:35:07Z", State.PENDING)]
    assert news[2] == [Note("preprocess-data: Pending: PodInitializing")]
    assert news[3] == [StepRunning("preprocess-data"), Note("preprocess-data: Running on lab-worker2")]
    assert news[4] == [StepStarted("train-data", "2026-11-25T10:35:27Z", State.PENDING)]
    assert news[5] == [StepStarted("test-data", "2026-11-25T10:35:37Z", State.PENDING)]
    assert news[6] == []


def test_the_states_of_a_vineyard_pipeline_tell_of_each_end_once():
    states = sequence("workflow-seq-vineyard")
    ends = [
        workflows.ended(before, state, PUBLISHED.steps) for before, state in zip([None, *states], states, strict=False)
    ]
    assert [[step.name for step in steps] for steps in ends] == [
        [], [], [], [], ["preprocess-data"], ["train-data"], ["test-data"],
    ]  # fmt: skip
    assert [workflows.finished(state) for state in states] == [False] * 6 + [True]


def test_the_states_of_the_lab_pipeline():
    news = told(sequence("workflow-seq-fx-ok"), LAB_STEPS)
    assert [len(one) for one in news] == [0, 1, 1, 2, 0]
    assert news[3] == [StepRunning("step-b"), Note("step-b: Running on lab-worker2")]


def test_a_watch_that_missed_states_tells_all_that_it_missed():
    last = sequence("workflow-seq-vineyard")[-1]
    assert [type(update) for update in workflows.updates(None, last, PUBLISHED.steps)] == [StepStarted] * 3
    assert workflows.ended(None, last, PUBLISHED.steps) == list(PUBLISHED.steps)


def test_omitted_steps_are_told_but_did_not_start():
    news = workflows.updates(None, fixture("workflow-error-webhook-timeout"), PUBLISHED.steps)
    assert Note("test-data: Omitted: omitted: depends condition not met") in news
    assert [update.name for update in news if isinstance(update, StepStarted)] == ["preprocess-data"]


def test_a_workflow_that_was_only_made_is_not_over():
    workflow = fixture("workflow-created-no-status")
    assert not workflows.finished(workflow)
    assert workflows.failure(workflow) is None
    assert workflows.updates(None, workflow, LAB_STEPS) == []
    assert workflows.step_record(LAB_STEPS[0], workflow, None).state is State.PENDING


# Seen on a cluster with steps that report


def test_a_real_step_with_a_report():
    step = record("succeeded-with-report", LAB_STEPS[0])
    assert step.state is State.SUCCEEDED
    assert dict(step.phases) == {
        "scheduling": 0, "image": 0, "mount": 1, "container": 1, "startup": 0.5, "compute": 2.25, "exit": 2,
    }  # fmt: skip
    assert (step.duration_s, step.evict_s, step.results) == (6.75, 0.25, {"a": 1})


def test_a_step_that_failed_has_its_report_all_the_same():
    step = record("failed-with-report", LAB_STEPS[1])
    assert (step.state, step.reason) == (State.FAILED, "OSError: gone")
    assert step.phases["compute"] == 2.25


def test_a_step_that_was_running_at_the_deadline_spent_its_time_in_main():
    step = record("failed-deadline-running", LAB_STEPS[1])
    assert step.phases == {"scheduling": 0, "image": 0, "mount": 0, "container": 2, "main": 8, "exit": 0}
