"""The options of the commands that deal with a cluster."""

from pathlib import Path
from typing import Annotated

import typer

Name = Annotated[str, typer.Option("--name", help="Name of the kind cluster.")]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Worker nodes of the kind cluster. [3]")]
NodeImage = Annotated[str, typer.Option("--node-image", help="Node image of the kind cluster.")]
KindConfigPatch = Annotated[
    Path | None, typer.Option("--kind-config-patch", help="YAML that is merged into kind's configuration.")
]
Context = Annotated[
    str | None, typer.Option("--context", help="Use the existing cluster of this context; no kind cluster is made.")
]
Kubeconfig = Annotated[
    Path | None, typer.Option("--kubeconfig", help="Where that context stands. [$KUBECONFIG, ~/.kube/config]")
]
StepImage = Annotated[
    str | None, typer.Option("--step-image", help="An image of the steps that the cluster can pull; none is built.")
]
Registry = Annotated[
    str, typer.Option("--registry", help="Name the built image REGISTRY/...; pushed there for --context.")
]
BuildOptions = Annotated[
    list[str] | None,
    typer.Option("--build-option", help="An option for docker build, as it is: --build-option=--network=host"),
]
FluidChart = Annotated[str, typer.Option("--fluid-chart", help="Fluid's chart: a directory, a .tgz, or a URL.")]
FluidValues = Annotated[
    list[Path] | None, typer.Option("--fluid-values", help="More values for the chart; may be said repeatedly.")
]
ImagePrefix = Annotated[
    str, typer.Option("--image-prefix", help="Registry and repository for every image of Fluid, Vineyard and Argo.")
]
ArgoManifest = Annotated[str, typer.Option("--argo-manifest", help="Argo's install.yaml: a file or a URL.")]
Replicas = Annotated[
    int | None, typer.Option("--replicas", min=1, help="Workers of Vineyard, each on a node of its own. [2]")
]
Quota = Annotated[
    str | None,
    typer.Option("--quota", help="Shared memory of each worker. [20Gi as published, or the largest that is safe]"),
]
SizedFor = Annotated[
    int | None, typer.Option("--multiplier", "-m", min=1, help="Size the workers for runs of this multiplier.")
]
Namespace = Annotated[str, typer.Option("--namespace", "-n", help="Where the runs are to be.")]
Nfs = Annotated[str, typer.Option("--nfs", help="Put the data on a NAS: SERVER:/PATH.")]
Offline = Annotated[bool, typer.Option("--offline", help="Fetch nothing; what is missing is an error.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the plan; touch nothing.")]
MaybeName = Annotated[str | None, typer.Option("--name", help="Name of the kind cluster. [the current one]")]
MaybeNamespace = Annotated[str | None, typer.Option("--namespace", "-n", help="The namespace that up was given.")]
