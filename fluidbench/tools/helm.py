"""helm: releases of charts."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fluidbench.command import Done, attempt
from fluidbench.errors import ExternalFailure, ToolMissing, UsageProblem
from fluidbench.pins import HELM_MINIMUM
from fluidbench.tools.known import Known, explain

ANSWER_TIMEOUT_S = 60.0
KNOWN = (
    Known(
        "cannot re-use a name that is still in use",
        "a release of an earlier attempt is in the way",
        "Remove it: helm uninstall NAME --namespace NAMESPACE",
    ),
    Known(
        "another operation .* is in progress",
        "helm thinks that another installation is at work, most often one that was killed",
        "Remove it: helm uninstall NAME --namespace NAMESPACE",
    ),
    Known(
        "invalid ownership metadata|cannot be imported into the current release",
        "the cluster holds parts of an earlier installation that helm does not know",
        "Remove the objects that it names, and run it again.",
    ),
    Known(
        r"namespaces \S+ not found",
        "the namespace of the release is missing",
        "Create it: kubectl create namespace NAMESPACE",
    ),
    Known(
        "chart.yaml file is missing|does not appear to be a gzipped archive|path .* not found|no such file",
        "the chart cannot be read",
        "Name a chart's directory, .tgz file or URL with --fluid-chart.",
        UsageProblem,
    ),
    Known(
        "no such host|dial tcp|i/o timeout|failed to fetch|looks like .* is not a valid chart",
        "the chart could not be fetched",
        "Fetch it on a machine with a network and name the file: --fluid-chart FILE.tgz",
    ),
    Known(
        "cannot (list|get|create) resource|forbidden",
        "this user may not install into the cluster",
        "An administrator of the cluster has to: kubectl auth can-i '*' '*' --all-namespaces",
    ),
    Known(
        "kubernetes cluster unreachable",
        "helm does not reach the cluster",
        "See that it answers: kubectl --kubeconfig FILE --context CONTEXT version",
    ),
)


@dataclass(frozen=True)
class Cluster:
    """Which cluster helm talks to."""

    kubeconfig: Path | None
    context: str | None

    @property
    def options(self) -> list[str]:
        files = ["--kubeconfig", str(self.kubeconfig)] if self.kubeconfig else []
        return [*files, *(["--kube-context", self.context] if self.context else [])]


@dataclass(frozen=True)
class Release:
    """`status` in helm's words: deployed, failed, pending-install, uninstalling and so on."""

    name: str
    namespace: str
    revision: int
    status: str
    chart: str


def version() -> str:
    """helm's version; raises ToolMissing where it is missing or too old."""
    told = _run(["version", "--template", "{{.Version}}"]).strip()
    match = re.search(r"v?(\d+)\.(\d+)\.?(\d*)", told)
    if not match or (int(match[1]), int(match[2])) < HELM_MINIMUM:
        wanted = ".".join(map(str, HELM_MINIMUM))
        raise ToolMissing(
            f"helm is too old: {told or 'no version'}, needed is {wanted}", f"Install helm {wanted} or later."
        )
    return match[0].lstrip("v")


def release(name: str, namespace: str, cluster: Cluster) -> Release | None:
    """The release, in whatever state it is; None where there is none."""
    told = _run(
        ["list", "--all", "--filter", f"^{name}$", "--namespace", namespace, "--output", "json", *cluster.options]
    )
    for entry in json.loads(told or "[]"):
        return Release(entry["name"], entry["namespace"], int(entry["revision"]), entry["status"], entry["chart"])
    return None


def install_argv(
    name: str, chart: str, namespace: str, values: Sequence[Path], cluster: Cluster, settings: Mapping[str, str]
) -> list[str]:
    """Installs a chart. It does not wait: who calls watches the pods, and sees trouble sooner than helm does."""
    files = [word for file in values for word in ("--values", str(file))]
    words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    return ["helm", "install", name, chart, "--namespace", namespace, *files, *words, *cluster.options]


def uninstall_argv(name: str, namespace: str, cluster: Cluster) -> list[str]:
    return ["helm", "uninstall", name, "--namespace", namespace, *cluster.options]


def uninstall(name: str, namespace: str, cluster: Cluster) -> bool:
    """Removes a release; False when there was none."""
    done = attempt(uninstall_argv(name, namespace, cluster), timeout_s=180)
    if done.returncode == 0:
        return True
    if "not found" in done.stderr:
        return False
    raise explain(done.stderr, KNOWN, done.failure())


def failed(output: str, failure: ExternalFailure) -> Exception:
    """What went wrong in a helm program that was watched."""
    return explain(output, KNOWN, failure)


def _run(words: Sequence[str]) -> str:
    done: Done = attempt(["helm", *words], timeout_s=ANSWER_TIMEOUT_S)
    if done.returncode != 0:
        raise explain(done.stderr, KNOWN, done.failure())
    return done.stdout
