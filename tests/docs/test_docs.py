"""The documents tell what is true: links, options, exit codes, fields, command lines, and the example of a store."""

import ast
import dataclasses
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from fluidbench import comparison, errors, pins, records
from fluidbench.cli.main import app
from fluidbench.targets.cluster import current
from fluidbench.targets.cluster.bringup import status
from fluidbench.tools import docker, helm, kind

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
REFERENCE = ROOT / "docs" / "reference"
PROGRAM = typer.main.get_command(app)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ASSIGNMENT = re.compile(r"^[A-Z_]+=")
# only in the English README: its figures change
DEMO_TABLE = re.compile(r"<!-- demo table -->.*<!-- /demo table -->", re.DOTALL)
RECORDS = (
    records.Run, records.Identity, records.Step, records.Input, records.Fingerprint, records.Finding,
    comparison.Comparison, comparison.Arm, comparison.ArmStep, comparison.Compared, comparison.Single,
    current.Current, status.Status, status.NodeSeen, status.Part, status.Worker,
)  # fmt: skip
HOWTOS = sorted(path.name for path in (ROOT / "docs" / "howto").glob("*.md"))
CHINESE = ROOT / "docs" / "zh"
# an English document and its Chinese one
TRANSLATED = [(ROOT / "README.md", CHINESE / "README.md")] + [
    (ROOT / "docs" / "howto" / name, CHINESE / "howto" / name) for name in HOWTOS
]
DIAGNOSES = sorted((ROOT / "fluidbench" / "targets" / "cluster" / "diagnose").glob("*.py"))
# what nobody but its author has to do with
PRIVATE = re.compile(r"/(?:work|opt|root)/|/home/(?!me/)|\bpypi\b", re.IGNORECASE)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _prose(path: Path) -> str:
    return FENCE.sub("", _text(path))


def _anchors(path: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", _prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _blocks(path: Path) -> list[tuple[str, str]]:
    """The code that a document shows, without what comments say in one language or the other."""
    return [
        (language, re.sub(r" *#.*$", "", body, flags=re.MULTILINE) if language == "sh" else body)
        for language, body in FENCE.findall(DEMO_TABLE.sub("", _text(path)))
    ]


def _named_commands(path: Path) -> set[str]:
    return set(re.findall(r"`(fluidbench [^`]+)`", _prose(path)))


def _words(text: str) -> str:
    return re.sub(r"[^\w]+", " ", text).strip()


def _sentences(path: Path) -> Iterator[str]:
    """The longest fixed part of each message that a module raises as its first argument."""
    kinds = {kind.__name__ for kind in errors.FluidbenchError.__subclasses__()}
    for node in ast.walk(ast.parse(_text(path))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in kinds and node.args:
            parts = [one.value for one in ast.walk(node.args[0]) if isinstance(one, ast.Constant)]
            longest = max((_words(str(part)) for part in parts), key=len, default="")
            if len(longest) > 3:
                yield longest


def _links() -> Iterator[tuple[Path, str]]:
    for path in DOCUMENTS:
        for target in re.findall(r"\]\(([^)\s]+)\)", _prose(path)):
            if not target.startswith(("http://", "https://")):
                yield path, target


def _shell_lines(path: Path) -> Iterator[str]:
    for language, body in FENCE.findall(_text(path)):
        if language == "sh":
            yield from body.replace("\\\n", " ").splitlines()
    # in a table a bar is escaped
    yield from (line.replace("\\|", "|") for line in re.findall(r"`(fluidbench [^`]+)`", _prose(path)))


def _command_lines() -> list[str]:
    """Every `fluidbench ...` that the documents show, once."""
    found = {}
    for path in DOCUMENTS:
        for line in _shell_lines(path):
            words = shlex.split(re.split("[|>]", line)[0], comments=True)
            while words and ASSIGNMENT.match(words[0]):
                words.pop(0)
            if words[:1] == ["fluidbench"] and words[1:] and "COMMAND" not in words:
                found[shlex.join(words[1:])] = path
    return sorted(found)


def _parse(words: list[str]) -> None:
    """Parses a command line as the program does, and runs nothing."""
    with PROGRAM.make_context("fluidbench", list(words), resilient_parsing=words[0].startswith("-")) as context:
        if words[0].startswith("-"):
            return
        name, command, rest = PROGRAM.resolve_command(context, list(words))
        command.make_context(name, rest, parent=context).close()


def _section(text: str, heading: str) -> str:
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def _file_in(document: Path, name: str) -> str:
    match = re.search(rf"<!-- file: {re.escape(name)} -->\n```python\n(.*?)^```$", _text(document), re.M | re.S)
    assert match, f"{document.name} does not show {name}"
    return match[1]


@pytest.mark.parametrize(("path", "target"), list(_links()), ids=str)
def test_a_link_leads_to_a_document_and_a_heading_that_exist(path: Path, target: str) -> None:
    name, _, anchor = target.partition("#")
    linked = (path.parent / name).resolve() if name else path
    assert linked.exists()
    assert not anchor or anchor in _anchors(linked)


@pytest.mark.parametrize(("english", "chinese"), TRANSLATED, ids=lambda path: path.name)
def test_a_document_and_its_chinese_one_lead_to_each_other(english: Path, chinese: Path) -> None:
    there = os.path.relpath(chinese, english.parent)
    back = os.path.relpath(english, chinese.parent)
    assert f"[中文]({there})" in _text(english).partition("\n## ")[0]
    assert f"[English]({back})" in _text(chinese).partition("\n## ")[0]


@pytest.mark.parametrize(("english", "chinese"), TRANSLATED, ids=lambda path: path.name)
def test_a_chinese_document_shows_the_same_code_and_commands(english: Path, chinese: Path) -> None:
    assert _blocks(chinese) == _blocks(english)
    assert _named_commands(chinese) == _named_commands(english)


@pytest.mark.parametrize(("english", "chinese"), TRANSLATED, ids=lambda path: path.name)
def test_a_chinese_document_has_the_same_sections_and_tables(english: Path, chinese: Path) -> None:
    def shape(path: Path) -> list[str]:
        lines = DEMO_TABLE.sub("", _prose(path)).splitlines()
        return [re.sub(r"^(#+ |\|).*", r"\1", line) for line in lines if line.startswith(("#", "|"))]

    assert shape(chinese) == shape(english)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_document_names_no_place_of_its_author(path: Path) -> None:
    assert PRIVATE.findall(_text(path)) == []


@pytest.mark.parametrize("name", sorted(PROGRAM.commands))
def test_every_option_of_a_command_is_in_its_section(name: str) -> None:
    section = _section(_text(REFERENCE / "cli.md"), name)
    assert f"fluidbench {name}" in section
    options = [option for parameter in PROGRAM.commands[name].params for option in parameter.opts if option[0] == "-"]
    assert [option for option in options if f"`{option}`" not in section] == []


def test_every_option_of_the_program_itself_is_described() -> None:
    head = _text(REFERENCE / "cli.md").partition("\n## ")[0]
    options = [option for parameter in PROGRAM.params for option in parameter.opts]
    assert [option for option in options if f"`{option}`" not in head] == []


def test_no_section_describes_an_option_that_no_command_has() -> None:
    commands = (PROGRAM, *PROGRAM.commands.values())
    known = {option for command in commands for parameter in command.params for option in parameter.opts}
    shown = set(re.findall(r"`(--?[a-z][a-z0-9-]*)", _prose(REFERENCE / "cli.md")))
    assert shown - known <= {"--help", "-h"}


@pytest.mark.parametrize("kind", errors.FluidbenchError.__subclasses__(), ids=lambda kind: kind.__name__)
def test_every_class_of_error_has_a_row_with_its_exit_code_and_word(kind: type[errors.FluidbenchError]) -> None:
    assert f"| {kind.exit_code} | `{kind.code}` | `{kind.__name__}` |" in _text(REFERENCE / "exit-codes.md")


@pytest.mark.parametrize("code", [70, 130, 141, errors.Terminated.exit_code])
def test_every_other_exit_code_has_a_row(code: int) -> None:
    assert f"\n| {code} |" in _text(REFERENCE / "exit-codes.md")


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_every_field_of_a_record_is_in_the_reference(record: Any) -> None:
    shown = _text(REFERENCE / "json.md")
    assert [field.name for field in dataclasses.fields(record) if f"`{field.name}`" not in shown] == []


def test_every_variable_that_a_step_is_told_by_is_in_the_contract() -> None:
    sources = [*ROOT.glob("steps/**/*.py"), ROOT / "fluidbench" / "targets" / "local" / "step_process.py"]
    named = {name for path in sources for name in re.findall(r"\"(FLUIDBENCH_[A-Z_]+)\"", _text(path))}
    shown = _text(REFERENCE / "step-contract.md")
    assert [name for name in sorted(named) if f"`{name}`" not in shown] == []


@pytest.mark.parametrize("line", _command_lines())
def test_a_command_line_in_the_documents_parses(line: str) -> None:
    _parse(shlex.split(line))


def test_a_wrong_command_line_would_be_found() -> None:
    with pytest.raises(Exception, match="No such option"):
        _parse(["run", "--no-such-option"])


@pytest.mark.parametrize("path", DIAGNOSES, ids=lambda path: path.name)
def test_every_diagnosis_of_a_cluster_is_in_the_troubleshooting(path: Path) -> None:
    shown = _words(_text(ROOT / "docs" / "troubleshooting.md"))
    assert [sentence for sentence in _sentences(path) if sentence not in shown] == []


@pytest.mark.parametrize("tool", [docker, kind, helm], ids=lambda tool: tool.__name__.rpartition(".")[2])
def test_every_known_failure_of_a_tool_is_in_the_troubleshooting(tool: Any) -> None:
    shown = _words(_text(ROOT / "docs" / "troubleshooting.md"))
    assert [known.message for known in tool.KNOWN if _words(known.message) not in shown] == []


def test_the_page_for_machines_without_a_network_names_every_image_and_file_that_is_pinned() -> None:
    commands = "\n".join(body for _, body in _blocks(ROOT / "docs" / "howto" / "offline.md"))
    images = {pins.KUBERNETES_NODE_IMAGE, *pins.FLUID_IMAGES, *pins.VINEYARD_IMAGES, *pins.ARGO_IMAGES}
    assert set(re.findall(r"^docker pull (\S+)$", commands, re.MULTILINE)) == images
    assert [image for image in images if commands.count(image) != 2] == []
    assert pins.FLUID_CHART in commands
    assert pins.ARGO_MANIFEST in commands


def test_every_make_target_in_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", _text(ROOT / "Makefile"), re.MULTILINE))
    shown = {name for path in DOCUMENTS for name in re.findall(r"(?:`|^)make ([a-z-]+)", _text(path), re.MULTILINE)}
    assert shown
    assert shown <= targets


def test_the_readme_is_short_and_has_a_place_for_the_table() -> None:
    text = _text(ROOT / "README.md")
    assert len(text.splitlines()) <= 140
    assert "<!-- demo table -->" in text.partition("<!-- /demo table -->")[0]


@pytest.mark.skipif(sys.platform != "linux", reason="the local target needs Linux")
def test_the_example_of_a_store_runs_as_shown(tmp_path: Path) -> None:
    document = ROOT / "docs" / "howto" / "add-a-store.md"
    for name in ("gzip_store.py", "gzip_step_store.py"):
        (tmp_path / name).write_text(_file_in(document, name), encoding="utf-8")
    shown = re.search(r"<!-- run -->\n```sh\n(.*?)\n```$", _text(document), re.MULTILINE)
    assert shown
    variable, program, *arguments = shlex.split(shown[1])
    assert (variable, program) == ("PYTHONPATH=.", "fluidbench")
    homes = {f"XDG_{kind}_HOME": str(tmp_path / kind) for kind in ("STATE", "DATA", "CACHE")}
    # -P: like the console script, the program does not find modules in the current directory by itself
    done = subprocess.run(
        [sys.executable, "-P", "-m", "fluidbench", *arguments, "--storage-bandwidth", "50MB/s", "--json"],
        cwd=tmp_path, env=os.environ | homes | {"PYTHONPATH": "."}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (run,) = json.loads(done.stdout)["runs"]
    assert run["identity"]["store"] == "gzip_store:GzipStore"
    assert run["results"]["mse"] == pytest.approx(46782242342.25459, rel=1e-9)
    prepared, trained, _ = run["steps"]
    assert [entry["name"] for entry in trained["inputs"]] == ["X_train", "y_train"]
    # it does compress, and takes part in an emulated storage
    assert prepared["written_bytes"] < prepared["read_bytes"] / 2
    assert prepared["phases"]["load"] >= prepared["read_bytes"] / 50e6 - 0.02
