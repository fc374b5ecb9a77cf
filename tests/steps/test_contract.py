import json
import subprocess
import sys
from pathlib import Path

import pytest

import contract
from fluidbench import plan
from fluidbench.places import steps_dir


def test_the_published_arguments_are_understood() -> None:
    told = contract.parameters(["--data_multiplier=2000", "--with_vineyard=True"], {})
    assert (told.multiplier, told.store) == (2000, "vineyard")


@pytest.mark.parametrize("word", ["False", "false", "0", "no", "off"])
def test_with_vineyard_false_is_false(word: str) -> None:
    assert contract.parameters([f"--with_vineyard={word}"], {}).store == "pickle"


def test_what_the_environment_says_is_taken() -> None:
    told = contract.parameters([], {
        "FLUIDBENCH_MULTIPLIER": "7", "FLUIDBENCH_STORE": "vineyard", "FLUIDBENCH_DATA_DIR": "/mnt/a b",
        "FLUIDBENCH_RUN_ID": "r1", "FLUIDBENCH_SPAWNED_AT": "12.5", "FLUIDBENCH_CACHE_POLICY": "warm",
        "FLUIDBENCH_REPORT": "/tmp/r.json",
    })  # fmt: skip
    assert (told.multiplier, told.store, told.cache_policy, told.spawned_at) == (7, "vineyard", "warm", 12.5)
    assert (told.dataset, told.model) == (Path("/mnt/a b/df_7.pkl"), Path("/mnt/a b/exchange/r1/model.pkl"))


def test_a_container_starts_with_nothing_but_the_published_arguments() -> None:
    told = contract.parameters([], {})
    assert (told.data_dir, told.store, told.cache_policy) == (Path("/data"), "pickle", "cold")


@pytest.mark.parametrize(
    ("argv", "environ", "said"),
    [
        ([], {"FLUIDBENCH_CONTRACT": "2"}, "version 1 of the step contract, FluidBench asked for 2"),
        (["--data_multiplier=many"], {}, "invalid int value"),
        (["--frob"], {}, "unrecognized arguments"),
    ],
)
def test_a_wrong_word_ends_the_step_with_2(
    argv: list[str], environ: dict, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        contract.parameters(argv, environ)
    assert caught.value.code == 2
    assert said in capsys.readouterr().err


def test_fluidbench_and_the_steps_speak_the_same_version() -> None:
    assert contract.CONTRACT_VERSION == plan.STEP_CONTRACT_VERSION


def test_the_start_of_the_process_is_known_without_being_told() -> None:
    code = "import time, contract; print(time.monotonic() - contract.parameters([], {}).spawned_at)"
    done = subprocess.run(
        [sys.executable, "-c", f"import time; time.sleep(0.5); {code}"],
        capture_output=True, text=True, cwd=steps_dir(), check=True,
    )  # fmt: skip
    assert 0.48 <= float(done.stdout) < 60


BODY = """
import contract, time, warnings
with contract.measured("train-data", []) as step:
    warnings.warn("a library's, when it is imported")
    step.started()
    with step.phase("compute"):
        time.sleep(0.05)
    with step.phase("compute"):
        time.sleep(0.05)
    {more}
"""


def measured(tmp_path: Path, more: str) -> tuple["subprocess.CompletedProcess[str]", dict]:
    report = tmp_path / "report.json"
    env = {"FLUIDBENCH_REPORT": str(report), "FLUIDBENCH_DATA_DIR": str(tmp_path), "PYTHONPATH": str(steps_dir())}
    done = subprocess.run(
        [sys.executable, "-c", BODY.format(more=more)], env=env, capture_output=True, text=True, check=False
    )
    return done, json.loads(report.read_text())


def test_a_phase_that_is_entered_again_goes_on_adding_up(tmp_path: Path) -> None:
    done, report = measured(tmp_path, "pass")
    assert done.returncode == 0
    assert list(report["phases"]) == ["startup", "compute"]
    assert 0.1 <= report["phases"]["compute"] < 5
    assert [line.split()[1] for line in done.stdout.splitlines()] == ["startup", "compute", "compute"]
    assert not list(tmp_path.glob("*.partial"))


def test_a_step_that_raises_still_reports_its_phases_and_says_why(tmp_path: Path) -> None:
    done, report = measured(tmp_path, "raise OSError(28, 'No space left on device')")
    assert done.returncode == 1
    assert report["error"] == {"type": "OSError", "message": "[Errno 28] No space left on device", "errno": 28}
    assert "compute" in report["phases"]
    assert "Traceback" in done.stderr


def test_warnings_of_the_work_are_kept_in_the_report_once_and_those_of_imports_are_not(tmp_path: Path) -> None:
    twice = "[warnings.warn('careful') for _ in range(2)]; warnings.warn('old', DeprecationWarning)"
    _, report = measured(tmp_path, twice)
    assert report["warnings"] == ["careful"]


def test_numbers_of_numpy_are_told_as_numbers(tmp_path: Path) -> None:
    told = "import numpy as np; step.results |= {'n': np.int64(3), 'x': np.float32(0.5), 'many': np.arange(3)}"
    done, report = measured(tmp_path, told)
    assert done.returncode == 0
    assert {name: report["results"][name] for name in ("n", "x", "many")} == {"n": 3, "x": 0.5, "many": [0, 1, 2]}


@pytest.mark.parametrize("wrong", ["{'model': step}", "{'counts': {(1, 2): 3}}"])
def test_a_result_that_is_none_fails_the_step_with_a_report(tmp_path: Path, wrong: str) -> None:
    done, report = measured(tmp_path, f"step.results |= {wrong}")
    assert done.returncode == 1
    assert report["error"]["type"] == "TypeError"
    assert "compute" in report["phases"]


OWN = """
import contract, pandas
with contract.measured("own", []) as step:
    {first}
    {then}
"""


@pytest.mark.parametrize(
    ("first", "then", "said"),
    [
        ("pass", "pass", "RuntimeError: the step never called started()"),
        ("step.started()", "step.load('rows')", "ValueError: started(tables=[...]) did not name rows"),
        ("step.started()", "step.save({'row': pandas.Series([1])})", "pipeline.toml does not say that own saves row"),
    ],
)
def test_a_step_that_forgets_to_say_something_is_told(tmp_path: Path, first: str, then: str, said: str) -> None:
    code = OWN.format(first=first, then=then)
    env = {
        "FLUIDBENCH_REPORT": str(tmp_path / "report.json"), "FLUIDBENCH_DATA_DIR": str(tmp_path),
        "PYTHONPATH": str(steps_dir()), "FLUIDBENCH_SAVES": "rows",
    }  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert said in done.stderr
    assert json.loads((tmp_path / "report.json").read_text())["error"]["message"] in done.stderr


def test_connecting_belongs_to_the_startup_of_a_step_that_saves(tmp_path: Path) -> None:
    code = OWN.format(first="step.started()", then="print('connected', step._store is not None)")
    env = {"FLUIDBENCH_REPORT": str(tmp_path / "report.json"), "FLUIDBENCH_DATA_DIR": str(tmp_path)}
    env |= {"PYTHONPATH": str(steps_dir())}
    for saves, connected in (("rows", True), ("", False)):
        done = subprocess.run(
            [sys.executable, "-c", code], env=env | {"FLUIDBENCH_SAVES": saves},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert f"connected {connected}" in done.stdout


NARROW = """
import imports, sys
imports.install()
imports.linear_regression()
assert "sklearn.linear_model._logistic" not in sys.modules
from sklearn.ensemble import StackingRegressor
from sklearn.linear_model import *
from sklearn.model_selection import KFold
assert LinearRegression is imports.linear_regression()
assert LogisticRegression().fit([[0], [1]], [0, 1]).predict([[1]]) == [1]
assert KFold(2).get_n_splits() == 2
"""


def test_a_step_of_anybody_s_may_import_all_of_scikit_learn() -> None:
    done = subprocess.run(
        [sys.executable, "-c", NARROW], cwd=steps_dir(), capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
