import itertools
import time

import pytest

from fluidbench.errors import ExternalFailure, WaitTimeout
from fluidbench.kube import POD, WORKFLOW, ApiFailure, Gone
from fluidbench.kube.watching import FAILURES_IN_A_ROW
from tests.kube.plugin import sequence

NAMESPACE = "default"


def pod(name, phase="Pending"):
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": NAMESPACE},
        "status": {"phase": phase},
    }  # fmt: skip


def phases(kube, until="Succeeded", **options):
    """The phases of the pod p as a watch tells them, up to one."""
    seen = []
    for item in kube.watch(POD, NAMESPACE, name="p", **{"timeout_s": 10, **options}):
        seen.append(item["status"]["phase"])
        if seen[-1] == until:
            break
    return seen


def test_the_state_comes_first_and_then_every_change(api, kube):
    api.add(pod("p"))
    api.add(pod("other", "Succeeded"))
    api.later(0.1, lambda: api.status(POD, "p", NAMESPACE, {"phase": "Running"}))
    api.later(0.2, lambda: api.status(POD, "p", NAMESPACE, {"phase": "Succeeded"}))
    assert phases(kube) == ["Pending", "Running", "Succeeded"]
    assert api.watches()[0].query["fieldSelector"] == "metadata.name=p"


def test_a_change_is_told_within_a_fraction_of_a_second(api, kube):
    api.add(pod("p"))
    api.later(0.3, lambda: api.status(POD, "p", NAMESPACE, {"phase": "Succeeded"}))
    began = time.monotonic()
    phases(kube)
    assert time.monotonic() - began < 1


def test_a_deleted_object_comes_as_gone(api, kube):
    api.add(pod("p"))
    api.later(0.1, lambda: api.remove(POD, "p", NAMESPACE))
    watch = kube.watch(POD, NAMESPACE, timeout_s=5)
    assert not isinstance(next(watch), Gone)
    assert isinstance(next(watch), Gone)


def test_the_states_of_a_real_workflow_come_in_order(api, kube):
    states = sequence("workflow-seq-vineyard")
    api.play(states, every_s=0.05)
    seen = []
    for workflow in kube.watch(WORKFLOW, NAMESPACE, timeout_s=10):
        seen.append(workflow.get("status", {}).get("phase"))
        if seen[-1] == "Succeeded":
            break
    assert seen == [None, *["Running"] * 5, "Succeeded"]


def test_a_broken_connection_is_resumed_without_telling_anything_twice(api, kube):
    api.add(pod("p"))
    api.later(0.1, lambda: api.status(POD, "p", NAMESPACE, {"phase": "Running"}))
    api.later(0.2, api.break_watches)
    api.later(0.3, lambda: api.status(POD, "p", NAMESPACE, {"phase": "Succeeded"}))
    assert phases(kube) == ["Pending", "Running", "Succeeded"]
    assert len(api.watches()) == 2
    assert len(api.asked("GET", "/pods")) == 3, "it went on from where it was, and did not list again"


def test_an_expired_version_is_listed_again(api, kube):
    api.add(pod("p"))

    def expire():
        api.fail(410, path="watch=true", reason="Expired", message="too old resource version")
        api.status(POD, "p", NAMESPACE, {"phase": "Succeeded"})
        api.forget_history()

    api.later(0.2, expire)
    assert phases(kube)[-1] == "Succeeded"


def test_a_version_that_always_expires_is_no_tight_loop(api, kube):
    api.add(pod("p"))
    api.fail(410, path="watch=true", times=99, reason="Expired")
    with pytest.raises(ExternalFailure, match="expired each time"):
        phases(kube)
    assert len(api.watches()) == FAILURES_IN_A_ROW


def test_what_was_deleted_while_the_version_expired_is_told_as_gone(api, kube):
    api.add(pod("p"))
    watch = kube.watch(POD, NAMESPACE, timeout_s=10)
    next(watch)

    def happens():
        api.drop(path="watch=true", times=2)
        api.break_watches()
        api.remove(POD, "p", NAMESPACE)
        api.forget_history()

    api.later(0.1, happens)
    assert isinstance(next(watch), Gone)


def test_an_expiry_inside_the_stream_is_listed_again(api, kube):
    api.add(pod("p"))
    api.state.oldest = 10**6
    watch = kube.watch(POD, NAMESPACE, timeout_s=10)
    next(watch)
    api.later(0.2, lambda: (api.status(POD, "p", NAMESPACE, {"phase": "Succeeded"}), setattr(api.state, "oldest", 0)))
    assert next(watch)["status"]["phase"] == "Succeeded"


def test_a_silent_watch_is_noticed_and_listed_again(api, kube):
    api.add(pod("p"))
    api.silence(path="watch=true")
    api.later(0.3, lambda: api.status(POD, "p", NAMESPACE, {"phase": "Succeeded"}))
    began = time.monotonic()
    assert phases(kube, silent_after_s=1)[-1] == "Succeeded"
    assert 1 < time.monotonic() - began < 5
    assert len(api.asked("GET", "/pods")) - len(api.watches()) == 2, "it listed again"


def test_a_quiet_watch_is_renewed_by_the_server_and_costs_few_requests(api, kube):
    api.add(pod("p"))
    api.later(2.5, lambda: api.status(POD, "p", NAMESPACE, {"phase": "Succeeded"}))
    phases(kube, silent_after_s=1)
    assert len(api.watches()) == 3
    assert {seen.query["timeoutSeconds"] for seen in api.watches()} == {"1"}
    assert {seen.query["allowWatchBookmarks"] for seen in api.watches()} == {"true"}


def test_a_watch_with_a_tick_shows_what_it_knows_again(api, kube):
    api.add(pod("p"))
    seen = list(itertools.islice(kube.watch(POD, NAMESPACE, timeout_s=10, tick_s=1), 3))
    assert [item["status"]["phase"] for item in seen] == ["Pending"] * 3
    assert len(api.watches()) == 2


def test_a_watch_that_the_server_ends_at_once_is_no_tight_loop(api, kube):
    api.add(pod("p"))
    api.drop(path="watch=true", times=99)
    with pytest.raises(ExternalFailure, match="times in a row"):
        phases(kube)
    assert len(api.watches()) == FAILURES_IN_A_ROW


def test_an_error_of_the_server_in_between_is_survived(api, kube):
    api.add(pod("p"))
    api.fail(500, path="watch=true", times=2)
    api.fail(429, path="watch=true", times=1)
    api.later(0.1, lambda: api.status(POD, "p", NAMESPACE, {"phase": "Succeeded"}))
    assert phases(kube)[-1] == "Succeeded"


def test_a_watch_that_ends_at_once_and_well_is_no_tight_loop_either(api, kube):
    api.add(pod("p"))
    api.unasked_end = True
    with pytest.raises(ExternalFailure, match="ended the watch before its time"):
        phases(kube)
    assert len(api.watches()) == FAILURES_IN_A_ROW


def test_an_error_inside_the_stream_is_survived(api, kube):
    api.add(pod("p"))
    api.stream_error = {"code": 500, "reason": "InternalError", "message": "etcd"}
    api.later(
        0.1, lambda: (setattr(api, "stream_error", None), api.status(POD, "p", NAMESPACE, {"phase": "Succeeded"}))
    )
    assert phases(kube)[-1] == "Succeeded"


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_ends_the_watch(api, kube, status):
    api.add(pod("p"))
    api.fail(status, path="watch=true", times=99, message='cannot watch resource "pods"')
    with pytest.raises(ApiFailure) as refused:
        phases(kube)
    assert refused.value.status == status
    assert status != 403 or "can-i watch pods -n default" in refused.value.hint


@pytest.mark.parametrize("status", [401, 403])
def test_an_api_server_that_was_started_again_may_refuse_for_a_moment(api, kube, status):
    api.add(pod("p"))

    def starts_again():
        api.drop(path="/pods", times=9)  # more than one request is tried
        api.fail(status, path="/pods", times=3, message='User "kubernetes-admin" cannot list resource "pods"')
        api.break_watches()
        api.status(POD, "p", NAMESPACE, {"phase": "Succeeded"})

    api.later(0.2, starts_again)
    assert phases(kube) == ["Pending", "Succeeded"]


def test_a_kind_that_is_not_installed_cannot_be_watched(api, kube):
    api.unknown.add("argoproj.io")
    with pytest.raises(ApiFailure, match="does not know Workflow"):
        next(kube.watch(WORKFLOW, NAMESPACE, timeout_s=1))


def test_the_time_out_says_what_was_seen_last(api, kube):
    api.add(pod("p", "Running"))
    began = time.monotonic()
    with pytest.raises(WaitTimeout, match="Pod default/p: not done after 1 s; last seen: p Running") as late:
        phases(kube, timeout_s=1)
    assert "get pods -n default" in late.value.hint
    assert time.monotonic() - began < 3


def test_an_object_that_is_made_again_under_the_same_name_is_told(api, kube):
    api.add(pod("p"))
    watch = kube.watch(POD, NAMESPACE, timeout_s=10)
    first = next(watch)
    api.remove(POD, "p", NAMESPACE)
    api.add(pod("p", "Running"))
    assert isinstance(next(watch), Gone)
    assert next(watch)["metadata"]["uid"] != first["metadata"]["uid"]
