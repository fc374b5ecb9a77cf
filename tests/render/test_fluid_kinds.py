"""VineyardRuntime and Dataset against a small schema, and that against Fluid's own where it is at hand."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from fluidbench import render

HERE = Path(__file__).parent
FIELDS = yaml.safe_load((HERE / "fluid-fields.yaml").read_text(encoding="utf-8"))
CRDS = HERE.parents[2] / "shared" / "schemas"
PLURALS = {"VineyardRuntime": "vineyardruntimes", "Dataset": "datasets"}


@pytest.fixture(params=PLURALS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def manifest(kind: str) -> render.Manifest:
    made = {manifest["kind"]: manifest for manifest in render.vineyard("default", "vineyard", 2, "20Gi")}
    return made[kind]


@pytest.fixture
def fluid_schema(kind: str) -> dict[str, Any]:
    """What Fluid says of the kind."""
    (path,) = CRDS.glob(f"fluid-*-{PLURALS[kind]}.crd.yaml") if CRDS.is_dir() else [None]
    if path is None:
        pytest.skip(f"Fluid's CRDs are not at {CRDS}")
    (version,) = yaml.safe_load(path.read_text(encoding="utf-8"))["spec"]["versions"]
    assert version["name"] == "v1alpha1"
    schema: dict[str, Any] = version["schema"]["openAPIV3Schema"]
    return schema


def disagreements(ours: dict[str, Any], fluids: dict[str, Any], where: str = "") -> Iterator[str]:
    """Where our small schema names a field that Fluid does not have, gives it another type, or lacks a required one."""
    types = [branch["type"] for branch in fluids.get("anyOf", [fluids])]  # a quantity: integer or string
    if ours["type"] not in types:
        yield f"{where}: {ours['type']}, Fluid says {types}"
    if ours["type"] == "array":
        yield from disagreements(ours["items"], fluids["items"], f"{where}[]")
    if missing := set(fluids.get("required", ())) - set(ours.get("required", ())):
        yield f"{where}: Fluid requires {missing}"
    for name, field in ours.get("properties", {}).items():
        if name not in fluids.get("properties", {}):
            yield f"{where}.{name}: unknown to Fluid"
        else:
            yield from disagreements(field, fluids["properties"][name], f"{where}.{name}")


def test_what_is_rendered_keeps_to_the_fields_that_were_checked(kind: str, manifest: render.Manifest) -> None:
    jsonschema.validate(manifest, FIELDS[kind])


def test_the_fields_that_were_checked_are_fluids(kind: str, fluid_schema: dict[str, Any]) -> None:
    assert list(disagreements(FIELDS[kind], fluid_schema)) == []


def test_what_is_rendered_is_valid_by_fluids_schema(manifest: render.Manifest, fluid_schema: dict[str, Any]) -> None:
    jsonschema.validate(manifest, fluid_schema)


def test_the_etcd_of_a_runtime_is_compacted() -> None:
    runtime, _ = render.vineyard("bench", "shared", 2, "1Gi")
    assert runtime["spec"]["master"]["env"] == {"ETCD_AUTO_COMPACTION_RETENTION": "5m"}


def test_the_dataset_has_the_runtimes_name_because_fluid_binds_them_by_it() -> None:
    runtime, dataset = render.vineyard("benchmarks", "shared", 3, "1Gi")
    assert runtime["metadata"] == dataset["metadata"]
    assert runtime["metadata"]["name"] == "shared"


def test_a_runtime_without_a_level_of_memory_is_refused(kind: str, manifest: render.Manifest) -> None:
    if kind != "VineyardRuntime":
        pytest.skip("only the runtime has levels")
    del manifest["spec"]["tieredstore"]["levels"][0]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(manifest, FIELDS[kind])
