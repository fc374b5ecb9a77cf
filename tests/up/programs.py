"""Fake docker, kind and helm: small programs in a directory that is the whole PATH. What they are asked is logged.

They act on one JSON file, `world`, and, as the real ones do, on the API server: kind brings nodes, helm brings Fluid.
A test makes one fail by what it writes into `world["fail"]`: the beginning of a command line, and what is then told.
"""

import json
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_COMMON = """#!{python} -IS
import fcntl, json, os, sys, time
WORLD = {world!r}
NAME = os.path.basename(sys.argv[0])
ARGV = [NAME, *sys.argv[1:]]
LINE = " ".join(ARGV)

def load():
    return json.loads(open(WORLD).read())

def save(world):
    open(WORLD + ".new", "w").write(json.dumps(world))
    os.replace(WORLD + ".new", WORLD)

def option(name, default=None):
    return ARGV[ARGV.index(name) + 1] if name in ARGV else default

def api(method, path, body=None, kind="application/json"):
    import urllib.request
    request = urllib.request.Request(world["api"] + path, method=method, headers={{"Content-Type": kind}},
                                     data=None if body is None else json.dumps(body).encode())
    return urllib.request.urlopen(request, timeout=10).read()

def fail(told):
    sys.stderr.write(told + "\\n")
    sys.exit(1)

with open(WORLD + ".log", "a") as log:
    log.write(json.dumps(ARGV) + "\\n")
only_one = open(WORLD + ".lock", "w")
fcntl.flock(only_one, fcntl.LOCK_EX)
world = load()
for beginning, told in world["fail"].items():
    if LINE.startswith(beginning):
        if told.startswith("hang"):
            time.sleep(60)
        fail(told)
"""

_DOCKER = """
if ARGV[1] == "info":
    print(json.dumps(world["docker"]))
elif ARGV[1:3] == ["image", "inspect"]:
    print(json.dumps([{"Id": "sha256:1", "Size": 1000, "Config": {"Labels": world["images"][one]}}
                      for one in ARGV[3:] if one in world["images"]]))
    absent = [one for one in ARGV[3:] if one not in world["images"]]
    if absent:
        line = "Error response from daemon: no such image: %s: No such image: %s"
        fail("\\n".join(line % (one, one) for one in absent))
elif ARGV[1:3] == ["image", "rm"]:
    del world["images"][ARGV[3]]
    save(world)
elif ARGV[1] == "build":
    labels = dict(ARGV[i + 1].split("=", 1) for i, word in enumerate(ARGV) if word == "--label")
    found = [os.path.join(directory, name) for directory, _, names in os.walk(ARGV[-1]) for name in names]
    world["context"] = sorted(os.path.relpath(path, ARGV[-1]) for path in found)
    world["images"][option("--tag")] = labels
    save(world)
elif ARGV[1] == "ps":
    name = option("--filter").rpartition("=")[2]
    print("\\n".join(node["name"] for node in world["clusters"].get(name, [])))
elif ARGV[1] == "inspect":
    nodes = [node for nodes in world["clusters"].values() for node in nodes]
    print(json.dumps([{"Name": "/" + node["name"], "State": {"Running": node["running"]}, "Mounts": [
        {"Destination": "/mnt/csi-benchmark", "Source": node["mount"]}]} for node in nodes if node["name"] in ARGV]))
elif ARGV[1] == "start":
    for nodes in world["clusters"].values():
        for node in nodes:
            node["running"] = node["running"] or node["name"] in ARGV
    save(world)
elif ARGV[1] == "exec" and "ctr" in ARGV:
    print("\\n".join(world["loaded"]))
elif ARGV[1] == "exec":
    print("\\n".join(path for path in ARGV[5:] if path in world["left_on_nodes"]))
elif ARGV[1] == "save":
    open(option("--output"), "w").write("images")
"""

_KIND = """
def nodes_of(config):
    return 1 + open(config).read().count('role: "worker"')

if ARGV[1] == "version":
    print("kind %s go1.24 linux/amd64" % world["kind_version"])
elif ARGV[1:3] == ["get", "clusters"]:
    print("\\n".join(world["clusters"]))
elif ARGV[1:3] == ["create", "cluster"]:
    name, count = option("--name"), nodes_of(option("--config"))
    if name in world["clusters"]:
        fail('ERROR: failed to create cluster: node(s) already exist for a cluster with the name "%s"' % name)
    mount = open(option("--config")).read().split("hostPath: ")[1].split("\\n")[0].strip('"')
    names = [name + ("-control-plane" if i == 0 else "-worker%s" % ("" if i == 1 else i)) for i in range(count)]
    world["clusters"][name] = [{"name": node, "running": True, "mount": mount} for node in names]
    save(world)
    for i, node in enumerate(names):
        taints = [{"effect": "NoSchedule", "key": "node-role.kubernetes.io/control-plane"}] if i == 0 else []
        api("POST", "/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": node}, "spec": {
            "taints": taints}, "status": {"conditions": [{"type": "Ready", "status": "True"}],
            "allocatable": {"memory": "24000000Ki"}, "nodeInfo": {"kubeletVersion": "v1.34.4"}}})
    if "interrupt" in world:
        os.kill(world["interrupt"], 2)
        time.sleep(60)
    open(option("--kubeconfig"), "w").write(world["kubeconfig"] % {"context": "kind-" + name})
elif ARGV[1:3] == ["export", "kubeconfig"]:
    os.makedirs(os.path.dirname(option("--kubeconfig")), exist_ok=True)
    open(option("--kubeconfig"), "w").write(world["kubeconfig"] % {"context": "kind-" + option("--name")})
elif ARGV[1:3] == ["delete", "cluster"]:
    for node in world["clusters"].pop(option("--name"), []):
        try:
            api("DELETE", "/api/v1/nodes/" + node["name"])
        except OSError:
            pass
    world["loaded"] = []
    save(world)
elif ARGV[1:3] == ["load", "docker-image"]:
    absent = [one for one in ARGV[5:] if one not in world["images"]]
    if absent:
        fail('ERROR: image: "%s" not present locally' % absent[0])
    short = [one for one in ARGV[5:] if "." not in one.split("/")[0]]
    full = ["docker.io/" + ("" if "/" in one else "library/") + one for one in short]
    world["loaded"] = sorted({*world["loaded"], *full, *ARGV[5:]})
    save(world)
"""

_HELM = """
def workload(kind, name, count=1):
    ready = {"readyReplicas": count, "updatedReplicas": count, "observedGeneration": 1, "desiredNumberScheduled": count,
             "updatedNumberScheduled": count, "numberReady": count}
    pods = {"containers": [{"name": "main", "image": "x/" + name + ":v1"}]}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "namespace": "fluid-system"},
            "spec": {"replicas": count, "template": {"spec": pods}},
            "status": ready}

NAMES = ["dataset-controller", "fluid-webhook", "fluidapp-controller", "vineyardruntime-controller"]
CRDS = ["datasets.data.fluid.io", "vineyardruntimes.data.fluid.io"]

if ARGV[1] == "version":
    print(world["helm_version"])
elif ARGV[1] == "list":
    print(json.dumps(world["releases"]))
elif ARGV[1] == "install":
    if world["releases"]:
        fail("Error: INSTALLATION FAILED: cannot re-use a name that is still in use")
    status = world.get("release_status", "deployed")
    world["releases"] = [{"name": "fluid", "namespace": "fluid-system", "revision": "1", "status": status,
                          "chart": "fluid-1.0.8"}]
    save(world)
    for name in CRDS:
        try:
            api("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
                "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": name},
                "status": {"conditions": [{"type": "Established", "status": "True"}]}})
        except OSError:
            pass
    if status != "deployed":
        fail("Error: INSTALLATION FAILED: the connection was lost")
    for name in NAMES:
        api("POST", "/apis/apps/v1/namespaces/fluid-system/deployments", workload("Deployment", name))
    api("POST", "/apis/apps/v1/namespaces/fluid-system/daemonsets", workload("DaemonSet", "csi-nodeplugin-fluid", 3))
elif ARGV[1] == "uninstall":
    if not world["releases"]:
        fail("Error: uninstall: Release not loaded: fluid: release: not found")
    world["releases"] = []
    save(world)
    for plural, names in (("deployments", NAMES), ("daemonsets", ["csi-nodeplugin-fluid"])):
        for name in names:
            try:
                api("DELETE", "/apis/apps/v1/namespaces/fluid-system/%s/%s" % (plural, name))
            except OSError:
                pass
"""

# what changes nothing: all that a dry run may start
HARMLESS = (
    ["docker", "info"], ["docker", "image", "inspect"], ["docker", "ps"], ["docker", "inspect"], ["docker", "exec"],
    ["kind", "version"], ["kind", "get"], ["helm", "version"], ["helm", "list"],
)  # fmt: skip


@dataclass(frozen=True)
class Programs:
    """The fake programs, and the world that they act on."""

    bin: Path
    world: Path

    def read(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.world.read_text())
        return told

    def change(self, **changes: Any) -> None:
        self.world.write_text(json.dumps({**self.read(), **changes}))

    def asked(self) -> list[list[str]]:
        """Every command that was run, in order."""
        log = Path(f"{self.world}.log")
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def changed(self) -> list[str]:
        """The commands that may have changed something."""
        return [" ".join(argv) for argv in self.asked() if not any(argv[: len(h)] == h for h in HARMLESS)]

    def ran(self, beginning: str) -> list[str]:
        lines = [" ".join(argv) for argv in self.asked()]
        return [line for line in lines if line.startswith(beginning)]

    def forget(self) -> None:
        Path(f"{self.world}.log").unlink(missing_ok=True)

    def without(self, name: str) -> None:
        (self.bin / name).unlink()


def make(directory: Path, api_url: str, kubeconfig: str, images: list[str]) -> Programs:
    """The programs in a directory of their own, in a world with these images and nothing else."""
    bin_, world = directory / "bin", directory / "world.json"
    bin_.mkdir()
    for name, body in (("docker", _DOCKER), ("kind", _KIND), ("helm", _HELM)):
        path = bin_ / name
        # the interpreter behind the virtual environment, whose path may have a space, which no `#!` line bears
        path.write_text(_COMMON.format(python=Path(sys.executable).resolve(), world=str(world)) + body)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    programs = Programs(bin_, world)
    world.write_text("{}")
    programs.change(
        api=api_url, kubeconfig=kubeconfig, fail={}, images={image: {} for image in images}, clusters={}, loaded=[],
        releases=[], left_on_nodes=[], kind_version="v0.30.0", helm_version="v3.18.4",
        docker={
            "ServerVersion": "28.0.0", "CgroupVersion": "1", "MemTotal": 64 << 30, "DockerRootDir": "/nowhere",
            "Architecture": "x86_64", "DriverStatus": [],
        },
    )  # fmt: skip
    return programs
