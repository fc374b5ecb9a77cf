"""kind: clusters whose nodes are containers."""

import re
from collections.abc import Sequence
from pathlib import Path

from fluidbench.command import Done, attempt
from fluidbench.errors import DoesNotFit, ExternalFailure, ToolMissing, UsageProblem
from fluidbench.pins import KIND_MINIMUM
from fluidbench.tools.known import Known, explain

ANSWER_TIMEOUT_S = 60.0
INOTIFY_FIX = "sudo sysctl fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=512"
# The order counts: the first that fits is told. kind exits with 1 whatever went wrong.
KNOWN = (
    Known(
        "too many open files|could not find a log line that matches",
        "a node did not come up, most often because the host's inotify limits are too low for one more node",
        f"Raise them and run it again: {INOTIFY_FIX}",
    ),
    Known(
        "port is already allocated|ports are not available|address already in use",
        "a port that the cluster wants on this host is taken",
        "Free it, or choose another in the --kind-config-patch file. See: docker ps, ss -ltn",
    ),
    Known(
        "failed to get docker info|cannot connect to the docker daemon|failed to list clusters",
        "kind does not reach the Docker daemon",
        "See that it answers: docker info",
    ),
    Known(
        r"node\(s\) already exist for a cluster",
        "a kind cluster of this name exists already",
        "Take another --name, or remove it: kind delete cluster --name NAME",
    ),
    Known(
        "failed to detect containerd snapshotter",
        "this node image needs a newer kind",
        "Update kind, or leave --node-image at its default.",
        ToolMissing,
    ),
    Known(
        "content digest .* not found",
        "Docker keeps images of several platforms, and kind cannot load them so",
        "Save them for one platform and load that: docker save --platform linux/amd64 -o FILE IMAGE; "
        "kind load image-archive FILE --name NAME",
    ),
    Known(
        "not present locally",
        "an image that was to be loaded is not in the local Docker",
        "See: docker images. Load or pull it first.",
    ),
    Known(
        "no nodes found for cluster",
        "there is no kind cluster of this name",
        "See: kind get clusters",
    ),
    Known("no space left on device", "the disk is full", "Make room: docker system prune", DoesNotFit),
    Known(
        "kubelet is configured to not run on a host using cgroup v1|cgroup v1 .* (is )?(not supported|unsupported)",
        "this node image does not run on a host with cgroup v1",
        "Leave --node-image at its default, which does.",
        UsageProblem,
    ),
    Known(
        "failed to pull image|pull access denied|manifest unknown|no such host",
        "the node image could not be pulled",
        "Carry it over: docker save on a machine that has it, docker load -i FILE here.",
    ),
    Known(
        "could not locate any control plane nodes",
        "the kind cluster has no control plane",
        "Remove what is left of it: kind delete cluster --name NAME",
    ),
)


def version() -> str:
    """kind's version; raises ToolMissing where it is missing or too old."""
    told = _run("version").strip()
    match = re.search(r"v?(\d+)\.(\d+)\.?(\d*)", told)
    if not match or (int(match[1]), int(match[2])) < KIND_MINIMUM:
        wanted = ".".join(map(str, KIND_MINIMUM))
        raise ToolMissing(
            f"kind is too old: {told or 'no version'}, needed is {wanted}", f"Install kind {wanted} or later."
        )
    return match[0].lstrip("v")


def clusters() -> list[str]:
    """The names of the kind clusters on this host."""
    return _run("get", "clusters").split()


def create_argv(name: str, config: Path, kubeconfig: Path, image: str) -> list[str]:
    return [
        "kind", "create", "cluster", "--name", name, "--config", str(config), "--image", image,
        "--kubeconfig", str(kubeconfig), "--wait", "180s",
    ]  # fmt: skip


def delete_argv(name: str, kubeconfig: Path) -> list[str]:
    return ["kind", "delete", "cluster", "--name", name, "--kubeconfig", str(kubeconfig)]


def load_argv(name: str, references: Sequence[str]) -> list[str]:
    return ["kind", "load", "docker-image", "--name", name, *references]


def load_archive_argv(name: str, file: Path) -> list[str]:
    return ["kind", "load", "image-archive", "--name", name, str(file)]


def export_kubeconfig(name: str, kubeconfig: Path) -> None:
    """Writes how to reach the cluster into a file of its own."""
    _run("export", "kubeconfig", "--name", name, "--kubeconfig", str(kubeconfig))


def delete(name: str, kubeconfig: Path) -> None:
    """Removes the cluster; one that is not there is removed already."""
    done = attempt(delete_argv(name, kubeconfig), timeout_s=180)
    if done.returncode != 0:
        raise _failed(done)


def failed(output: str, failure: ExternalFailure) -> Exception:
    """What went wrong in a kind program that was watched."""
    return explain(output, KNOWN, failure)


def _run(*words: str) -> str:
    done = attempt(["kind", *words], timeout_s=ANSWER_TIMEOUT_S)
    if done.returncode != 0:
        raise _failed(done)
    return done.stdout


def _failed(done: Done) -> Exception:
    return explain(done.stderr, KNOWN, done.failure())
