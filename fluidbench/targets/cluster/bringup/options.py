"""What `fluidbench up` was asked for."""

import re
from dataclasses import dataclass
from pathlib import Path

from fluidbench import pins
from fluidbench.errors import UsageProblem

DEFAULT_NAME = "fluidbench"
DEFAULT_WORKERS = 3
DEFAULT_REPLICAS = 2
PUBLISHED_QUOTA_BYTES = 20 << 30
RUNTIME = "vineyard"
_UNITS = {
    "": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12,
    "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class UpOptions:
    """The options of `up`. What is None was not said: then what is already there counts, else the default."""

    data_dir: Path
    name: str = DEFAULT_NAME
    workers: int | None = None
    node_image: str = pins.KUBERNETES_NODE_IMAGE
    kind_config_patch: Path | None = None
    context: str | None = None
    kubeconfig: Path | None = None
    step_image: str | None = None
    registry: str = ""
    build_options: tuple[str, ...] = ()
    fluid_chart: str = pins.FLUID_CHART
    fluid_values: tuple[Path, ...] = ()
    image_prefix: str = ""
    argo_manifest: str = pins.ARGO_MANIFEST
    replicas: int | None = None
    quota_bytes: int | None = None
    multiplier: int | None = None
    namespace: str = "default"
    nfs: str = ""
    offline: bool = False

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", self.name):
            raise UsageProblem(f"--name {self.name!r} cannot name a kind cluster", "Use a-z, 0-9, dots and dashes.")
        if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", self.namespace):
            raise UsageProblem(f"--namespace {self.namespace!r} cannot name a namespace", "Use a-z, 0-9 and dashes.")
        if self.nfs and not re.fullmatch(r"[^:/]+:/.*", self.nfs):
            raise UsageProblem(f"--nfs {self.nfs!r} is not SERVER:/PATH", "For example: --nfs 10.0.0.5:/export/bench")
        for file in (self.kind_config_patch, *self.fluid_values):
            if file is not None and not file.is_file():
                raise UsageProblem(f"there is no file {file}", "Name one that is there.")
        if self.offline:
            self._at_hand()

    def _at_hand(self) -> None:
        for option, place in (("--fluid-chart", self.fluid_chart), ("--argo-manifest", self.argo_manifest)):
            if is_url(place):
                raise UsageProblem(
                    f"--offline fetches nothing, and {option} is {place}",
                    f"Fetch it where there is a network, carry it over, and name the file: {option} FILE",
                )


def is_url(place: str) -> bool:
    return re.match(r"[a-z+]+://", place) is not None


def bytes_of(quantity: str) -> int:
    """The bytes of a quantity as Kubernetes writes it: 20Gi, 500M."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([kKMGT]i?|)", quantity.strip())
    if not match or match[2] not in _UNITS:
        raise UsageProblem(f"{quantity!r} is no quantity", "Write it as Kubernetes does: 20Gi, 512Mi.")
    return int(float(match[1]) * _UNITS[match[2]])


def quantity_of(count: int) -> str:
    """`count` bytes as Kubernetes writes them, in whole Mi or Gi, rounded down."""
    if count >= 1 << 30 and count % (1 << 30) == 0:
        return f"{count >> 30}Gi"
    return f"{max(1, count >> 20)}Mi"
