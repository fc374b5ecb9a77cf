"""Templates to YAML and back: every value is quoted, and one that is missing is an error."""

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Undefined

from fluidbench.errors import UsageProblem
from fluidbench.places import templates_dir

Manifest = dict[str, Any]
# no folding: a long line is one difference, and one thing to find
WIDTH = 1 << 16
# what YAML does not take inside quotes, or takes for a line break
_ESCAPED = re.compile("[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
# what PyYAML writes without quotes and another parser takes for a number or a truth value: 1e3, 0o17, y
_AMBIGUOUS = re.compile(r"[-+]?[0-9.][0-9a-fA-FxXoO_.:eE+-]*|[yYnN]")


def documents(template: str, **values: object) -> list[Manifest]:
    """The manifests that a template makes of `values`."""
    return [manifest for manifest in yaml.safe_load_all(text(template, **values)) if manifest]


def document(template: str, **values: object) -> Manifest:
    """The one manifest that a template makes of `values`."""
    (manifest,) = documents(template, **values)
    return manifest


def text(template: str, **values: object) -> str:
    """The text that a template makes of `values`, with its comments."""
    return _environment().get_template(f"{template}.yaml.j2").render(**values)


def to_yaml(manifests: Iterable[Mapping[str, Any]]) -> str:
    """Manifests as YAML that every parser reads alike, whatever it takes for a number or a truth value."""
    return yaml.dump_all(
        manifests, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH, default_flow_style=False
    )


def plain(value: str, what: str) -> str:
    """`value`, which goes into a Workflow; raises UsageProblem where Argo would take it for an expression."""
    if "{{" in value:
        raise UsageProblem(f"the {what} {value!r} holds '{{{{', which Argo would fill in", f"Name another {what}.")
    return value


def quoted(value: object) -> str:
    """`value` as one YAML scalar or flow collection, on one line."""
    if isinstance(value, Undefined):
        return str(value)  # raises: it is a StrictUndefined
    return _ESCAPED.sub(_escape, json.dumps(value, ensure_ascii=False))


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found.group()):04x}"


@cache
def _environment() -> Environment:
    environment = Environment(  # noqa: S701 - no HTML: `quoted` is the escaping
        loader=FileSystemLoader(templates_dir()),
        undefined=StrictUndefined,
        finalize=quoted,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # one of them is called `namespace`: where that value were missing, Jinja's would take its place
    environment.globals.clear()
    return environment


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _string(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    # escapes exist in double quotes only
    style = '"' if _ESCAPED.search(value) else "'" if _AMBIGUOUS.fullmatch(value) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _string)
