import pytest

from fluidbench.errors import UsageProblem
from fluidbench.kube import (
    CONFIG_MAP,
    POD,
    WORKFLOW,
    ApiFailure,
    resource_of,
)
from tests.kube.plugin import config_map, workflow


def test_an_applied_object_is_made_and_then_changed_with_us_as_its_manager(api, kube):
    kube.apply(config_map(a="1"))
    kube.apply(config_map(a="2", b="3"))
    assert kube.get(CONFIG_MAP, "settings", "default")["data"] == {"a": "2", "b": "3"}
    seen = api.asked("PATCH", "/api/v1/namespaces/default/configmaps/settings")[0]
    assert seen.query == {"fieldManager": "fluidbench", "force": "true"}
    assert seen.headers["Content-Type"] == "application/apply-patch+yaml"


def test_a_dry_run_leaves_nothing(api, kube):
    assert kube.apply(config_map(a="1"), dry_run=True)["data"] == {"a": "1"}
    kube.create(config_map(a="1"), dry_run=True)
    assert api.objects(CONFIG_MAP) == []


def test_generate_name_makes_a_name_of_its_own_every_time(kube):
    names = {kube.create(workflow())["metadata"]["name"] for _ in range(3)}
    assert len(names) == 3
    assert all(name.startswith("pipeline-") and len(name) == len("pipeline-") + 5 for name in names)


def test_what_is_not_there_is_none_and_its_deletion_false(kube):
    assert kube.get(POD, "nobody", "default") is None
    assert kube.delete(POD, "nobody", "default") is False


def test_a_kind_that_the_cluster_does_not_know_has_no_objects(api, kube):
    api.unknown.add("argoproj.io")
    assert kube.list(WORKFLOW) == []
    assert kube.get(WORKFLOW, "w", "default") is None
    with pytest.raises(ApiFailure, match=r"does not know Workflow \(argoproj.io/v1alpha1\)") as refused:
        kube.create(workflow("w"))
    assert "fluidbench up" in refused.value.hint


def test_deleting_takes_what_the_object_owns_with_it(api, kube):
    owner = kube.create(workflow("w"))["metadata"]["uid"]
    api.add({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "ownerReferences": [{"uid": owner}]}})
    assert kube.delete(WORKFLOW, "w", "default") is True
    assert api.objects(POD) == []
    assert api.asked("DELETE")[0].body["propagationPolicy"] == "Background"


def test_a_list_is_read_page_by_page_and_says_of_what_kind_its_objects_are(api, kube):
    api.page = 2
    for number in range(5):
        kube.create(config_map(f"number-{number}"))
    assert [item["metadata"]["name"] for item in kube.list(CONFIG_MAP, "default")] == [f"number-{n}" for n in range(5)]
    assert {item["kind"] for item in kube.list(CONFIG_MAP)} == {"ConfigMap"}
    assert len([seen for seen in api.asked("GET", "/configmaps") if "continue" in seen.query]) == 4


def test_a_list_whose_pages_expire_is_begun_again(api, kube):
    api.page = 1
    kube.create(config_map("a"))
    kube.create(config_map("b"))
    api.fail(410, path="continue=", reason="Expired")
    assert len(kube.list(CONFIG_MAP)) == 2


def test_labels_and_fields_select(api, kube):
    kube.create(workflow("mine", labels={"app.kubernetes.io/managed-by": "fluidbench"}))
    kube.create(workflow("other"))
    assert [
        item["metadata"]["name"] for item in kube.list(WORKFLOW, labels="app.kubernetes.io/managed-by=fluidbench")
    ] == ["mine"]
    assert len(kube.list(WORKFLOW, fields="metadata.name=other")) == 1


def test_a_merge_patch_changes_and_takes_away(kube):
    kube.create(config_map(a="1", b="2"))
    assert kube.patch(CONFIG_MAP, "settings", "default", {"data": {"a": None, "b": "3"}})["data"] == {"b": "3"}


def test_logs_are_the_end_of_the_log_and_empty_where_there_is_none(api, kube):
    api.add({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}})
    assert kube.logs("p", "default") == ""
    api.logs["default", "p", "main"] = "one\ntwo\nthree\n"
    assert kube.logs("p", "default", tail_lines=2) == "two\nthree\n"
    assert kube.logs("gone", "default") == ""


def test_the_version_of_the_server(kube):
    assert kube.server_version() == "v1.34.4"


@pytest.mark.parametrize(
    ("api_version", "kind", "path"),
    [
        ("v1", "Pod", "/api/v1/namespaces/n/pods/x"),
        ("v1", "Node", "/api/v1/nodes/x"),
        ("batch/v1", "Job", "/apis/batch/v1/namespaces/n/jobs/x"),
        ("networking.k8s.io/v1", "NetworkPolicy", "/apis/networking.k8s.io/v1/namespaces/n/networkpolicies/x"),
        ("networking.k8s.io/v1", "Ingress", "/apis/networking.k8s.io/v1/namespaces/n/ingresses/x"),
        ("argoproj.io/v1alpha1", "Workflow", "/apis/argoproj.io/v1alpha1/namespaces/n/workflows/x"),
    ],
)
def test_the_path_of_a_manifest_comes_from_its_kind(api_version, kind, path):
    assert resource_of({"apiVersion": api_version, "kind": kind}).path("n", "x") == path


def test_a_manifest_without_a_kind_is_a_usage_problem():
    with pytest.raises(UsageProblem, match="lacks apiVersion or kind"):
        resource_of({"metadata": {}})
