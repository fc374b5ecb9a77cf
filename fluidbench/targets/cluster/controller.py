"""Argo's workflow controller, as a run sees it: without it a Workflow lies there, and nothing says why."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from fluidbench.errors import ExternalFailure, FluidbenchError
from fluidbench.kube import DEPLOYMENT, EVENT, POD
from fluidbench.targets.cluster.bringup.argo import CONTROLLER
from fluidbench.targets.cluster.bringup.objects import status_of
from fluidbench.targets.cluster.diagnose import stuck
from fluidbench.targets.cluster.ready import ReadyCluster

# a Deployment that is rolled out anew is without a ready pod for some seconds
AWAY_S = 30.0
TAKEN_UP_WITHIN_S = 60.0
LOOK_EVERY_S = 10.0


def find(cluster: ReadyCluster) -> dict[str, Any] | None:
    """The controller's Deployment, in whatever namespace it is."""
    return next(iter(cluster.kube.list(DEPLOYMENT, fields=f"metadata.name={CONTROLLER}")), None)


def problem(cluster: ReadyCluster) -> FluidbenchError | None:
    """Why no Workflow would be worked on now; None where the controller is ready."""
    found = find(cluster)
    if found is None:
        return ExternalFailure("there is no Argo controller on the cluster any more", "Bring it back: fluidbench up")
    if (status_of(found).get("readyReplicas") or 0) > 0:
        return None
    namespace, wanted = found["metadata"]["namespace"], found["spec"].get("replicas", 1)
    why = stuck(
        cluster.kube.list(POD, namespace, labels=f"app={CONTROLLER}"), cluster.kube.list(EVENT, namespace)
    )  # fmt: skip
    said = f": {why.message}" if why else (": it is scaled to 0" if wanted == 0 else "")
    return ExternalFailure(
        f"Argo's controller does not run, so no Workflow is worked on{said}",
        (why.hint if why else "")
        or f"See: {cluster.kube.kubectl} -n {namespace} describe deployment {CONTROLLER}; `fluidbench up` mends it.",
    )


class Attention:
    """Whether the controller works on one Workflow, asked while nothing of it changes."""

    def __init__(self, cluster: ReadyCluster, clock: Callable[[], float] = time.monotonic) -> None:
        self._cluster, self._clock = cluster, clock
        self._submitted = clock()
        self._away_since: float | None = None
        self._look_at = self._submitted + LOOK_EVERY_S

    def problem(self, workflow: Mapping[str, Any]) -> FluidbenchError | None:
        """What keeps the Workflow waiting for the controller; None for what may pass in a moment.

        Looks every 10 s, however often it is asked.
        """
        now = self._clock()
        if now < self._look_at:
            return None
        self._look_at = now + LOOK_EVERY_S
        found = problem(self._cluster)
        if found:
            self._away_since = self._away_since or now
            return found if now - self._away_since >= AWAY_S else None
        self._away_since = None
        if status_of(workflow).get("phase") or now - self._submitted < TAKEN_UP_WITHIN_S:
            return None
        return ExternalFailure(
            f"Argo's controller runs, but has not taken up a Workflow of namespace {self._cluster.namespace} "
            f"within {TAKEN_UP_WITHIN_S:g} s",
            "Is it bound to another namespace (--namespaced, --managed-namespace) or to an instance ID? "
            f"See its log: {self._cluster.kube.kubectl} logs -A -l app={CONTROLLER}",
        )
