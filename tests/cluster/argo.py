"""An Argo stand-in on the test API server: it walks the DAG of every Workflow that is made, and runs every Job.

Each container runs as a real process (see kubelet.py), so what a test sees is what the rendered manifests and the step
scripts do together. The objects take the states that a real cluster showed: a Workflow without a status, Running with
nodes that are Pending, Running, Succeeded, its pods beside them; the reason of a failure stands in the nodes, and the
Workflow's own message stays empty.

    argo.kubelet.acts["train-data"] = Act(exit_code=137, reason="OOMKilled")     in place of a script
    argo.replay("error-webhook-timeout")          the next Workflows go as that one of a real cluster went

What it leaves out: parallel tasks (the published DAG is a line), retries, artifacts, and the pods' security.
"""

import contextlib
import json
import time
from dataclasses import dataclass, field
from typing import Any

from fluidbench.kube import JOB, POD, WORKFLOW
from tests.cluster import shapes
from tests.cluster.kubelet import Ended, Kubelet
from tests.cluster.shapes import WORKFLOWS
from tests.kube.apiserver import ApiServer
from tests.kube.cluster_state import Object, Refusal, now
from tests.kube.plugin import FIXTURES, fixture

TERMINATED = "workflow shutdown with strategy:  Terminate"
DEADLINE = "Pod was active on the node longer than the specified deadline"


@dataclass
class Argo:
    """Argo's controller, and the Job controller of Kubernetes."""

    api: ApiServer
    kubelet: Kubelet
    workflows: list[str] = field(default_factory=list)
    _replayed: str = ""

    def __post_init__(self) -> None:
        self.api.when("ADDED", WORKFLOW, self._workflow)
        self.api.when("MODIFIED", WORKFLOW, self._modified)
        self.api.when("ADDED", JOB, self._job)

    def replay(self, name: str) -> None:
        """Every Workflow from now on takes the status and gets the pods and events of the fixture."""
        self._replayed = name

    def _workflow(self, made: Object) -> None:
        self.workflows.append(made["metadata"]["name"])
        with contextlib.suppress(Refusal):  # it was deleted meanwhile
            if self._replayed:
                self._show_again(made)
            else:
                Walk(self.api, self.kubelet, made).run()

    def _modified(self, workflow: Object) -> None:
        if workflow["spec"].get("shutdown"):
            for pod in self.api.objects(POD, f"{WORKFLOWS}/workflow={workflow['metadata']['name']}"):
                self.kubelet.stop(pod["metadata"]["uid"])

    def _show_again(self, made: Object) -> None:
        seen, own = fixture(f"workflow-{self._replayed}"), made["metadata"]["name"]
        then = seen["metadata"]["name"]

        def renamed(item: Any) -> Any:
            return json.loads(json.dumps(item).replace(then, own))

        for kind in ("pods", "events"):
            if (FIXTURES / f"{kind}-{self._replayed}.json").exists():
                for item in fixture(f"{kind}-{self._replayed}"):
                    self._again(renamed(item), made)
        if self._replayed.endswith("failedmount"):
            for item in fixture("events-failedmount"):
                self.api.put(renamed(item))
        self.api.status(WORKFLOW, own, made["metadata"]["namespace"], renamed(seen["status"]))

    def _again(self, pod: Object, made: Object) -> None:
        metadata = pod["metadata"]
        metadata.setdefault("labels", {}).update(made["metadata"].get("labels") or {})
        metadata["ownerReferences"] = [{**metadata["ownerReferences"][0], "uid": made["metadata"]["uid"]}]
        self.api.put(pod)

    def _job(self, job: Object) -> None:
        metadata, template = job["metadata"], job["spec"]["template"]
        labels = {**(template["metadata"].get("labels") or {}), "job-name": metadata["name"]}
        pod = shapes.pod(job, f"{metadata['name']}-x2x4z", template["spec"], {"labels": labels})
        with contextlib.suppress(Refusal):
            ended = self.kubelet.run(self.api.add(pod), timeout_s=job["spec"]["activeDeadlineSeconds"])
            told = {"failed": 1} if ended.exit_code else {"succeeded": 1}
            done = {"type": "Failed" if ended.exit_code else "Complete", "status": "True"}
            self.api.status(JOB, metadata["name"], metadata["namespace"], {**told, "conditions": [done]})


class Walk:
    """One Workflow on its way."""

    def __init__(self, api: ApiServer, kubelet: Kubelet, made: Object) -> None:
        self._api, self._kubelet = api, kubelet
        self._workflow = self._filled_in(made)
        self._spec = self._workflow["spec"]
        self._name, self._namespace = made["metadata"]["name"], made["metadata"]["namespace"]
        self._templates = {template["name"]: template for template in self._spec["templates"]}
        self._began = time.monotonic()
        self._nodes: dict[str, Object] = {}

    def run(self) -> None:
        root = shapes.step_node("", self._name, self._spec["entrypoint"])
        root |= {"id": self._name, "name": self._name, "type": "DAG", "phase": "Running"}
        self._nodes[self._name] = root
        self._show("Running", startedAt=root["startedAt"])
        phases: dict[str, str] = {}
        for task in self._templates[self._spec["entrypoint"]]["dag"]["tasks"]:
            met = all(phases[needed] == "Succeeded" for needed in task.get("dependencies", ()))
            phases[task["name"]] = self._step(task) if met else self._omit(task)
        bad = [phase for phase in phases.values() if phase in ("Failed", "Error")]
        root |= {"phase": bad[0] if bad else "Succeeded", "finishedAt": now()}
        self._finish(root["phase"])

    def _filled_in(self, made: Object) -> Object:
        """With Argo's expressions replaced by their values."""
        text = json.dumps(made).replace("{{workflow.name}}", made["metadata"]["name"])
        for parameter in made["spec"]["arguments"]["parameters"]:
            text = text.replace(f"{{{{workflow.parameters.{parameter['name']}}}}}", parameter["value"])
        filled: Object = json.loads(text)
        return filled

    def _step(self, task: Object) -> str:
        template = self._templates[task["template"]]
        node = self._nodes[task["name"]] = shapes.step_node(self._name, task["name"], template["name"])
        self._show("Running")
        pod = self._api.add(shapes.step_pod(self._workflow, template, node))
        outputs = template.get("outputs", {}).get("parameters", [])
        left_s = self._spec.get("activeDeadlineSeconds", 3600) - (time.monotonic() - self._began)
        if self._stopped(pod):
            self._kubelet.stop(pod["metadata"]["uid"])
        paths = tuple(one["valueFrom"]["path"] for one in outputs)
        ended = self._kubelet.run(pod, paths, left_s, lambda on: self._running(node, on))
        self._over(node, ended, outputs)
        self._api.merge(pod, {"metadata": {"labels": {f"{WORKFLOWS}/completed": "true"}}})
        self._show("Running")
        return str(node["phase"])

    def _stopped(self, pod: Object) -> bool:
        """Whether the Workflow was told to stop; where it is gone, its newest pod goes too."""
        try:
            return "shutdown" in self._api.get(WORKFLOW, self._name, self._namespace)["spec"]
        except Refusal:
            self._api.merge(pod, {"metadata": {"finalizers": None}})
            self._api.remove(POD, pod["metadata"]["name"], self._namespace)
            raise

    def _running(self, node: Object, on: str) -> None:
        node |= {"phase": "Running", "hostNodeName": on}
        self._show("Running")

    def _over(self, node: Object, ended: Ended, outputs: list[Object]) -> None:
        values = [{**one, "value": ended.files.get(one["valueFrom"]["path"]) or "{}"} for one in outputs]
        node |= {
            "phase": "Error" if ended.act and ended.act.error else "Failed" if ended.exit_code else "Succeeded",
            "finishedAt": now(), "progress": "0/1" if ended.exit_code else "1/1",
            "outputs": {"exitCode": str(ended.exit_code), "parameters": values},
        }  # fmt: skip
        if message := self._message(ended):
            node["message"] = message

    @staticmethod
    def _message(ended: Ended) -> str:
        if ended.stopped:
            return DEADLINE if ended.stopped == "deadline" else TERMINATED
        if ended.act and ended.act.message:
            return ended.act.message
        return f"main: {ended.reason} (exit code {ended.exit_code})" if ended.exit_code else ""

    def _omit(self, task: Object) -> str:
        self._nodes[task["name"]] = shapes.omitted(shapes.step_node(self._name, task["name"], task["template"]))
        return "Omitted"

    def _show(self, phase: str, **more: Any) -> None:
        nodes = {node["id"]: node for node in self._nodes.values()}
        status = {"phase": phase, "nodes": nodes, **more}
        self._api.status(WORKFLOW, self._name, self._namespace, status)

    def _finish(self, phase: str) -> None:
        labels = {f"{WORKFLOWS}/completed": "true", f"{WORKFLOWS}/phase": phase}
        self._api.merge(self._workflow, {"metadata": {"labels": labels}})
        self._show(phase, finishedAt=now(), conditions=[{"type": "Completed", "status": "True"}])
