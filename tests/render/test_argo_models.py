"""Every key of the Workflows is one that Argo knows: Argo itself silently drops the others."""

import types
import typing
from collections.abc import Iterator
from typing import Any

import pytest
from hera.workflows import models
from pydantic import BaseModel, RootModel
from render.cases import WORKFLOWS

from fluidbench.render import workflow


def unknown_keys(value: Any, expected: Any, where: str = "") -> Iterator[str]:
    """The paths of keys in `value` that the type `expected` does not have."""
    if isinstance(value, list):
        (item,) = typing.get_args(_choose(expected, list)) or (Any,)
        for number, element in enumerate(value):
            yield from unknown_keys(element, item, f"{where}[{number}]")
    elif isinstance(value, dict):
        model = _choose(expected, dict)
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield from _of_model(value, model, where)


def _of_model(value: dict[str, Any], model: type[BaseModel], where: str) -> Iterator[str]:
    fields = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
    for key, inner in value.items():
        if key in fields:
            yield from unknown_keys(inner, fields[key], f"{where}.{key}")
        else:
            yield f"{where}.{key}"


def _choose(expected: Any, container: type) -> Any:
    """The one branch of a union, or the inside of a root model, that `container` fits."""
    if isinstance(expected, type) and issubclass(expected, RootModel):
        return _choose(expected.model_fields["root"].annotation, container)
    if typing.get_origin(expected) not in (typing.Union, types.UnionType):
        return expected
    branches = [_choose(branch, container) for branch in typing.get_args(expected)]
    fitting = [branch for branch in branches if _fits(branch, container)]
    return fitting[0] if fitting else Any


def _fits(branch: Any, container: type) -> bool:
    origin = typing.get_origin(branch) or branch
    model = isinstance(origin, type) and issubclass(origin, BaseModel)
    return origin is container or (container is dict and model)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_every_key_of_a_workflow_is_known_to_argo(name: str) -> None:
    manifest = workflow(WORKFLOWS[name])
    models.Workflow.model_validate(manifest)
    assert list(unknown_keys(manifest, models.Workflow)) == []


def test_a_key_that_argo_does_not_know_is_found_at_any_depth() -> None:
    manifest = workflow(WORKFLOWS["workflow-vineyard"])
    manifest["spec"]["templates"][1]["container"]["securityContext"]["privilegd"] = False
    manifest["spec"]["templates"][0]["dag"]["tasks"][1]["needs"] = []
    manifest["spec"]["volumes"][0]["persistentVolumeClaim"]["claim"] = "x"
    manifest["spec"]["templates"][1]["outputs"]["parameters"][0]["valueFrom"]["file"] = "x"
    manifest["metadata"]["label"] = {}
    assert sorted(unknown_keys(manifest, models.Workflow)) == [
        ".metadata.label",
        ".spec.templates[0].dag.tasks[1].needs",
        ".spec.templates[1].container.securityContext.privilegd",
        ".spec.templates[1].outputs.parameters[0].valueFrom.file",
        ".spec.volumes[0].persistentVolumeClaim.claim",
    ]
