"""Runs the pods of the stand-in: each `main` container as a real process on this machine, or an act in its place."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fluidbench.kube import POD
from fluidbench.places import steps_dir
from fluidbench.tools.vineyardd import clean_environment
from tests.cluster.shapes import KUBELET, Life
from tests.kube.apiserver import ApiServer
from tests.kube.cluster_state import Object, Refusal, now

LOOK_EVERY_S = 0.02
KILLED = 137
Began = Callable[[str], None]


@dataclass(frozen=True)
class Act:
    """What a step's pod shows instead of running its script.

    `report` is what it writes, from its pod where that matters; `during` is called while it is at work, which takes
    `takes_s` more; with `hangs` it never ends. `stays` is a status that its pod never leaves, with `events` about it.
    `node` is where it is put whatever was asked for, `message` what Argo says of it; `error`: Argo calls it Error.
    """

    report: str | Callable[[Object], str] = "{}"
    log: str = ""
    exit_code: int = 0
    reason: str = "Error"
    message: str = ""
    error: bool = False
    during: Callable[[], object] | None = None
    takes_s: float = 0.0
    hangs: bool = False
    node: str = ""
    stays: Mapping[str, Any] | None = None
    events: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Ended:
    """How a pod ended: what was in its files, and why where it did not end by itself."""

    exit_code: int
    reason: str
    files: Mapping[str, str] = field(default_factory=dict)
    stopped: str = ""
    act: Act | None = None


@dataclass
class Kubelet:
    """All nodes of the cluster. `volumes` maps claims to directories, `acts` steps to what takes their place."""

    api: ApiServer
    volumes: Mapping[str, Path]
    scratch: Path
    nodes: tuple[str, ...]
    acts: dict[str, Act] = field(default_factory=dict)
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    _stops: dict[str, threading.Event] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.api.when("MODIFIED", POD, self._modified)

    def run(
        self, pod: Object, paths: tuple[str, ...] = (), timeout_s: float = 3600, began: Began = lambda _node: None
    ) -> Ended:  # fmt: skip
        """From a pod that was just made to its end: `began` hears on which node, `paths` are files to be read then."""
        stop = self._stops.setdefault(pod["metadata"]["uid"], threading.Event())
        life = Life(argo=len(pod["spec"]["containers"]) > 1)
        until = time.monotonic() + timeout_s
        act = self.acts.get(step_of(pod))
        try:
            if act and act.stays is not None:
                return self._stays(pod, act, stop, until)
            self._place(pod, life, (act and act.node) or self._node(pod), began)
            ended = self._acted(pod, act, paths, stop, until) if act else self._ran(pod, paths, stop, until)
            life.ended, life.exit_code, life.reason = now(), ended.exit_code, ended.reason
            return ended
        finally:
            with contextlib.suppress(Refusal):
                self._show(pod, life.status() if life.ended else {"phase": "Failed"})

    def stop(self, uid: str) -> None:
        """Ends the pod's container."""
        self._stops.setdefault(uid, threading.Event()).set()

    def close(self) -> None:
        for stop in list(self._stops.values()):
            stop.set()
        for process in list(self.processes.values()):
            _kill(process)

    def _stays(self, pod: Object, act: Act, stop: threading.Event, until: float) -> Ended:
        self._show(pod, dict(act.stays or {}))
        self._tell(pod, act)
        return Ended(KILLED, "Error", {}, self._waited(stop, until), act)

    def _place(self, pod: Object, life: Life, node: str, began: Began) -> None:
        life.scheduled = life.initialised = now()
        self.api.merge(pod, {"spec": {"nodeName": node}, "status": life.status()})
        life.started = now()
        self._show(pod, life.status())
        began(node)

    def _acted(self, pod: Object, act: Act, paths: tuple[str, ...], stop: threading.Event, until: float) -> Ended:
        self._log(pod, act.log)
        if act.during:
            act.during()
        if act.hangs or stop.wait(act.takes_s):
            return Ended(KILLED, "Error", {}, self._waited(stop, until), act)
        report = act.report if isinstance(act.report, str) else act.report(pod)
        return Ended(act.exit_code, act.reason if act.exit_code else "Completed", dict.fromkeys(paths, report), "", act)

    def _ran(self, pod: Object, paths: tuple[str, ...], stop: threading.Event, until: float) -> Ended:
        container = Container(pod, self.volumes, self.scratch / pod["metadata"]["name"], self.secrets)
        self._log(pod, "")
        process = self.processes[pod["metadata"]["name"]] = container.start()
        stopped = ""
        while process.poll() is None and not stopped:
            stopped = "deadline" if time.monotonic() > until else "stopped" if stop.wait(LOOK_EVERY_S) else ""
        if stopped:
            _kill(process)
        self._log(pod, container.log.read_text(errors="replace"))
        code = process.wait()
        del self.processes[pod["metadata"]["name"]]
        files = {path: container.read(path) for path in paths}
        return Ended(code if code >= 0 else 128 - code, "Error" if code else "Completed", files, stopped)

    @staticmethod
    def _waited(stop: threading.Event, until: float) -> str:
        return "stopped" if stop.wait(max(0.0, until - time.monotonic())) else "deadline"

    def _node(self, pod: Object) -> str:
        wanted: str | None = (pod["spec"].get("nodeSelector") or {}).get("kubernetes.io/hostname")
        return wanted or self.nodes[0]

    def _show(self, pod: Object, status: Object) -> None:
        self.api.merge(pod, {"status": status})

    def _log(self, pod: Object, text: str) -> None:
        self.api.logs[pod["metadata"]["namespace"], pod["metadata"]["name"], "main"] = text

    def _tell(self, pod: Object, act: Act) -> None:
        about = {"kind": "Pod", "name": pod["metadata"]["name"], "namespace": "default", "uid": pod["metadata"]["uid"]}
        for number, event in enumerate(act.events):
            name = f"{pod['metadata']['name']}.{number}"
            metadata = {"name": name, "namespace": pod["metadata"]["namespace"]}
            told = {"apiVersion": "v1", "kind": "Event", "metadata": metadata, "involvedObject": about, **event}
            self.api.add(told)

    def _modified(self, pod: Object) -> None:
        """A pod that is being deleted ends, and goes when it has ended."""
        if not pod["metadata"].get("deletionTimestamp") or KUBELET not in pod["metadata"].get("finalizers", []):
            return
        self.stop(pod["metadata"]["uid"])
        if pod["status"].get("phase") in ("Succeeded", "Failed"):
            with contextlib.suppress(Refusal):
                self.api.merge(pod, {"metadata": {"finalizers": None}})


class Container:
    """The main container of a pod: its command, with every path that it mounts mapped to a directory of the test."""

    def __init__(
        self, pod: Object, volumes: Mapping[str, Path], place: Path, secrets: Mapping[str, Mapping[str, str]]
    ) -> None:
        self._spec = next(one for one in pod["spec"]["containers"] if one["name"] == "main")
        self._mounts = dict(self._mounted(pod, volumes, place))
        self.log = place / "log"
        self._secrets = secrets

    def start(self) -> "subprocess.Popen[bytes]":
        told = {}
        for source in self._spec.get("envFrom", []):
            told |= self._secrets[source["secretRef"]["name"]]
        told |= {entry["name"]: str(self.mapped(entry["value"])) for entry in self._spec.get("env", [])}
        words = [*self._spec["command"], *self._spec.get("args", [])]
        with self.log.open("wb") as log:
            return subprocess.Popen(
                [sys.executable if word == "python3" else word for word in words],
                env=clean_environment() | told | {"TMPDIR": str(self.mapped("/tmp"))}, cwd=steps_dir(),
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def mapped(self, path: str) -> str:
        for mount, directory in sorted(self._mounts.items(), key=lambda item: -len(item[0])):
            if path == mount or path.startswith(f"{mount}/"):
                return str(directory) + path[len(mount) :]
        return path

    def read(self, path: str) -> str:
        """A file of the container; what is not there is an empty text."""
        try:
            return Path(self.mapped(path)).read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def _mounted(self, pod: Object, volumes: Mapping[str, Path], place: Path) -> "list[tuple[str, Path]]":
        known = {volume["name"]: volume for volume in pod["spec"].get("volumes", [])}
        found = []
        for mount in self._spec.get("volumeMounts", []):
            claim = known[mount["name"]].get("persistentVolumeClaim")
            directory = volumes[claim["claimName"]] if claim else place / mount["name"]
            directory.mkdir(parents=True, exist_ok=True)
            found.append((mount["mountPath"], directory))
        place.mkdir(parents=True, exist_ok=True)
        return found


def step_of(pod: Object) -> str:
    """preprocess-data, prepare-data, clean-up: from the script that the pod runs."""
    scripts = [word for word in pod["spec"]["containers"][0].get("command", []) if word.endswith(".py")]
    return scripts[0].removesuffix(".py").replace("_", "-") if scripts else ""


def _kill(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
