"""One experiment, killed and interrupted on its way, then finished; and what is made of it. All with the real program.

Its second store is a second slower in loading one table: a known delay, that has to be found.
"""

import dataclasses
import re
import shutil
import signal
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fluidbench.machine.owners import this_process
from fluidbench.results import Results
from support.program import Outcome, Program, Watch, gone_within

SLOW = "support.odd_stores:Slow"
ARGV = ("compare", "--multiplier", "1", "--stores", f"pickle,{SLOW}", "--threads", "1")


@dataclass
class History:
    """What became of the experiment, command after command."""

    program: Program
    killed: Watch
    interrupted: Outcome
    finished: Outcome
    runs: list[dict] = field(default_factory=list)


def stopped_at(program: Program, pattern: str, number: int, *argv: str) -> tuple[Outcome, Watch]:
    """Runs a comparison until it announces a run like `pattern` and its first step runs, and sends it a signal."""
    process = program.start(*ARGV, *argv)
    with Watch(process.pid) as watch:
        assert process.stderr
        said = ""
        while not re.search(rf"{pattern}[^●]*●", said):
            line = process.stderr.readline()
            assert line, said
            said += line
        process.send_signal(number)
        stdout, rest = process.communicate(timeout=120)
    return Outcome(process.returncode, stdout, said + rest), watch


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    program = Program(tmp_path_factory.mktemp("experiments"))
    _, killed = stopped_at(program, "round 1 of 3; .*median", signal.SIGKILL, "--rounds", "3")
    interrupted, _ = stopped_at(program, "round 2 of 3", signal.SIGINT, "--json")
    finished = program(*ARGV, "--rounds", "3")
    runs = program("history", "--limit", "99", "--json").json["runs"][::-1]
    return History(program, killed, interrupted, finished, runs)


def of_round(runs: list[dict], number: int) -> list[tuple[str, str]]:
    return [(run["identity"]["store"], run["state"]) for run in runs if run["round"] == number]


@pytest.mark.timeout(900)
def test_after_kill_9_the_torn_round_is_repeated_whole_in_the_same_order(history: History) -> None:
    assert gone_within(history.killed, 2)
    assert "was interrupted and goes on in its order: 1, 2, 3." in history.interrupted.stderr
    first = of_round(history.runs, 1)
    assert [state for _, state in first] == ["Succeeded", "Error", "Succeeded", "Succeeded"]
    assert first[0][0] == first[2][0]
    assert first[1][0] == first[3][0]


def test_ctrl_c_ends_with_the_comparison_of_what_there_is_and_130(history: History) -> None:
    assert history.interrupted.returncode == 130
    shown = history.interrupted.json
    assert (shown["rounds"], shown["error"]["code"]) == (1, "interrupted")
    assert [len(arm["runs"]) for arm in shown["arms"]] == [1, 1]


def test_the_experiment_is_one_with_one_seed_and_all_its_rounds(history: History) -> None:
    assert history.finished.returncode == 0, history.finished.stderr
    assert len({run["experiment_id"] for run in history.runs}) == 1
    assert len({run["seed"] for run in history.runs}) == 1
    assert [run["round"] for run in history.runs if run["warmup"]] == [0] * 6
    assert "3 whole rounds" in history.finished.stdout
    assert "Cache: cold, " in history.finished.stdout
    assert "Margin: 2 %, not measured here" in history.finished.stdout


def test_without_a_terminal_each_run_begins_with_a_line_of_progress(history: History) -> None:
    last = [line for line in history.finished.stderr.splitlines() if "round 3 of 3" in line][-1]
    assert last.startswith("multiplier 1 through ")
    assert f"{SLOW} " in last
    assert "(median " in last
    assert " left" in last


def shown(history: History, *argv: str) -> Outcome:
    return history.program(*ARGV, "--no-run", "--json", *argv)


def test_a_known_delay_is_found_where_it_was_put_with_an_interval_that_covers_it(history: History) -> None:
    found = {entry["scope"]: entry for entry in shown(history).json["comparisons"]}
    load = found["step:train-data/phase:load"]
    assert load["verdict"] == "slower"
    runs = {run["run_id"]: run for run in history.runs}
    files, slow = (arm["runs"] for arm in shown(history).json["arms"])
    loads = [runs[run]["steps"][1]["phases"]["load"] for run in files]
    assert all(runs[run]["steps"][1]["phases"]["load"] > 1.0 for run in slow)
    usual = sorted(loads)[1]
    assert load["interval"][0] <= usual / (usual + 1.0) <= load["interval"][1]
    assert -2.0 < load["saving_s"] < -0.9


def test_the_savings_of_a_real_experiment_add_up(history: History) -> None:
    savings = {entry["scope"]: entry["saving_s"] for entry in shown(history).json["comparisons"]}
    for prefix in ("step:", "phase:"):
        parts = sum(value for scope, value in savings.items() if scope.startswith(prefix) and "/" not in scope)
        assert savings["total"] == pytest.approx(parts + savings["unaccounted"], abs=1e-6)


def test_what_the_machine_did_meanwhile_is_among_the_readings_of_a_run(history: History) -> None:
    readings = next(run["readings"] for run in history.runs if run["state"] == "Succeeded")
    assert 0 <= readings["cpu_steal_share"] <= 1


def with_earlier(history: History, home: Path, factor: float) -> Program:
    """A copy of the home, with an experiment `before` in which everything took `factor` of the time."""
    shutil.copytree(history.program.home, home)
    program = Program(home)
    with Results(program.state / "results.db") as results:
        [planned] = results.experiments_of(1)
        results.add_experiment(dataclasses.replace(planned, experiment_id="before", started_at="2020"))
        for run in results.runs_of_experiment(planned.experiment_id):
            copy = dataclasses.replace(
                run, run_id=f"before-{run.run_id}", experiment_id="before", started_at=f"2020{run.started_at[4:]}",
                duration_s=run.duration_s * factor,
            )  # fmt: skip
            results.begin(copy, this_process(), ())
    return program


def test_an_arm_that_takes_fifty_times_as_long_as_before_exits_with_9(history: History, tmp_path: Path) -> None:
    program = with_earlier(history, tmp_path / "home", 0.02)
    argv = (*ARGV, "--no-run", "--json", "--against", "before")
    ended = program(*argv, "--fail-over", "5%")
    assert (ended.returncode, ended.json["error"]["code"]) == (9, "slower")
    [change] = ended.json["against"]
    assert (change["arm"], change["experiment_id"], change["rounds_now"]) == (SLOW, "before", 3)
    assert change["ratio"] == pytest.approx(50)
    assert ended.json["rounds"] == 3
    assert program(*argv).returncode == 0


def test_an_arm_that_is_as_it_was_before_exits_with_0(history: History, tmp_path: Path) -> None:
    program = with_earlier(history, tmp_path / "home", 1.0)
    ended = program(*ARGV, "--no-run", "--against", "before", "--fail-over", "5%")
    assert ended.returncode == 0, ended.stderr
    assert "1.00 times as long as in experiment before" in ended.stdout


def test_a_million_rounds_are_asked_for_with_the_hours_that_they_take(history: History) -> None:
    ended = history.program(*ARGV, "--rounds", "1000000")
    assert ended.returncode == 2
    assert "to be run: 999997; about " in ended.stderr
    assert " h and there is no terminal to ask" in ended.stderr.replace(",", "")


@pytest.mark.parametrize(
    "argv",
    [
        ("--fail-over", "5%"),
        ("--against", "before", "--control"),
        ("--against", "before", "--fail-over", "much"),
        ("--against", "before", "--fail-over", "-5%"),
        ("--rounds", "0"),
    ],
)
def test_options_that_make_no_sense_are_refused(cli, argv: tuple[str, ...]) -> None:
    assert cli("compare", *argv).returncode == 2


def test_an_experiment_that_is_not_recorded_is_refused(cli) -> None:
    ended = cli("compare", "--against", "nosuch", "--fail-over", "5%")
    assert ended.returncode == 7
    assert "experiment 'nosuch' is not recorded" in ended.stderr


def test_a_store_that_fails_in_its_warm_up_ends_the_comparison_with_what_there_is(history: History) -> None:
    argv = ("compare", "--multiplier", "1", "--stores", "pickle,support.odd_stores:Raises", "--rounds", "2", "--json")
    ended = history.program(*argv)
    assert (ended.returncode, ended.json["error"]["code"], ended.json["rounds"]) == (6, "step_failed", 0)
    assert "this store is broken" in ended.json["error"]["message"]


def test_sigterm_ends_with_the_comparison_of_what_there_is_and_143(history: History, tmp_path: Path) -> None:
    shutil.copytree(history.program.home, tmp_path / "home")
    ended, watch = stopped_at(Program(tmp_path / "home"), "warm-up", signal.SIGTERM, "--rounds", "4")
    assert ended.returncode == 143
    assert "3 whole rounds, medians" in ended.stdout
    assert ended.stderr.splitlines()[-2] == "Error: terminated"
    assert gone_within(watch, 2)


@pytest.mark.timeout(600)
def test_a_control_measures_the_noise_floor_that_later_verdicts_use(history: History, tmp_path: Path) -> None:
    shutil.copytree(history.program.home, tmp_path / "home")
    program = Program(tmp_path / "home")
    ended = program(*ARGV, "--control", "--rounds", "3", "--json")
    assert ended.returncode == 0, ended.stderr
    control = ended.json["control"]
    assert (control["store"], control["rounds"]) == ("pickle", 3)
    assert [arm["label"] for arm in ended.json["arms"]] == ["pickle", "pickle again"]
    later = program(*ARGV, "--no-run", "--json").json
    assert later["control"] == control
    assert later["margin"] == max(0.02, control["half_width"])
    assert (later["rounds"], later["singles"]) == (3, shown(history).json["singles"])
    assert "Control: pickle against itself " in program(*ARGV, "--no-run").stdout
