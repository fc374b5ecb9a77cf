import copy
from datetime import UTC, datetime, timedelta

import pytest

from fluidbench.errors import DoesNotFit, ExternalFailure
from fluidbench.targets.cluster.diagnose import deletion_blocked, stuck, unbound, vineyard_missing, vineyard_stuck
from tests.kube.plugin import FIXTURES, fixture, sequence

AT = datetime(2026, 11, 25, 10, 38, 38, tzinfo=UTC)  # when the pods of the fixtures that are stuck were made
LATER = AT + timedelta(minutes=1)

STUCK = [
    (
        "running-imagepullbackoff", (), "the image test-registry/not-there:latest cannot be pulled on lab-worker2: "
        "dial tcp: lookup registry-1.docker.io on 172.19.0.1:53: no such host", "kind load docker-image",
    ),
    ("running-unschedulable", (), "finds no node: .*didn't match Pod's node affinity/selector", "--show-labels"),
    ("running-pvc-missing", (), 'finds no node: .*"not-there" not found', "no PersistentVolumeClaim not-there"),
    (
        "running-failedmount", "events-failedmount",
        "a volume cannot be mounted: .*hostPath type check failed: /no/such/dir is not a directory", "extraMounts",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("pods", "events", "message", "hint"), STUCK, ids=[case[0] for case in STUCK])
def test_a_pod_that_will_not_start_is_told_in_one_sentence_with_the_fix(pods, events, message, hint):
    problem = stuck(fixture(f"pods-{pods}"), fixture(events) if events else (), LATER)
    with pytest.raises(ExternalFailure, match=message):
        raise problem
    assert hint in problem.hint
    assert "\n" not in problem.message


@pytest.mark.parametrize("pods", ["running-unschedulable", "running-pvc-missing"])
def test_what_often_passes_is_given_some_seconds(pods):
    assert stuck(fixture(f"pods-{pods}"), (), AT + timedelta(seconds=5)) is None


def test_an_image_that_cannot_be_pulled_is_told_at_once():
    assert stuck(fixture("pods-running-imagepullbackoff"), (), AT) is not None


@pytest.mark.parametrize(
    "pods",
    ["succeeded-files", "succeeded-vineyard", "succeeded-output-parameters", "failed-exit1", "failed-oomkilled",
     "failed-vineyard-get", "error-missing-taskresults-rbac"],
)  # fmt: skip
def test_pods_that_ran_are_not_stuck(pods):
    assert stuck(fixture(f"pods-{pods}"), fixture("events-failedmount"), LATER) is None


def test_a_mount_that_only_waited_for_a_cache_is_not_a_problem():
    pods = fixture("pods-running-failedmount")
    events = [event for event in fixture("events-failedmount") if "failed to sync" in event["message"]]
    for event in events:
        event["involvedObject"] = {"kind": "Pod", "name": pods[1]["metadata"]["name"]}
    assert events
    assert stuck(pods, events, LATER) is None


def waiting(reason, message="", restarts=0, last=None, labels=None):
    """A pod whose container main waits."""
    status = {
        "name": "main", "image": "registry/step:1", "restartCount": restarts, "lastState": last or {},
        "state": {"waiting": {"reason": reason, "message": message}},
    }  # fmt: skip
    return {
        "kind": "Pod", "metadata": {"name": "p", "namespace": "n", "uid": "u", "labels": labels or {}},
        "status": {"phase": "Pending", "containerStatuses": [status]},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        ("registry/step:1: not found", "check its name and tag"),
        ("unexpected status: 401 Unauthorized", "image pull secret"),
        ("toomanyrequests: You have reached your pull rate limit", "limits how often"),
        ("dial tcp 10.0.0.1:443: i/o timeout", "kind load docker-image registry/step:1"),
        ("tls: failed to verify certificate: x509: unknown authority", "does not trust"),
        ("something new", "kubectl -n n describe pod p"),
    ],
)
def test_the_fix_of_a_failed_pull_depends_on_its_cause(message, hint):
    assert hint in stuck([waiting("ImagePullBackOff", message)]).hint


@pytest.mark.parametrize("reason", ["ErrImageNeverPull", "InvalidImageName"])
def test_an_image_that_no_wait_will_bring_is_told(reason):
    assert "cannot be pulled" in stuck([waiting(reason, "it is not present")]).message


def test_a_first_failed_pull_may_still_become_well():
    assert stuck([waiting("ErrImagePull", "timeout")]) is None


def test_a_crash_loop_is_told_with_the_line_that_shows_the_log():
    pod = waiting("CrashLoopBackOff", restarts=3, last={"terminated": {"exitCode": 2}})
    problem = stuck([pod])
    assert problem.message == "Pod n/p: the container main crashed 3 times (exit code 2)"
    assert "kubectl -n n logs p -c main --previous" in problem.hint
    assert stuck([waiting("CrashLoopBackOff", restarts=1)]) is None


def test_a_crash_loop_for_lack_of_memory_does_not_fit():
    last = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    assert isinstance(stuck([waiting("CrashLoopBackOff", restarts=2, last=last)]), DoesNotFit)


def test_two_vineyard_workers_on_one_node_are_suspected_when_one_crashes():
    pod = waiting("CrashLoopBackOff", restarts=2, labels={"role": "vineyard-worker"})
    assert "two Vineyard workers on one node" in stuck([pod]).message


def test_a_container_that_lacks_its_configuration_is_told():
    problem = stuck([waiting("CreateContainerConfigError", 'configmap "vineyard-rpc-conf" not found')])
    assert 'cannot be made: configmap "vineyard-rpc-conf" not found' in problem.message


def unscheduled(message):
    pod = copy.deepcopy(fixture("pods-running-unschedulable")[1])
    pod["status"]["conditions"][0]["message"] = message
    return pod


@pytest.mark.parametrize(
    ("message", "kind", "hint"),
    [
        ("0/4 nodes are available: 3 Insufficient memory.", DoesNotFit, "lower the requests, the quota"),
        ("0/4 nodes are available: 3 node(s) didn't have free ports for the requested pod ports.", ExternalFailure,
         "no more --replicas than there are nodes"),
        ("0/4 nodes are available: pod has unbound immediate PersistentVolumeClaims.", ExternalFailure, "get pvc"),
        ("0/4 nodes are available: 4 node(s) had untolerated taint {node.kubernetes.io/disk-pressure: }.", DoesNotFit,
         "short of disk"),
        ("0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }.", ExternalFailure,
         "not ready yet"),
        ("0/3 nodes are available: 3 node(s) had volume node affinity conflict.", ExternalFailure, "place both"),
        ("something new", ExternalFailure, "describe pod"),
    ],
)  # fmt: skip
def test_each_reason_for_finding_no_node_has_its_fix(message, kind, hint):
    problem = stuck([unscheduled(message)], (), LATER)
    assert type(problem) is kind
    assert hint in problem.hint


def event(pod, reason, message, count=5, kind="Pod"):
    return {
        "reason": reason, "message": message, "count": count, "firstTimestamp": "2026-11-25T10:38:39Z", "metadata": {},
        "involvedObject": {"kind": kind, "name": pod["metadata"]["name"], "namespace": "default"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        ("MountVolume.SetUp failed: rpc error: timeout waiting for FUSE mount point to be ready", "vineyard-fuse"),
        ("driver name fuse.csi.fluid.io not found in the list of registered CSI drivers", "csi-nodeplugin-fluid"),
        ("mount failed: exit status 32 mount.nfs: access denied by server", "--nfs"),
        ('MountVolume.SetUp failed for volume "c": configmap "x" not found', "fluidbench up"),
        ("something new", "describe pod"),
    ],
)
def test_each_mount_that_fails_has_its_fix(message, hint):
    pods = fixture("pods-running-failedmount")
    assert hint in stuck(pods, [event(pods[1], "FailedMount", message)], LATER).hint


def test_a_mount_that_failed_once_may_still_become_well():
    pods = fixture("pods-running-failedmount")
    failed = event(pods[1], "FailedMount", "timeout waiting for FUSE mount point to be ready", count=1)
    assert stuck(pods, [failed], AT + timedelta(seconds=3)) is None


def test_a_sandbox_that_cannot_be_made_is_told():
    pods = fixture("pods-running-failedmount")
    failed = event(pods[1], "FailedCreatePodSandBox", 'plugin type="ptp" failed (add): no addresses')
    assert "its sandbox cannot be made" in stuck(pods, [failed], LATER).message


def test_an_owner_that_cannot_make_its_pods_is_told():
    job = {"kind": "Job", "metadata": {"name": "prepare-data", "namespace": "default"}}
    failed = event(job, "FailedCreate", 'serviceaccount "pipeline-runner" not found', kind="Job")
    assert "Job default/prepare-data cannot make its pods: serviceaccount" in stuck([], [failed]).message


def claim(phase, **spec):
    metadata = {"name": "benchmark-data", "namespace": "default", "creationTimestamp": "2026-11-25T10:38:38Z"}
    return {"kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec, "status": {"phase": phase}}


def test_a_claim_that_is_never_bound_is_told_with_what_it_wants():
    pending = claim("Pending", storageClassName="manual")
    assert unbound(pending, (), AT) is None
    assert unbound(claim("Bound"), (), LATER) is None
    warning = event(pending, "ProvisioningFailed", 'storageclass "manual" not found', kind="PersistentVolumeClaim")
    problem = unbound(pending, [{**warning, "type": "Warning"}], LATER)
    assert 'not bound to a volume after 30 s: storageclass "manual" not found' in problem.message
    assert "storage class 'manual'" in problem.hint


# Vineyard


def test_bound_is_not_ready_while_a_worker_is_missing():
    dataset, runtime = fixture("dataset-bound-partial"), fixture("vineyardruntime-partialready")
    assert dataset["status"]["phase"] == "Bound"
    assert vineyard_missing(dataset, runtime) == "3 of 4 workers are ready"


def test_a_worker_without_a_port_is_told_of_the_runtime():
    dataset, runtime = fixture("dataset-bound-partial"), fixture("vineyardruntime-partialready")
    pod = unscheduled("0/4 nodes are available: 3 node(s) didn't have free ports for the requested pod ports.")
    problem = vineyard_stuck(dataset, runtime, [pod], (), LATER)
    assert problem.message.startswith("VineyardRuntime default/vy2: 3 of 4 workers are ready: Pod")
    assert "no more --replicas" in problem.hint


def test_a_quota_that_no_node_can_hold_is_told():
    dataset, runtime = fixture("dataset-bound-partial"), fixture("vineyardruntime-partialready")
    runtime["spec"]["tieredstore"]["levels"][0]["quota"] = "20Gi"
    problem = vineyard_stuck(dataset, runtime, [unscheduled("0/4: 3 Insufficient memory.")], (), LATER)
    assert isinstance(problem, DoesNotFit)
    assert "4 workers with a quota of 20Gi each" in problem.message


READY = {"vineyardruntime-vineyard": 4, "vineyardruntime-vy2": None}


@pytest.mark.parametrize(("name", "ready_from"), READY.items())
def test_the_runtime_is_ready_when_all_of_its_workers_are(name, ready_from):
    dataset = fixture("dataset-vineyard-02")
    missing = [vineyard_missing(dataset, state) for state in sequence(name)]
    assert missing[0] == "the master is not ready"
    assert all(missing[:ready_from])
    assert not any(missing[ready_from:]) if ready_from else missing[-1] == "3 of 4 workers are ready"


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("dataset-vineyard-00", "the Dataset is without a phase"), ("dataset-vineyard-01", "the Dataset is NotBound"),
        ("dataset-vineyard-02", ""), ("dataset-vineyard-11", "the Dataset is being deleted"),
        ("dataset-vineyard-12", "the Dataset is without a phase"), ("dataset-vineyard-13", "the Dataset is NotBound"),
        ("dataset-vy2-03", "the Dataset is without a phase"), ("dataset-vy2-04", "the Dataset is NotBound"),
        ("dataset-vy2-05", ""), ("dataset-vy2-06", "the Dataset is being deleted"),
        ("dataset-vy3-07", "the Dataset is without a phase"), ("dataset-vy3-08", "the Dataset is NotBound"),
        ("dataset-vy3-09", ""), ("dataset-vy3-10", "the Dataset is being deleted"),
    ],
)  # fmt: skip
def test_what_a_dataset_lacks(name, missing):
    assert vineyard_missing(fixture(name), fixture("vineyardruntime-vineyard-07")) == missing


def test_a_claim_that_is_not_bound_is_missing_too():
    dataset, runtime = fixture("dataset-vineyard-02"), fixture("vineyardruntime-vineyard-07")
    assert vineyard_missing(dataset, runtime, claim("Pending")) == "its PersistentVolumeClaim is not Bound"
    assert vineyard_missing(dataset, runtime, claim("Bound")) == ""
    assert vineyard_missing(None, runtime) == "the Dataset is not there"
    assert vineyard_missing(dataset, None) == "the VineyardRuntime is not there"


def test_a_dataset_that_a_pod_uses_cannot_be_deleted_and_the_pod_is_named():
    problem = deletion_blocked(fixture("dataset-deleting-blocked"), fixture("event-errordelete"))
    assert problem.message == "Dataset default/vineyard cannot be deleted: the pod default/diag-lab-worker3 uses it"
    assert problem.hint.endswith("kubectl -n default delete pod diag-lab-worker3")
    assert vineyard_stuck(fixture("dataset-deleting-blocked"), None, (), fixture("event-errordelete")) is not None


def test_a_dataset_that_is_being_deleted_is_not_blocked_unless_an_event_of_its_own_says_so():
    # of another Dataset of the same name: an earlier one, by its uid
    assert deletion_blocked(fixture("dataset-deleted-event"), fixture("event-errordelete")) is None
    assert deletion_blocked(fixture("dataset-vineyard-02"), fixture("event-errordelete")) is None


def test_a_deleted_runtime_is_no_longer_looked_at_as_ready():
    runtime = fixture("vineyardruntime-deleted-event")
    assert runtime["metadata"]["deletionTimestamp"]
    assert vineyard_missing(fixture("dataset-deleted-event"), runtime) == "the Dataset is being deleted"


def test_every_fixture_is_named_in_a_test():
    tests = "".join(path.read_text() for path in FIXTURES.parent.glob("test_*.py"))
    by_sequence = ("workflow-seq-", "vineyardruntime-vineyard-", "vineyardruntime-vy2-")
    stems = [path.stem for path in FIXTURES.glob("*.json") if not path.stem.startswith(by_sequence)]
    unnamed = [stem for stem in stems if stem not in tests and stem.partition("-")[2] not in tests]
    assert unnamed == []
