import pytest

from fluidbench.errors import DoesNotFit, ExternalFailure, StepFailed, UsageProblem, WaitTimeout
from fluidbench.plan import PUBLISHED, StepPlan
from fluidbench.targets.cluster import nodes
from fluidbench.targets.cluster import workflow as workflows
from tests.kube.plugin import fixture

STEP_B = StepPlan("step-b", "", (), 1)
PREPROCESS = PUBLISHED.steps[0]

FAILURES = [
    ("failed-exit1", "failed-exit1", StepFailed, r"step-b failed: Error \(exit code 1\)", ""),
    ("failed-oomkilled", "failed-oomkilled", StepFailed, "step-b was killed for lack of memory", "--multiplier"),
    ("failed-vineyard-get", "failed-vineyard-get", StepFailed, r"train-data failed: .*\(so test-data did not run", ""),
    ("failed-deadline-exceeded", None, WaitTimeout, "step-b did not end within the time", "--step-timeout"),
    ("failed-invalid-spec", None, UsageProblem, "does not accept the Workflow fx-invalid: template", "argo lint"),
    ("failed-missing-parameter", None, UsageProblem, "a value for its parameter data_multiplier", "argo submit -p"),
    (
        "error-missing-taskresults-rbac", "error-missing-taskresults-rbac", ExternalFailure,
        r"preprocess-data itself ended well.*workflowtaskresults \(so test-data and train-data did not run\)",
        "create,patch",
    ),
    (
        "error-webhook-timeout", None, ExternalFailure,
        "preprocess-data's pod could not be made: the webhook fuse.serverful.fluid.io .* did not answer in time",
        "rollout restart",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "pods", "kind", "message", "hint"), FAILURES, ids=[case[0] for case in FAILURES])
def test_a_failed_workflow_says_why_where_argo_does_not(name, pods, kind, message, hint):
    problem = workflows.failure(fixture(f"workflow-{name}"), fixture(f"pods-{pods}") if pods else ())
    assert type(problem) is kind
    with pytest.raises(kind, match=message):
        raise problem
    assert hint in problem.hint


@pytest.mark.parametrize(
    "name", ["succeeded-files", "succeeded-vineyard", "succeeded-output-parameters", "running-failedmount"]
)
def test_a_workflow_that_is_well_has_no_failure(name):
    assert workflows.failure(fixture(f"workflow-{name}")) is None


def test_the_log_of_a_failed_step_is_told_with_what_it_means():
    log = "\n".join(f"line {number}" for number in range(40)) + "\nNotEnoughMemoryException: Failed to allocate"
    problem = workflows.failure(fixture("workflow-failed-vineyard-get"), (), {"train-data": log})
    assert problem.message.endswith("Failed to allocate")
    assert len(problem.message.splitlines()) == 16
    assert "quota is too small" in problem.hint


def test_an_older_argo_says_the_same_without_the_containers_name():
    workflow = fixture("workflow-failed-exit1")
    nodes.node_of(STEP_B, workflow)["message"] = "Error (exit code 1)"
    assert workflows.failure(workflow).message == "step-b failed: Error (exit code 1)"


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ("dial tcp 10.96.96.1:9443: connect: connection refused", "nothing listens there"),
        (
            "tls: failed to verify certificate: x509: signed by unknown authority",
            "its certificate is not trusted",
        ),
        ("unable to load root certificates: unable to parse bytes as PEM block", "its certificate is not trusted"),
        ('no endpoints available for service "fluid-pod-admission-webhook"', "it is not there"),
    ],
)
def test_every_way_in_which_fluids_webhook_fails_is_told(message, cause):
    workflow = fixture("workflow-error-webhook-timeout")
    node = nodes.node_of(PREPROCESS, workflow)
    node["message"] = (
        f'failed calling webhook "fuse.serverful.fluid.io": failed to call webhook: Post "https://x": {message}'
    )
    assert cause in workflows.failure(workflow).message


def test_an_evicted_step_is_told_with_the_nodes_reason():
    workflow, pods = fixture("workflow-failed-exit1"), fixture("pods-failed-exit1")
    pods[1]["status"] |= {"reason": "Evicted", "message": "The node was low on resource: ephemeral-storage."}
    problem = workflows.failure(workflow, pods)
    assert isinstance(problem, DoesNotFit)
    assert "low on resource" in problem.message


def test_argos_own_lines_in_the_log_of_a_step_are_left_out():
    log = 'boom\ntime="2026-11-26T04:07:42.008Z" level=info msg="sub-process exited" argo=true\nError: 1\n'
    workflow, pods = fixture("workflow-failed-with-report"), fixture("pods-failed-with-report")
    problem = workflows.failure(workflow, pods, {"step-b": log})
    assert problem.message == "step-b failed: OSError: gone\nboom\nError: 1"
