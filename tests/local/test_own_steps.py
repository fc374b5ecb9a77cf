"""Steps of a user's own, really run: through several stores, and when they fail."""

import json
from pathlib import Path

import pytest

from support.own_steps import DESCRIBED, MAKE_ROWS, SUM_UP, write
from support.program import Outcome, Program

NAME = "meine Schritte 中文"
SLOW = "support.odd_stores:Slow"
STRINGS = MAKE_ROWS.replace('"small": np', '"text": "some text", "small": np')
READING = """
import contract

with contract.measured("make-rows") as step:
    import pandas as pd

    step.started(files=[step.told.dataset])
    with step.phase("load"):
        rows = pd.read_pickle(step.told.dataset)[["GrLivArea", "MoSold"]]
    with step.phase("compute"):
        rows = rows.set_axis(["number", "small"], axis=1)
    step.save({"rows": rows})
    (step.told.run_dir / "note").write_text("read me")
    step.saved_file(step.told.run_dir / "note")
"""


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Program, Outcome]:
    """A round through three stores, of steps in a directory that is named from where the program is started."""
    program = Program(tmp_path_factory.mktemp("own"))
    write(program.home / NAME)
    ended = compare(program, "--rounds", "1")
    assert ended.returncode == 0, ended.stderr
    return program, ended


def compare(program: Program, *more: str) -> Outcome:
    stores = f"pickle,vineyard,{SLOW}"
    return program("compare", "--steps", f"./{NAME}/", "-m", "3", "--stores", stores, "--json", *more)


def test_own_steps_compute_the_same_through_every_store(compared) -> None:
    program, ended = compared
    assert (ended.json["rounds"], ended.json["equivalent"]) == (1, True)
    identity = ended.json["identity"]
    assert (identity["pipeline"], identity["rows"], identity["dataset_digest"]) == ("own:squares", 0, "")
    assert [step["name"] for step in ended.json["arms"][0]["steps"]] == ["make-rows", "sum-up"]
    assert list(program.data.iterdir()) == []


def test_what_two_steps_tell_by_the_same_name_is_kept_apart(compared) -> None:
    runs = compared[0]("history", "--json").json["runs"]
    assert len(runs) == 6
    for run in runs:
        told = run["results"]
        assert (told["make-rows.count"], told["sum-up.count"]) == (30_000, 30_000)
        assert told["sums"][0] == pytest.approx(9997.0, abs=50)
        assert told["sums"][1] == sum(range(30_000))
        assert len(told["digest_rows"]) == 32
    assert len({run["results"]["digest"] for run in runs}) == 1


def test_phases_bytes_and_cache_are_those_of_any_step(compared) -> None:
    runs = {run["identity"]["store"]: run for run in compared[0]("history", "--json").json["runs"]}
    for store, cache in (("pickle", "cold"), ("vineyard", "memory")):
        made, summed = runs[store]["steps"]
        assert list(made["phases"]) == ["startup", "compute", "save", "exit"]
        assert list(summed["phases"]) == ["startup", "load", "touch", "compute", "exit"]
        assert summed["inputs"] == [{"name": "rows", "bytes": made["written_bytes"], "cache": cache}]
        assert made["written_bytes"] == pytest.approx(300_000, rel=0.01)
        assert summed["results"]["digest_rows"]


def test_people_see_the_name_of_the_pipeline_and_its_results(compared) -> None:
    program, _ = compared
    table = program("compare", "--steps", NAME, "-m", "3", "--stores", "pickle,vineyard", "--no-run").stdout
    assert "Multiplier 3, pipeline own:squares, 1 whole round" in table
    listed = program("history").stdout
    assert "3, own:squares" in listed
    shown = program("history", listed.split()[listed.split().index("pickle") - 1]).stdout
    assert "sum-up.count: 30000" in shown
    assert "Multiplier:  3\n" in shown


def test_doctor_tells_how_far_they_fit(compared) -> None:
    ended = compared[0]("doctor", "--steps", NAME, "-m", "3", "--json")
    assert ended.returncode == 0, ended.stderr
    [fit] = [finding for finding in ended.json["findings"] if "own:squares" in finding["what"]]
    assert "fits: memory" in fit["found"]


def test_steps_that_changed_are_not_compared_with_what_they_were(compared) -> None:
    program, _ = compared
    other = program.home / NAME / "sizes_of_mine.py"
    before = other.read_bytes()
    other.write_bytes(before + b"# more\n")
    changed = compare(program, "--no-run").json
    other.write_bytes(before)
    assert (changed["rounds"], changed["not_comparable"]) == (0, {"another code version": 3})
    assert compare(program, "--no-run").json["rounds"] == 1


def test_steps_may_read_the_dataset_and_write_files(ready: Program) -> None:
    described = "reads_dataset = true\n" + DESCRIBED
    write(ready.home / NAME, described, make_rows=READING)
    ended = ready("run", "--steps", NAME, "-m", "1", "--vineyard", "--json")
    assert ended.returncode == 0, ended.stderr
    [run] = ended.json["runs"]
    facts = json.loads((ready.data / "df_1.json").read_text())
    assert (run["identity"]["rows"], run["identity"]["dataset_digest"]) == (10_000, facts["digest"])
    assert [entry["name"] for entry in run["steps"][0]["inputs"]] == ["df_1.pkl"]
    assert run["steps"][0]["written_bytes"] == 10_000 * 16 + len("read me")
    assert list(ready.data.glob("exchange*")) == []


@pytest.mark.parametrize(
    ("store", "scripts", "step", "said"),
    [
        ("pickle", {"sum_up": SUM_UP.replace("squares.sum()", "no_such_name")}, "sum-up", "NameError"),
        ("pickle", {"sum_up": "raise SystemExit(3)"}, "sum-up", "exit code 3"),
        ("vineyard", {"make_rows": STRINGS}, "make-rows", "vineyard holds numbers and times, not str"),
        ("vineyard", {"sizes_of_mine": "ROWS = 20_000_000"}, "make-rows", "Not enough memory"),
    ],
)
def test_a_step_that_fails_is_told_with_its_log(program: Program, store: str, scripts, step: str, said: str) -> None:
    write(program.home / NAME, **scripts)
    ended = program("run", "--steps", NAME, "-m", "1", "--store", store, "--json")
    error = ended.json["error"]
    assert (ended.returncode, error["code"]) == (6, "step_failed")
    assert f"{step} failed: " in error["message"]
    assert said.lower() in error["message"].lower()
    assert Path(error["hint"].removeprefix("The whole log: ")).name == f"{step}.log"
    assert list(program.data.glob("exchange*")) == []


def test_texts_go_through_files(program: Program) -> None:
    write(program.home / NAME, make_rows=STRINGS)
    stores = "pickle,arrow,parquet"
    ended = program("compare", "--steps", NAME, "-m", "1", "--stores", stores, "--rounds", "1", "--json")
    assert ended.returncode == 0, ended.stderr
    assert ended.json["equivalent"] is True


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("run", "--steps", "nowhere"), "pipeline.toml cannot be read"),
        (("run", "--steps", NAME, "--target", "cluster"), "--steps is for runs on this machine"),
        (("compare", "--steps", NAME, "--target", "cluster"), "--steps is for runs on this machine"),
        (("doctor", "--steps", NAME, "--target", "cluster"), "--steps is for runs on this machine"),
        (("run", "--steps", NAME, "--pipeline", "lean"), "--pipeline lean and --steps contradict each other"),
    ],
)
def test_what_cannot_be_is_a_wrong_usage(cli, tmp_path: Path, monkeypatch, argv: tuple[str, ...], said: str) -> None:
    write(tmp_path / NAME)
    monkeypatch.chdir(tmp_path)
    ended = cli(*argv)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
