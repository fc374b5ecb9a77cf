"""Versions and published locations of everything that FluidBench installs from elsewhere: the one place for them."""

KIND_MINIMUM = (0, 29)
HELM_MINIMUM = (3, 8)
KUBERNETES_NODE_IMAGE = "kindest/node:v1.34.4"
# the kubelet of 1.35 and up refuses cgroup v1
KUBERNETES_LAST_WITH_CGROUP_V1 = (1, 34)

FLUID_VERSION = "1.0.8"
FLUID_IMAGE_TAG = f"v{FLUID_VERSION}-6533239"
FLUID_CHART = (
    "https://github.com/fluid-cloudnative/charts/releases/download/"
    f"helm-chart-fluid-{FLUID_VERSION}/fluid-{FLUID_VERSION}.tgz"
)
FLUID_NAMESPACE = "fluid-system"
FLUID_IMAGES = (
    *(
        f"fluidcloudnative/{name}:{FLUID_IMAGE_TAG}"
        for name in (
            "dataset-controller",
            "vineyardruntime-controller",
            "fluid-webhook",
            "fluid-csi",
            "application-controller",
        )
    ),
    "fluidcloudnative/csi-node-driver-registrar:v2.14.0",
)

VINEYARD_VERSION = "0.22.2"
VINEYARD_IMAGES = (
    f"registry.aliyuncs.com/vineyard/vineyardd:v{VINEYARD_VERSION}",
    f"registry.aliyuncs.com/vineyard/vineyard-fluid-fuse:v{VINEYARD_VERSION}",
)

ARGO_VERSION = "v3.7.18"
ARGO_NAMESPACE = "argo"
ARGO_MANIFEST = f"https://github.com/argoproj/argo-workflows/releases/download/{ARGO_VERSION}/install.yaml"
ARGO_IMAGES = (f"quay.io/argoproj/workflow-controller:{ARGO_VERSION}", f"quay.io/argoproj/argoexec:{ARGO_VERSION}")

STEP_IMAGE_BASE = "python:3.11-slim-bookworm"
STEP_IMAGE = "fluidbench-steps"
