import json
import socket
import subprocess
import sys

import pytest

from fluidbench.errors import ExternalFailure
from fluidbench.kube import CONFIG_MAP, POD, WORKFLOW, ApiFailure, Kube, Pauses
from tests.kube.apiserver import TOKEN
from tests.kube.plugin import config_map, workflow


def test_wrong_credentials_say_how_to_check_them(api, kube):
    api.fail(401, reason="Unauthorized", message="Unauthorized")
    with pytest.raises(ApiFailure, match="does not accept the credentials") as refused:
        kube.list(POD, "default")
    assert "auth whoami" in refused.value.hint


def test_a_missing_right_is_named_with_the_line_that_checks_it(api, kube):
    said = (
        'workflows.argoproj.io is forbidden: User "joe" cannot create resource "workflows" in API group "argoproj.io"'
    )
    api.fail(403, method="POST", reason="Forbidden", message=said)
    with pytest.raises(
        ApiFailure, match=r"a right is missing: create workflows\.argoproj\.io in namespace default"
    ) as refused:
        kube.create(workflow("w"))
    assert "auth can-i create workflows.argoproj.io -n default" in refused.value.hint
    assert len(api.asked("POST")) == 1


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('pods "p" is forbidden: exceeded quota: compute', "the cluster's rules forbid"),
        ('pods "p" is forbidden: violates PodSecurity "restricted:latest": privileged', "the cluster's rules forbid"),
        ("unable to create new content in namespace default because it is being terminated", "is being deleted"),
    ],
)
def test_what_is_forbidden_by_a_rule_is_not_called_a_missing_right(api, kube, said, told):
    api.fail(403, reason="Forbidden", message=said)
    with pytest.raises(ApiFailure, match=told):
        kube.create(workflow("w"))


def test_a_missing_namespace_is_told_with_the_line_that_makes_it(kube):
    manifest = workflow("w")
    manifest["metadata"]["namespace"] = "nowhere"
    with pytest.raises(ApiFailure, match="there is no namespace nowhere") as refused:
        kube.create(manifest)
    assert refused.value.hint.endswith("create namespace nowhere")


def test_a_conflict_is_tried_again(api, kube):
    api.fail(409, method="PATCH", times=2, reason="Conflict", message="the object has been modified")
    kube.apply(config_map(a="1"))
    assert len(api.asked("PATCH")) == 3


def test_a_name_that_is_taken_is_not_tried_again(api, kube):
    kube.create(config_map())
    with pytest.raises(ApiFailure) as refused:
        kube.create(config_map())
    assert (refused.value.status, refused.value.reason) == (409, "AlreadyExists")
    assert len(api.asked("POST")) == 2


def test_an_overloaded_server_is_asked_again_when_it_says(api, kube, tmp_path):
    waited = []
    patient = Kube.open(api.kubeconfig(tmp_path / "config"), None, Pauses(sleep=waited.append))
    api.fail(429, times=1, retry_after=7)
    api.fail(429, times=1, retry_after=3600)
    patient.list(POD)
    assert waited == [7, 15]


def test_a_server_that_stays_overloaded_is_an_external_failure(api, kube):
    api.fail(429, times=99, message="too many requests")
    with pytest.raises(ApiFailure, match="overloaded"):
        kube.list(POD)
    assert len(api.asked("GET", "/pods")) == 6


@pytest.mark.parametrize("status", [500, 503])
def test_a_server_error_that_passes_is_not_seen(api, kube, status):
    api.fail(status, times=3)
    assert kube.list(POD) == []


def test_a_server_error_that_stays_is_told(api, kube):
    api.fail(500, times=99, reason="InternalError", message="etcdserver: request timed out")
    with pytest.raises(ExternalFailure, match=r"failed \(500\) on every attempt to list Pod: etcdserver"):
        kube.list(POD)


def test_a_broken_connection_is_made_again(api, kube):
    api.drop(times=2)
    assert kube.list(POD) == []


def test_a_connection_that_always_breaks_is_an_external_failure(api, kube):
    api.drop(times=99)
    with pytest.raises(ExternalFailure, match="broke on every attempt to list Pod"):
        kube.list(POD)


def test_a_created_object_whose_answer_was_lost_is_not_made_twice(api, kube):
    api.drop(method="POST", after=True)
    made = kube.create(workflow())
    assert [item["metadata"]["name"] for item in api.objects(WORKFLOW)] == [made["metadata"]["name"]]


def test_a_created_object_whose_answer_was_a_server_error_is_not_made_twice(api, kube):
    api.drop(method="POST", after=True)
    api.fail(504, method="POST", reason="Timeout", message="request did not complete within requested timeout")
    kube.create(workflow("w"))
    assert len(api.objects(WORKFLOW)) == 1


def test_a_name_that_was_taken_before_is_told_although_the_server_was_overloaded(api, kube):
    api.add(workflow("w"))
    api.fail(429, method="POST")
    with pytest.raises(ApiFailure, match="already exists"):
        kube.create(workflow("w"))


def test_a_silent_cluster_is_noticed(api, kube, tmp_path):
    class Impatient(Kube):
        answers_within_s = 0.2

    api.silence(path="/version", times=9)
    with pytest.raises(ExternalFailure, match=r"broke on every attempt to ask for the server's version: .*timed out"):
        Impatient.open(api.kubeconfig(tmp_path / "config"), None)
    assert len(api.asked("GET", "/version")) == 3  # one of them by the fixture


def test_a_deletion_whose_answer_was_lost_is_done(api, kube):
    kube.create(config_map())
    api.drop(method="DELETE", after=True)
    assert kube.delete(CONFIG_MAP, "settings", "default") in (True, False)
    assert api.objects(CONFIG_MAP) == []


def test_a_slow_answer_is_waited_for(api, kube):
    api.slow(0.3)
    assert kube.list(POD) == []


WEBHOOK_REFUSES = (
    'Internal error occurred: failed calling webhook "fuse.serverful.fluid.io": failed to call webhook: Post '
    '"https://fluid-pod-admission-webhook.fluid-system.svc:9443/mutate": dial tcp 10.96.1.1:9443: connection refused'
)


def test_a_refusing_webhook_is_told_and_a_dry_run_asks_it_once(api, kube):
    api.fail(500, method="POST", times=1, reason="InternalError", message=WEBHOOK_REFUSES)
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe", "namespace": "default"}}
    with pytest.raises(ApiFailure, match="an admission webhook stood in the way") as refused:
        kube.create(pod, dry_run=True)
    assert "fluid-webhook" in refused.value.hint
    assert len(api.asked("POST")) == 1
    kube.create(pod, dry_run=True)


def test_no_token_is_in_any_message(api, kube):
    api.fail(500, times=99, message=f"bad header: Bearer {TOKEN} and eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJr.c2ln")
    with pytest.raises(ExternalFailure) as failed:
        kube.list(POD)
    assert TOKEN not in str(vars(failed.value))
    assert "eyJ" not in failed.value.message
    assert api.asked("GET", "/pods")[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_what_is_wrong_with_a_secret_is_not_repeated(api, kube):
    api.fail(422, reason="Invalid", message='data[key]: Invalid value: "hunter2"')
    with pytest.raises(ApiFailure) as refused:
        kube.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "default"}})
    assert "hunter2" not in refused.value.message


def test_without_a_kubeconfig_it_says_how_to_get_a_cluster(tmp_path):
    with pytest.raises(ExternalFailure, match="no cluster to talk to") as failed:
        Kube.open(tmp_path / "nothing", None)
    assert "fluidbench up" in failed.value.hint


def test_an_unknown_context_is_told(api, tmp_path):
    with pytest.raises(ExternalFailure, match="elsewhere") as failed:
        Kube.open(api.kubeconfig(tmp_path / "config"), "elsewhere")
    assert "config get-contexts" in failed.value.hint


def test_a_broken_kubeconfig_is_told_without_its_content(tmp_path):
    path = tmp_path / "config"
    path.write_text(f"users: [{{name: a, user: {{token: {TOKEN}\n")
    with pytest.raises(ExternalFailure, match="cannot be read") as failed:
        Kube.open(path, None)
    assert TOKEN not in str(vars(failed.value))


def test_a_cluster_that_does_not_answer_is_told_at_once(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    path = kubeconfig_for(tmp_path, f"http://127.0.0.1:{port}")
    with pytest.raises(ExternalFailure, match=f"127.0.0.1:{port} does not answer: .*refused") as failed:
        Kube.open(path, None)
    assert f"--kubeconfig {path}" in failed.value.hint


def test_a_proxy_does_not_stand_between_this_machine_and_itself(api, tmp_path, monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert Kube.open(api.kubeconfig(tmp_path / "config"), None).server_version() == "v1.34.4"


def test_the_kubernetes_package_is_not_imported_before_a_cluster_is_opened():
    code = "import sys, fluidbench.kube, fluidbench.cli.main; sys.exit('kubernetes' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def kubeconfig_for(tmp_path, server):
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "c", "users": [{"name": "u", "user": {}}],
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    }))  # fmt: skip
    return path
