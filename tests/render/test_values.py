"""A value is a value: whatever stands in it, it cannot become a key, a document, or Argo's expression."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import UndefinedError

from fluidbench import places, render
from fluidbench.errors import UsageProblem
from fluidbench.render import PipelineOptions, VolumeOptions
from fluidbench.render.template import document, quoted

HOSTILE = [
    "with spaces",
    "中文 名字",
    "🐟 fluid",
    "single ' and double \" quotes",
    'x"\nprivileged: true\ny: "',
    "x\n---\nkind: Secret",
    "key: value # comment",
    "back\\slash \\n \\u0041",
    "tab\tand\rreturn",
    "line\u2028and\u2029and\x85next",
    "\x7f\ufeff\x9f",
    "{% raw %} {# comment #}",
    "- list, {flow: [1]}",
    "&anchor *alias !!python/object:os.system",
    " leading and trailing ",
    "%YAML 1.1",
]
AMBIGUOUS = [
    "1e3",
    "0x1F",
    "0o17",
    "012",
    "1_000",
    "12:30",
    "1.0",
    ".5",
    "yes",
    "no",
    "y",
    "n",
    "null",
    "~",
    "true",
    "",
]
HARMLESS = "harmless"


def of_a_workflow(field: str) -> Callable[[str], Any]:
    return lambda value: render.workflow(dataclasses.replace(PipelineOptions("vineyard"), **{field: value}))


def of_prepare(field: str) -> Callable[[str], Any]:
    return lambda value: render.prepare_job(dataclasses.replace(PipelineOptions(), **{field: value}))


MAKERS: dict[str, Callable[[str], Any]] = {
    **{
        f"workflow {field}": of_a_workflow(field)
        for field in (
            "namespace",
            "registry",
            "step_image",
            "run_id",
            "node",
            "cpu",
            "memory",
            "cache_policy",
            "runtime",
        )
    },
    **{f"prepare {field}": of_prepare(field) for field in ("namespace", "registry", "step_image", "run_id", "node")},
    "rbac": render.rbac,
    "volumes namespace": lambda value: render.volumes(VolumeOptions(value)),
    "volumes path": lambda value: render.volumes(VolumeOptions(host_path=f"/{value}")),
    "volumes nfs": lambda value: render.volumes(VolumeOptions(nfs=f"{value}:/{value}")),
    "vineyard": lambda value: render.vineyard(value, value, 2, value),
    "round trip": lambda value: render.round_trip_pod(value, "node", value, value),
    "clean-up": lambda value: render.clean_up_job(value, value, "run", value, node=value),
    "kind": lambda value: yaml.safe_load(render.kind_config(value, 2, Path("/", value), value)),
    "fluid": lambda value: yaml.safe_load(render.fluid_values(f"x{value}x")),
}


def exchanged(value: Any, old: str, new: str) -> Any:
    """`value` with `old` in its strings exchanged for `new`; keys stay."""
    if isinstance(value, dict):
        return {key: exchanged(inner, old, new) for key, inner in value.items()}
    if isinstance(value, list):
        return [exchanged(inner, old, new) for inner in value]
    # inside an annotation that is JSON itself, a string stands escaped once more
    escaped = json.dumps(old, ensure_ascii=False)[1:-1], json.dumps(new, ensure_ascii=False)[1:-1]
    return value.replace(*escaped).replace(old, new) if isinstance(value, str) else value


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("maker", MAKERS)
def test_a_value_changes_nothing_but_where_it_stands(maker: str, hostile: str) -> None:
    made = MAKERS[maker](hostile)
    assert exchanged(made, hostile, HARMLESS) == MAKERS[maker](HARMLESS)


@pytest.mark.parametrize("value", HOSTILE + AMBIGUOUS)
def test_what_is_printed_reads_back_as_it_was(value: str) -> None:
    manifest = {"metadata": {"labels": {"value": value}}, "list": [value, {"value": value}]}
    assert yaml.safe_load(render.to_yaml([manifest])) == manifest


@pytest.mark.parametrize("value", [value for value in AMBIGUOUS if value])
def test_a_string_that_some_parser_takes_for_something_else_is_quoted(value: str) -> None:
    assert render.to_yaml([{"value": value}]) == f"value: '{value}'\n"


@pytest.mark.parametrize("field", ["namespace", "registry", "step_image", "run_id", "node", "runtime", "memory"])
def test_an_expression_that_argo_would_fill_in_is_refused(field: str) -> None:
    with pytest.raises(UsageProblem, match="Argo would fill in"):
        of_a_workflow(field)("{{workflow.parameters.registry}}")


def test_a_value_that_a_template_misses_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="namespace"):
        document("webhook-probe")


@pytest.mark.parametrize("path", sorted(places.templates_dir().glob("*.yaml.j2")), ids=lambda path: path.name)
def test_no_template_can_be_rendered_without_its_values(path: Path) -> None:
    with pytest.raises(UndefinedError):
        document(path.name.removesuffix(".yaml.j2"))


def test_a_value_of_no_json_type_is_an_error() -> None:
    with pytest.raises(TypeError):
        quoted(Path("/data"))


@pytest.mark.parametrize("export", ["nas", "nas:", "nas:export", ":/export", "/export"])
def test_an_nfs_export_that_is_none_is_refused(export: str) -> None:
    with pytest.raises(UsageProblem, match="names no NFS export"):
        render.volumes(VolumeOptions(nfs=export))


def test_an_nfs_server_may_be_an_ipv6_address() -> None:
    volume, _ = render.volumes(VolumeOptions(nfs="[fd00::1]:/export/data"))
    assert volume["spec"]["nfs"] == {"server": "[fd00::1]", "path": "/export/data"}
