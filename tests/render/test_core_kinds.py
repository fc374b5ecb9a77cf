"""Kubernetes' own kinds against Kubernetes' own schemas, without a key too many."""

from copy import deepcopy
from typing import Any

import kubernetes_validate
import pytest
from render.cases import manifests

# the oldest that the project supports, the pinned one, and a newer one
VERSIONS = ("1.30", "1.34", "1.36")
CORE = {
    f"{name}-{number}": manifest
    for name, made in manifests().items()
    for number, manifest in enumerate(made)
    if not manifest["apiVersion"].startswith(("argoproj.io/", "data.fluid.io/"))
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", CORE)
def test_a_core_kind_is_valid_with_no_key_too_many(name: str, version: str) -> None:
    kubernetes_validate.validate(CORE[name], version, strict=True)


def test_a_key_too_many_is_refused() -> None:
    wrong: dict[str, Any] = deepcopy(CORE["prepare-data-0"])
    wrong["spec"]["template"]["spec"]["containers"][0]["mounts"] = []
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, "1.34", strict=True)


@pytest.mark.parametrize("name", [name for name, made in CORE.items() if made["kind"] != "PersistentVolume"])
def test_a_namespaced_object_names_its_namespace(name: str) -> None:
    assert CORE[name]["metadata"]["namespace"] in {"default", "benchmarks"}


def test_everything_carries_the_label_that_down_looks_for() -> None:
    for made in manifests().values():
        for manifest in made:
            assert manifest["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "fluidbench"
