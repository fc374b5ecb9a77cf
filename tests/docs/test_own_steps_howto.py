"""The pipeline that docs/howto/own-steps.md takes a reader through, run as shown."""

import re
import shlex
import sys
from pathlib import Path

import pytest

from fluidbench import own_steps
from fluidbench.needs import needs
from fluidbench.plan import Plan
from support.program import Outcome, Program

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "howto" / "own-steps.md"
FILE = re.compile(r"<!-- file: (\S+) -->\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"<!-- run -->\n```sh\nfluidbench (.*?)\n```$", re.MULTILINE)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the local target needs Linux")


def write(directory: Path) -> None:
    directory.mkdir()
    for name, content in FILE.findall(DOCUMENT.read_text(encoding="utf-8")):
        (directory / name).write_text(content, encoding="utf-8")


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> list[Outcome]:
    """What the commands told, in the order in which they stand."""
    program = Program(tmp_path_factory.mktemp("reader"))
    write(program.home / "shop")
    commands = COMMAND.findall(DOCUMENT.read_text(encoding="utf-8"))
    return [program(*shlex.split(command), "--json") for command in commands]


def test_the_example_runs_through_files(shown: list[Outcome]) -> None:
    assert shown[0].returncode == 0, shown[0].stderr
    [run] = shown[0].json["runs"]
    assert run["identity"]["pipeline"] == "own:shop-sessions"
    assert run["results"]["events"] == 250_000
    # 31,250 visits, of which few have no event, or one that ends the session
    assert 30_000 < run["results"]["sessions"] < 32_000
    assert 0 < run["results"]["odd"] <= 0.0101 * run["results"]["sessions"]
    assert run["steps"][2]["written_bytes"] > 10_000


def test_the_example_is_the_same_through_vineyard(shown: list[Outcome]) -> None:
    assert shown[1].returncode == 0, shown[1].stderr
    compared = shown[1].json
    assert (compared["rounds"], compared["equivalent"]) == (1, True)
    assert [arm["store"] for arm in compared["arms"]] == ["pickle", "vineyard"]


def test_the_sizes_that_the_example_declares_are_those_that_it_has(shown: list[Outcome]) -> None:
    text = dict(FILE.findall(DOCUMENT.read_text(encoding="utf-8")))["pipeline.toml"]
    declared = {name: int(count) for name, count in re.findall(r"^(events|sessions) = ([\d_]+)$", text, re.MULTILINE)}
    [run] = shown[0].json["runs"]
    rows = {"events": run["results"]["events"], "sessions": run["results"]["sessions"]}
    for step, table in ((1, "events"), (2, "sessions")):
        [entry] = [entry for entry in run["steps"][step]["inputs"] if entry["name"] == table]
        assert declared[table] == pytest.approx(entry["bytes"] + 8 * rows[table], rel=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("store", ["pickle", "vineyard"])
def test_what_the_example_says_it_takes_is_what_it_takes(tmp_path: Path, store: str) -> None:
    program = Program(tmp_path)
    write(tmp_path / "shop")
    ended = program("run", "--steps", "shop", "--store", store, "-m", "20", "--json")
    assert ended.returncode == 0, ended.stderr
    plan = Plan(store, 20, pipeline=own_steps.read(tmp_path / "shop"))
    measured = max(step["peak_private_bytes"] for step in ended.json["runs"][0]["steps"])
    assert needs(plan).private_bytes == pytest.approx(measured, rel=0.15)
