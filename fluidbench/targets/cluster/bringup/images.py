"""Images that the local Docker holds are loaded into kind's nodes, instead of being pulled by each of them."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from fluidbench import __version__, pins, text
from fluidbench.errors import ExternalFailure
from fluidbench.targets.cluster.bringup.options import UpOptions
from fluidbench.targets.cluster.bringup.site import Site, tell
from fluidbench.targets.cluster.bringup.stages import Command, Planned, Work
from fluidbench.tools import docker, kind

NAME = "images"
IN_NODES = "step image in the nodes"
LOAD_TIMEOUT_S = 1800.0


class Images:
    """Loads those of Fluid, Vineyard and Argo that the nodes lack."""

    name = NAME
    needs: tuple[str, ...] = ("cluster",)

    def __init__(self, site: Site) -> None:
        self._site = site

    def found(self) -> str | None:
        return None if self._site.current.kind_cluster else "the cluster pulls its images itself"

    def planned(self) -> Iterator[Planned]:
        if cluster := _expected_kind_cluster(self._site):
            yield "of these images the ones that the local Docker holds and the nodes lack"
            yield Command(tuple(kind.load_argv(cluster, stack_images(self._site.options))))

    def run(self) -> Work:
        site = self._site
        wanted, present = _lacking(site, stack_images(site.options))
        held = docker.images(wanted)
        if absent := [one for one in wanted if one not in held]:
            if site.options.offline:
                raise not_at_hand(absent)
            yield tell(NAME, f"not in the local Docker, so each node pulls them: {', '.join(absent)}")
        if held:
            yield from _load(site, NAME, list(held))
        return f"{len(held)} loaded, {present} were there"


class StepImageInNodes:
    """Loads the step image, the largest, while Fluid is waited for. It is always offered: under its name there may be
    a newer one, and kind compares what it holds."""

    name = IN_NODES
    needs: tuple[str, ...] = (NAME, "step image")

    def __init__(self, site: Site) -> None:
        self._site = site

    def found(self) -> str | None:
        if not self._site.current.kind_cluster:
            return "the cluster pulls it itself"
        given = self._site.options.step_image
        if given and given not in docker.images([given]):
            if self._site.options.offline:
                raise not_at_hand([given])
            return "not in the local Docker, so each node pulls it"
        return None

    def planned(self) -> Iterator[Planned]:
        if cluster := _expected_kind_cluster(self._site):
            yield Command(tuple(kind.load_argv(cluster, [step_image(self._site.options)])))

    def run(self) -> Work:
        yield from _load(self._site, IN_NODES, [self._site.current.step_image])
        return f"{self._site.current.step_image} is on every node"


def _expected_kind_cluster(site: Site) -> str | None:
    """The kind cluster as it is known before the cluster was asked: kind calls its contexts so."""
    context = site.options.context or ""
    return site.current.kind_cluster or (context.removeprefix("kind-") if context.startswith("kind-") else None)


def _lacking(site: Site, references: Sequence[str]) -> tuple[list[str], int]:
    """Those that a node of the kind cluster lacks, and how many all of them have."""
    nodes = docker.nodes(site.current.kind_cluster or "")
    present = set.intersection(*(docker.node_images(node.name) for node in nodes)) if nodes else set()
    wanted = [one for one in references if docker.full_name(one) not in present]
    return wanted, len(references) - len(wanted)


def _load(site: Site, stage: str, references: Sequence[str]) -> Work:
    cluster, count = site.current.kind_cluster or "", len(references)
    daemon, what = docker.daemon(), f"loading {text.counted(count, 'image')} into the nodes"
    if not daemon.containerd_store:
        argv = kind.load_argv(cluster, references)
        return (yield from site.follow(stage, argv, what, LOAD_TIMEOUT_S, kind.failed))
    # such a store keeps images of several platforms, which the nodes do not take
    with tempfile.TemporaryDirectory(prefix="fluidbench-images-") as directory:
        file = Path(directory) / "images.tar"
        argv = docker.save_argv(references, file, daemon.architecture)
        yield from site.follow(stage, argv, f"saving {count} images", LOAD_TIMEOUT_S, docker.failed)
        argv = kind.load_archive_argv(cluster, file)
        return (yield from site.follow(stage, argv, what, LOAD_TIMEOUT_S, kind.failed))


def stack_images(options: UpOptions) -> list[str]:
    """The images of Fluid, Vineyard and Argo, under the names that the cluster asks for."""
    return [
        prefixed(one, options.image_prefix) for one in (*pins.FLUID_IMAGES, *pins.VINEYARD_IMAGES, *pins.ARGO_IMAGES)
    ]


def prefixed(reference: str, prefix: str) -> str:
    """The image of the same name and tag under another registry and repository."""
    return f"{prefix.rstrip('/')}/{reference.rpartition('/')[2]}" if prefix else reference


def step_image(options: UpOptions) -> str:
    """The step image: one that was given, or the one that is built here."""
    own = f"{pins.STEP_IMAGE}:{__version__}"
    return options.step_image or (f"{options.registry.rstrip('/')}/{own}" if options.registry else own)


def check(site: Site) -> None:
    """Offline, and before anything is made: every image that a new kind cluster needs must be held here."""
    options = site.options
    if not (options.offline and site.made_here) or options.name in kind.clusters():
        return
    wanted = [options.node_image, *stack_images(options)]
    held = docker.images(wanted)
    if absent := [one for one in wanted if one not in held]:
        raise not_at_hand(absent)


def not_at_hand(absent: Sequence[str]) -> ExternalFailure:
    return ExternalFailure(
        f"--offline fetches nothing, and the local Docker lacks {', '.join(absent)}",
        f"Where there is a network: docker pull each, then docker save -o images.tar {' '.join(absent)}; "
        "carry the file over, and here: docker load -i images.tar",
    )
