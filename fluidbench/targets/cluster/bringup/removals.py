"""Which kinds of objects the parts of the cluster consist of."""

from fluidbench.kube import (
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    CONFIG_MAP,
    CRD,
    CSI_DRIVER,
    DEPLOYMENT,
    JOB,
    MUTATING_WEBHOOK,
    NAMESPACE,
    POD,
    PRIORITY_CLASS,
    PV,
    PVC,
    ROLE,
    ROLE_BINDING,
    SERVICE,
    SERVICE_ACCOUNT,
    WORKFLOW,
)

# the controller before what it serves
ARGO_KINDS = (
    DEPLOYMENT, SERVICE, ROLE_BINDING, ROLE, SERVICE_ACCOUNT, CONFIG_MAP, CLUSTER_ROLE_BINDING, CLUSTER_ROLE,
    PRIORITY_CLASS, CRD,
)  # fmt: skip
# all kinds of objects that bear our label
OUR_KINDS = (*ARGO_KINDS, PV, PVC, POD, JOB, WORKFLOW, NAMESPACE)
FLUID_GROUP = ".data.fluid.io"
FLUID_KINDS = (CRD, CSI_DRIVER, MUTATING_WEBHOOK, CLUSTER_ROLE, CLUSTER_ROLE_BINDING)
