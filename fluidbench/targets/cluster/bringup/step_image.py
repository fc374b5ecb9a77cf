"""Stage 3: the image of the steps, built here or given."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from fluidbench import places
from fluidbench.errors import ExternalFailure, UsageProblem
from fluidbench.plan import STEP_CONTRACT_VERSION
from fluidbench.targets.cluster.bringup import images
from fluidbench.targets.cluster.bringup.site import Site
from fluidbench.targets.cluster.bringup.stages import Command, Planned, Work
from fluidbench.tools import docker

NAME = "step image"
BUILD_TIMEOUT_S = 3600.0
CONTENT_LABEL = "io.fluidbench.content"
CONTRACT_LABEL = "io.fluidbench.step-contract"


class StepImage:
    """Built where its content is not what this FluidBench has; pushed where a registry was named for a cluster that
    cannot be loaded."""

    name = NAME
    needs: tuple[str, ...] = ("check",)

    def __init__(self, site: Site) -> None:
        self._site = site
        self._tag = images.step_image(site.options)

    def found(self) -> str | None:
        if given := self._site.options.step_image:
            self._given(given)
        elif self._pushed() or self._held() is None:
            return None
        self._site.keep(step_image=self._tag)
        return self._tag

    def planned(self) -> Iterator[Planned]:
        if given := self._site.options.step_image:
            yield f"use the step image {given}"
            return
        yield Command(tuple(self._build_argv(Path())))
        if self._pushed():
            yield Command(tuple(docker.push_argv(self._tag)))

    def run(self) -> Work:
        site = self._site
        if self._held() is None:
            if site.options.offline:
                raise self._not_at_hand()
            with tempfile.TemporaryDirectory(prefix="fluidbench-build-") as directory:
                context = build_context(Path(directory))
                argv, env = self._build_argv(context), dict(os.environ)
                yield from site.follow(NAME, argv, "building the step image", BUILD_TIMEOUT_S, docker.failed, env)
        if self._pushed():
            argv = docker.push_argv(self._tag)
            yield from site.follow(NAME, argv, f"pushing {self._tag}", BUILD_TIMEOUT_S, docker.failed)
        site.keep(step_image=self._tag)
        return self._tag

    def _pushed(self) -> bool:
        """Whether the cluster gets the image from a registry."""
        return bool(self._site.options.registry) and not self._site.current.kind_cluster

    def _held(self) -> docker.Image | None:
        """The image in the local Docker, when it holds what this FluidBench would build."""
        held = docker.images([self._tag]).get(self._tag)
        return held if held and held.labels.get(CONTENT_LABEL) == content_digest() else None

    def _not_at_hand(self) -> ExternalFailure:
        if docker.images([self._tag]):
            return ExternalFailure(
                f"the local Docker holds another {self._tag} than this FluidBench builds, and --offline builds none",
                "Build it where there is a network (`make docker-build`, or `fluidbench up` without --offline) and "
                f"carry it over: docker save -o steps.tar {self._tag}; docker load -i steps.tar",
            )
        return images.not_at_hand([self._tag])

    def _given(self, reference: str) -> None:
        """An image from elsewhere that the local Docker knows must speak our version of the step contract."""
        if not self._site.made_here:
            return
        held = docker.images([reference]).get(reference)
        spoken = held.labels.get(CONTRACT_LABEL) if held else None
        if spoken not in (None, str(STEP_CONTRACT_VERSION)):
            raise UsageProblem(
                f"the image {reference} speaks version {spoken} of the step contract, this FluidBench speaks "
                f"{STEP_CONTRACT_VERSION}",
                "Use the image of this version of FluidBench, or leave --step-image out to build it.",
            )

    def _build_argv(self, context: Path) -> list[str]:
        arguments = {"CONTRACT_VERSION": str(STEP_CONTRACT_VERSION)}
        labels = {CONTENT_LABEL: content_digest()}
        return docker.build_argv(context, self._tag, arguments, labels, self._site.options.build_options)


def check_way_to_cluster(site: Site) -> None:
    """An existing cluster that is not kind's gets the image from a registry, or not at all."""
    options = site.options
    if not site.made_here and not site.current.kind_cluster and not options.step_image and not options.registry:
        raise ExternalFailure(
            f"the cluster of context {options.context} has to pull the step image, and it is not said from where",
            "Push it: --registry REGISTRY; or name one that the cluster can pull: --step-image REF",
        )


def content_digest() -> str:
    """What goes into the image, as one word."""
    digest = hashlib.sha256()
    for name, path in sorted(_content()):
        digest.update(f"{name}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def build_context(directory: Path) -> Path:
    """A directory with what the Dockerfile copies, and nothing else: the same from a checkout and from a wheel."""
    for name, path in _content():
        target = directory / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return directory


def _content() -> Iterator[tuple[str, Path]]:
    yield "Dockerfile", places.image_file("Dockerfile")
    yield "requirements.txt", places.image_file("requirements.txt")
    steps = places.steps_dir()
    for path in steps.rglob("*"):
        if path.suffix in (".py", ".txt"):
            yield f"steps/{path.relative_to(steps)}", path
