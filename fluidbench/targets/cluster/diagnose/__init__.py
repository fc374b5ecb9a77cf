"""What a cluster's objects say of a trouble, in one sentence with the fix. Pure: objects in, an error (or None) out."""

from fluidbench.targets.cluster.diagnose.pods import stuck, unbound
from fluidbench.targets.cluster.diagnose.steps import failed_step, failed_workflow
from fluidbench.targets.cluster.diagnose.vineyard import deletion_blocked, vineyard_missing, vineyard_stuck

__all__ = [
    "deletion_blocked", "failed_step", "failed_workflow", "stuck", "unbound", "vineyard_missing", "vineyard_stuck",
]  # fmt: skip
