"""Stage 4: Fluid, by helm, and its webhook proved."""

from collections.abc import Iterator
from typing import Any

import yaml

from fluidbench import pins
from fluidbench.errors import ExternalFailure
from fluidbench.kube import CONFIG_MAP, CRD, DAEMON_SET, DEPLOYMENT, NAMESPACE
from fluidbench.render import fluid_values, webhook_probe
from fluidbench.targets.cluster.bringup import waiting
from fluidbench.targets.cluster.bringup.events import Event
from fluidbench.targets.cluster.bringup.objects import INSTALLED, condition, labels, marked, namespace, rolled_out
from fluidbench.targets.cluster.bringup.options import UpOptions
from fluidbench.targets.cluster.bringup.site import Site, tell
from fluidbench.targets.cluster.bringup.stages import Command, Content, Manifest, Planned, Work
from fluidbench.tools import helm

NAME = "Fluid"
RELEASE = "fluid"
CRDS = ("datasets.data.fluid.io", "vineyardruntimes.data.fluid.io")
DEPLOYMENTS = ("dataset-controller", "fluid-webhook", "fluidapp-controller", "vineyardruntime-controller")
CSI = "csi-nodeplugin-fluid"
INSTALL_TIMEOUT_S = 300.0
READY_TIMEOUT_S = 300.0
WEBHOOK_TIMEOUT_S = 180.0
# one answer may come from a pod that is about to end
ACCEPTED_IN_A_ROW = 4
AFFINITY = "NodeAffinityWithCache"
PREFERRED = ("fluid.io/node", "fluid.io/fuse")


class Fluid:
    """Installs Fluid where there is none; one that is there is used, with its affinity profile completed."""

    name = NAME
    needs: tuple[str, ...] = ("cluster", "images")

    def __init__(self, site: Site) -> None:
        self._site = site

    def found(self) -> str | None:
        site = self._site
        release = helm.release(RELEASE, pins.FLUID_NAMESPACE, site.helm)
        if release is None or release.status != "deployed" or not self._ready() or self._profile_lacks():
            return None
        try:
            for _ in range(2):
                self._probe()
        except ExternalFailure:
            return None
        self._note_whose()
        return f"{release.chart} is there"

    def planned(self) -> Iterator[Planned]:
        values = self._site.logs / "fluid-values.yaml"
        yield Manifest(self._namespace())
        yield Content(str(values), fluid_values(self._site.options.image_prefix))
        yield Command(tuple(self._install_argv()))
        yield Manifest(webhook_probe(self._site.options.namespace))
        yield f"created as a dry run only, until it is accepted {ACCEPTED_IN_A_ROW} times in a row"

    def run(self) -> Work:
        site = self._site
        release = helm.release(RELEASE, pins.FLUID_NAMESPACE, site.helm)
        if release is not None and release.status != "deployed":
            yield from self._mend(release)
            release = None
        if release is None and site.kube.get(DEPLOYMENT, DEPLOYMENTS[0], pins.FLUID_NAMESPACE) is None:
            yield from self._install()
        yield from waiting.until(
            site, NAME, lambda: self._ready() or None, what="its pods to be ready", timeout_s=READY_TIMEOUT_S,
            pods=[(pins.FLUID_NAMESPACE, "")],
        )  # fmt: skip
        yield from self._complete_profile()
        yield from self._webhook_answers()
        self._note_whose()
        whose = "installed" if "fluid" in site.current.installed else "there already, and not ours"
        return f"{release.chart if release else 'Fluid'} {whose}; its webhook answers"

    def _mend(self, release: helm.Release) -> Iterator[Event]:
        """A release that never became whole blocks its name; nothing can depend on it yet."""
        site = self._site
        if release.revision > 1 and not self._is_ours():
            raise ExternalFailure(
                f"Fluid's release is {release.status} at revision {release.revision}, and it is not ours to mend",
                f"Mend it: helm rollback {RELEASE} --namespace {release.namespace}",
            )
        yield tell(NAME, f"the release of an earlier attempt is {release.status}: removed, and installed anew")
        helm.uninstall(RELEASE, release.namespace, site.helm)
        yield from waiting.until(
            site, NAME,
            lambda: None if site.kube.get(DEPLOYMENT, DEPLOYMENTS[0], pins.FLUID_NAMESPACE) else True,
            what="the earlier attempt to be gone", timeout_s=120,
        )  # fmt: skip

    def _install(self) -> Iterator[Event]:
        site = self._site
        # the chart does not make its namespace, and a failed install leaves a release behind
        if site.kube.get(NAMESPACE, pins.FLUID_NAMESPACE) is None:
            site.kube.apply(self._namespace())
        else:
            site.kube.patch(NAMESPACE, pins.FLUID_NAMESPACE, None, {"metadata": {"labels": {INSTALLED: RELEASE}}})
        site.write("fluid-values.yaml", fluid_values(site.options.image_prefix))
        argv = self._install_argv()
        yield from site.follow(NAME, argv, "helm install", INSTALL_TIMEOUT_S, helm.failed)

    def _install_argv(self) -> list[str]:
        options: UpOptions = self._site.options
        values = [self._site.logs / "fluid-values.yaml", *options.fluid_values]
        return helm.install_argv(RELEASE, options.fluid_chart, pins.FLUID_NAMESPACE, values, self._site.helm, {})

    def _namespace(self) -> dict[str, Any]:
        return marked(namespace(pins.FLUID_NAMESPACE, {INSTALLED: RELEASE}))

    def _ready(self) -> bool:
        kube = self._site.kube
        if not all(condition(crd, "Established") for crd in (kube.get(CRD, name) or {} for name in CRDS)):
            return False
        deployments = {item["metadata"]["name"]: item for item in kube.list(DEPLOYMENT, pins.FLUID_NAMESPACE)}
        present = [deployments[name] for name in DEPLOYMENTS if name in deployments]
        return (
            all(name in deployments for name in DEPLOYMENTS[:2])
            and all(rolled_out(item) for item in present)
            and rolled_out(kube.get(DAEMON_SET, CSI, pins.FLUID_NAMESPACE))
        )

    def _is_ours(self) -> bool:
        return labels(self._site.kube.get(NAMESPACE, pins.FLUID_NAMESPACE)).get(INSTALLED) == RELEASE

    def _note_whose(self) -> None:
        installed = set(self._site.current.installed) - {"fluid"} | ({"fluid"} if self._is_ours() else set())
        self._site.remember(installed=tuple(sorted(installed)))

    def _profile(self) -> dict[str, Any] | None:
        """The webhook's profile; None where this Fluid has none."""
        held = self._site.kube.get(CONFIG_MAP, "webhook-plugins", pins.FLUID_NAMESPACE)
        told = ((held or {}).get("data") or {}).get("pluginsProfile")
        profile = yaml.safe_load(told) if told else None
        return profile if isinstance(profile, dict) else None

    def _profile_lacks(self) -> list[str]:
        return lacking(self._profile())

    def _complete_profile(self) -> Iterator[Event]:
        """Fluid that was there before: the preference for nodes with a fuse is added, and the webhook told."""
        site, profile = self._site, self._profile()
        if not (missing := lacking(profile)) or profile is None:
            return
        yield tell(NAME, f"its webhook's profile lacks {', '.join(missing)}: added, and the webhook restarted")
        changed = yaml.safe_dump(completed(profile, missing), sort_keys=True)
        data = {"data": {"pluginsProfile": changed}}
        site.kube.patch(CONFIG_MAP, "webhook-plugins", pins.FLUID_NAMESPACE, data)
        # the profile is read once, at the start
        restart = {"fluidbench/profile": "completed"}
        patch = {"spec": {"template": {"metadata": {"annotations": restart}}}}
        site.kube.patch(DEPLOYMENT, "fluid-webhook", pins.FLUID_NAMESPACE, patch)
        yield from waiting.until(
            site, NAME, lambda: self._ready() or None, what="its webhook to restart", timeout_s=READY_TIMEOUT_S,
            pods=[(pins.FLUID_NAMESPACE, "control-plane=fluid-webhook")],
        )  # fmt: skip

    def _webhook_answers(self) -> Iterator[Event]:
        """The rollout is complete before the API server reaches the webhook; only accepted pods prove it."""
        accepted, last = 0, ""

        def in_a_row() -> bool | None:
            nonlocal accepted, last
            try:
                self._probe()
            except ExternalFailure as refused:
                accepted, last = 0, refused.message.splitlines()[0]
            else:
                accepted += 1
            return accepted >= ACCEPTED_IN_A_ROW or None

        yield from waiting.until(
            self._site, NAME, in_a_row, what=lambda: f"its webhook to answer {last}".rstrip(),
            timeout_s=WEBHOOK_TIMEOUT_S, pods=[(pins.FLUID_NAMESPACE, "control-plane=fluid-webhook")],
            hint=f"Its log: {self._site.kube.kubectl} -n {pins.FLUID_NAMESPACE} logs deploy/fluid-webhook",
        )  # fmt: skip

    def _probe(self) -> None:
        self._site.kube.create(webhook_probe("default"), dry_run=True)


def lacking(profile: dict[str, Any] | None) -> list[str]:
    """The preferences that the affinity plugin of a profile lacks."""
    if profile is None:
        return []
    named = {entry.get("name") for entry in _arguments(profile).get("preferred") or []}
    return [name for name in PREFERRED if name not in named]


def completed(profile: dict[str, Any], missing: list[str]) -> dict[str, Any]:
    """The profile with the missing preferences; the lists of plugins stay, a name unknown to Fluid would end it."""
    arguments = dict(_arguments(profile))
    arguments["preferred"] = [
        *(arguments.get("preferred") or []),
        *({"name": name, "weight": 100} for name in missing),
    ]
    others = [entry for entry in profile.get("pluginConfig") or [] if entry.get("name") != AFFINITY]
    ours = {"name": AFFINITY, "args": yaml.safe_dump(arguments, sort_keys=False)}
    return {**profile, "pluginConfig": [*others, ours]}


def _arguments(profile: dict[str, Any]) -> dict[str, Any]:
    for entry in profile.get("pluginConfig") or []:
        if entry.get("name") == AFFINITY:
            told = yaml.safe_load(entry.get("args") or "")
            return told if isinstance(told, dict) else {}
    return {}
