"""docker: what the daemon is, which images it holds, builds, and the containers that are kind's nodes."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fluidbench.command import attempt
from fluidbench.errors import DoesNotFit, ExternalFailure
from fluidbench.tools.known import Known, explain

ANSWER_TIMEOUT_S = 30.0
KNOWN = (
    Known(
        "permission denied while trying to connect",
        "docker may not be used by this user",
        "Add the user to the group docker and log in again: sudo usermod -aG docker $USER",
    ),
    Known(
        "cannot connect to the docker daemon|is the docker daemon running|error during connect",
        "the Docker daemon does not answer",
        "Start it (systemctl start docker, or Docker Desktop), and see that it answers: docker info",
    ),
    Known(
        "no space left on device",
        "Docker's disk is full",
        "Make room: docker system df, docker image prune",
        DoesNotFit,
    ),
    Known(
        "do not match the hashes",
        "a package from the index is not the one that is locked",
        "Use an index with the published packages: --build-option=--build-arg=INDEX_URL=URL",
    ),
    Known(
        "certificate_verify_failed|certificate signed by unknown authority|x509:",
        "a server's certificate is not trusted",
        "Behind a proxy with a certificate of its own, use a base image that trusts it: "
        "--build-option=--build-arg=BASE_IMAGE=IMAGE",
    ),
    Known(
        "no matching distribution found|could not find a version|name resolution.*pip|pip.*connection",
        "the package index could not be reached from the build",
        "Name one that can: --build-option=--build-arg=INDEX_URL=URL; or build in the host's network: "
        "--build-option=--network=host",
    ),
    Known(
        "pull access denied|manifest unknown|manifest for .* not found|no such host|i/o timeout|dial tcp|"
        "failed to resolve source metadata|failed to resolve reference",
        "an image could not be pulled from its registry",
        "Load it: docker load -i FILE; or name a base image that can be had: "
        "--build-option=--build-arg=BASE_IMAGE=IMAGE",
    ),
    Known(
        "unauthorized|denied: requested access|no basic auth credentials",
        "the registry does not let this user in",
        "Log in first: docker login REGISTRY",
    ),
)


@dataclass(frozen=True)
class Daemon:
    """What `docker info` tells of the daemon."""

    version: str
    cgroup_version: int
    memory_bytes: int
    root_dir: Path
    architecture: str
    containerd_store: bool


@dataclass(frozen=True)
class Image:
    id: str
    size_bytes: int
    labels: Mapping[str, str]


@dataclass(frozen=True)
class NodeContainer:
    """A container that is a node of a kind cluster. `mounts` maps a path in it to one of the host."""

    name: str
    running: bool
    mounts: Mapping[str, str]


def daemon() -> Daemon:
    """The daemon, which must answer."""
    told = json.loads(_run("info", "--format", "{{json .}}"))
    if errors := told.get("ServerErrors"):
        raise explain("\n".join(errors), KNOWN, ExternalFailure(f"docker info failed: {'; '.join(errors)}"))
    status = {str(entry[0]): str(entry[1]) for entry in told.get("DriverStatus") or [] if len(entry) == 2}
    return Daemon(
        version=str(told.get("ServerVersion", "")),
        cgroup_version=int(told.get("CgroupVersion") or 1),
        memory_bytes=int(told.get("MemTotal") or 0),
        root_dir=Path(told.get("DockerRootDir") or "/var/lib/docker"),
        architecture={"x86_64": "amd64", "aarch64": "arm64"}.get(told.get("Architecture", ""), "amd64"),
        containerd_store="containerd" in status.get("driver-type", ""),
    )


def images(references: Iterable[str]) -> dict[str, Image]:
    """Those of the images that the daemon holds, by the reference that was asked for."""
    asked = list(dict.fromkeys(references))
    if not asked:
        return {}
    # what is found comes on stdout in the order in which it was asked for, what is not on stderr
    done = attempt(["docker", "image", "inspect", *asked], timeout_s=ANSWER_TIMEOUT_S)
    lines = done.stderr.lower().splitlines()
    found = [one for one in asked if not any(_lacks(line, one.lower()) for line in lines)]
    told = json.loads(done.stdout or "[]")
    if len(told) != len(found):
        raise failed(done.stderr, done.failure())
    return {reference: _image(entry) for reference, entry in zip(found, told, strict=True)}


def build_argv(
    context: Path, tag: str, arguments: Mapping[str, str], labels: Mapping[str, str], options: Sequence[str]
) -> list[str]:
    """Builds an image; `options` are docker's own, as they are."""
    told = [word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")]
    marks = [word for name, value in labels.items() for word in ("--label", f"{name}={value}")]
    return ["docker", "build", "--tag", tag, *told, *marks, *options, str(context)]


def push_argv(reference: str) -> list[str]:
    return ["docker", "push", reference]


def save_argv(references: Sequence[str], file: Path, architecture: str) -> list[str]:
    """Saves images of one platform: what a multi-platform store holds cannot be loaded into nodes otherwise."""
    return ["docker", "save", "--platform", f"linux/{architecture}", "--output", str(file), *references]


def remove_image(reference: str) -> bool:
    """Removes an image; False when it was not there, or is in use."""
    return attempt(["docker", "image", "rm", reference], timeout_s=120).returncode == 0


def nodes(cluster: str) -> list[NodeContainer]:
    """The containers of a kind cluster, running or not."""
    names = _run("ps", "--all", "--filter", f"label=io.x-k8s.kind.cluster={cluster}", "--format", "{{.Names}}").split()
    if not names:
        return []
    return [_node(entry) for entry in json.loads(_run("inspect", *names))]


def start(containers: Sequence[str]) -> None:
    _run("start", *containers, timeout_s=120)


def node_images(container: str) -> set[str]:
    """The names of the images in a kind node, each in full."""
    return set(_run("exec", container, "ctr", "--namespace", "k8s.io", "images", "list", "--quiet").split())


def node_paths(container: str, paths: Sequence[str]) -> list[str]:
    """Those of the paths that exist in a kind node."""
    done = attempt(["docker", "exec", container, "ls", "-d", *paths], timeout_s=ANSWER_TIMEOUT_S)
    return done.stdout.split()


def full_name(reference: str) -> str:
    """The reference with the registry and the tag that docker leaves out."""
    first, slash, _ = reference.partition("/")
    if not slash:
        reference = f"docker.io/library/{reference}"
    elif not re.search(r"[.:]|^localhost$", first):
        reference = f"docker.io/{reference}"
    return reference if re.search(r":[^/]*$|@", reference) else f"{reference}:latest"


def failed(output: str, failure: ExternalFailure) -> Exception:
    """What went wrong in a docker program that was watched."""
    return explain(output, KNOWN, failure)


def _lacks(line: str, reference: str) -> bool:
    """Whether a line of docker's says that there is no such image: the wording changed between its versions."""
    return f"no such image: {reference}:" in line or line.endswith(f"no such image: {reference}")


def _image(told: Mapping[str, Any]) -> Image:
    labels = (told.get("Config") or {}).get("Labels") or {}
    return Image(str(told.get("Id", "")), int(told.get("Size", 0)), labels)


def _node(told: Mapping[str, Any]) -> NodeContainer:
    mounts = {mount["Destination"]: mount["Source"] for mount in told.get("Mounts", []) if "Destination" in mount}
    return NodeContainer(told["Name"].lstrip("/"), bool(told.get("State", {}).get("Running")), mounts)


def _run(*words: str, timeout_s: float = ANSWER_TIMEOUT_S) -> str:
    done = attempt(["docker", *words], timeout_s=timeout_s)
    if done.returncode != 0:
        raise failed(done.stderr, done.failure())
    return done.stdout
