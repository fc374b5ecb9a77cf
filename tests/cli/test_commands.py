"""What the commands print, and the shapes of their JSON."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fluidbench import __version__
from support.program import Program, environment

COMMANDS = ("prepare", "run", "compare", "history", "doctor", "down")
RUN_FIELDS = {
    "run_id", "identity", "experiment_id", "round", "position", "seed", "warmup", "state", "reason", "started_at",
    "finished_at", "duration_s", "service_start_s", "evict_s", "verify_s", "unaccounted_s", "cache", "results",
    "steps", "fingerprint", "code_version",
}  # fmt: skip
IDENTITY_FIELDS = {
    "target", "pipeline", "multiplier", "rows", "dataset_digest", "store", "cache_policy", "storage", "threads",
    "placement",
}  # fmt: skip
STEP_FIELDS = {
    "name", "state", "duration_s", "phases", "read_bytes", "written_bytes", "cpu_s", "peak_private_bytes",
    "peak_shared_bytes", "node", "transport", "inputs",
}  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(cli, command: str) -> None:
    ended = cli(command, "--help")
    assert ended.returncode == 0
    assert f"Example: fluidbench {command}" in ended.stdout
    assert "--target" in ended.stdout


def test_every_command_that_shows_data_has_json(cli) -> None:
    assert all("--json" in cli(command, "--help").stdout for command in COMMANDS)


def test_without_a_command_the_help_is_shown(cli) -> None:
    ended = cli()
    assert ended.returncode == 0
    assert all(command in ended.stdout for command in COMMANDS)


def test_the_version_is_printed(cli) -> None:
    assert cli("--version").stdout == f"fluidbench {__version__}\n"


def test_help_imports_nothing_heavy(program: Program) -> None:
    code = (
        "import sys; before = set(sys.modules); from fluidbench.cli.main import main; code = main(['--help']);"
        "heavy = {'pandas', 'sklearn', 'kubernetes', 'vineyard', 'numpy', 'scipy', 'sqlite3'} - before;"
        "sys.exit(code or ' '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(program.home), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_shell_completes_commands_and_options(program: Program) -> None:
    for words, expected in (("fluidbench comp", "compare"), ("fluidbench run --vine", "--vineyard")):
        asked = {"_FLUIDBENCH_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
        assert expected in program(**asked).stdout.split()


def test_run_prints_the_run_and_its_json_has_every_field(lab) -> None:
    for run in lab.recorded:
        assert set(run) >= RUN_FIELDS
        assert set(run["identity"]) == IDENTITY_FIELDS
        assert all(set(step) >= STEP_FIELDS for step in run["steps"])
        assert set(run["fingerprint"]) == {"facts", "hash"}
        assert all(set(entry) == {"name", "bytes", "cache"} for step in run["steps"] for entry in step["inputs"])


def test_history_lists_runs_and_shows_one_whole(lab, lab_cli) -> None:
    listed = lab_cli("history", "--limit", "99").stdout
    run = lab.run(10, "vineyard")
    assert run["run_id"] in listed
    shown = lab_cli("history", run["run_id"]).stdout
    assert f"MSE:         {run['results']['mse']}" in shown
    assert all(step["name"] in shown for step in run["steps"])
    assert lab_cli("history", run["run_id"], "--json").json["runs"] == [run]


def test_history_can_be_narrowed(lab, lab_cli) -> None:
    only = lab_cli("history", "--store", "vineyard", "--multiplier", "10", "--json").json["runs"]
    assert [run["run_id"] for run in only] == [lab.run(10, "vineyard")["run_id"]]


def test_compare_prints_the_comparison_as_json(lab) -> None:
    shown = lab.compared.json
    assert set(shown) >= {"format_version", "identity", "control", "arms", "baseline", "comparisons", "equivalent"}
    assert [arm["store"] for arm in shown["arms"]] == ["pickle", "vineyard", "support.odd_stores:Slow"]
    assert all(set(arm) >= {"label", "store", "runs", "median_s", "steps"} for arm in shown["arms"])
    entry = {"arm", "baseline", "scope", "ratio", "interval", "method", "verdict", "saving_s", "more_rounds"}
    assert all(set(compared) == entry for compared in shown["comparisons"])
    scopes = {compared["scope"] for compared in shown["comparisons"]}
    assert {"total", "step:train-data", "phase:load", "step:train-data/phase:load"} <= scopes
    assert (shown["baseline"], shown["equivalent"], shown["rounds"]) == ("pickle", True, 1)


def test_compare_runs_a_warm_up_of_each_store_and_then_whole_rounds(lab) -> None:
    of_experiment = [run for run in lab.recorded if run["experiment_id"]][::-1]
    assert [run["warmup"] for run in of_experiment] == [True] * 3 + [False] * 3
    assert [run["round"] for run in of_experiment] == [0] * 3 + [1] * 3
    assert len({run["seed"] for run in of_experiment}) == 1
    assert len({run["identity"]["store"] for run in of_experiment[3:]}) == 3


def test_the_delay_of_a_slow_store_is_found_where_it_was_put(lab) -> None:
    slow = [entry for entry in lab.compared.json["comparisons"] if entry["arm"] == "support.odd_stores:Slow"]
    load = next(entry for entry in slow if entry["scope"] == "step:train-data/phase:load")
    assert -1.6 < load["saving_s"] < -0.9
    assert load["ratio"] < 0.5


def test_the_table_has_a_row_a_step_and_phase_and_says_that_one_round_proves_nothing(lab_cli) -> None:
    shown = lab_cli("compare", "--multiplier", "1", "--no-run").stdout
    assert "one round proves nothing" in shown
    for word in ("preprocess-data", "train-data", "test-data", "startup", "load", "touch", "compute", "save", "total"):
        assert word in shown
    for word in ("ratio", "saved", "pickle", "vineyard", "peak private memory", "shared memory held", "1 whole round"):
        assert word in shown


def test_single_runs_are_listed_beside_the_comparison_and_not_in_it(lab, lab_cli) -> None:
    shown = lab_cli("compare", "--multiplier", "10", "--no-run", "--json").json
    assert (shown["rounds"], shown["arms"], shown["comparisons"]) == (0, [], [])
    assert [single["store"] for single in shown["singles"]] == ["pickle", "vineyard"]
    assert "No whole round" in lab_cli("compare", "--multiplier", "10", "--no-run").stdout


def test_compare_takes_the_multiplier_of_the_last_run(lab_cli) -> None:
    assert lab_cli("compare", "--no-run", "--json").json["identity"]["multiplier"] == 1


def test_compare_asks_above_five_minutes_and_says_how_long(lab) -> None:
    ended = lab.program("compare", "--multiplier", "1", "--rounds", "999")
    assert ended.returncode == 2
    assert "multiplier 1: recorded: 1 whole round; to be run: 998; about " in ended.stderr
    assert "--yes" in ended.stderr


def test_what_was_compared_can_be_shown_after_its_dataset_is_gone(lab, cli, home: Path) -> None:
    shutil.copytree(lab.program.state, home / "state" / "fluidbench")
    ask = ("compare", "--multiplier", "1", "--no-run", "--json")
    shown = cli(*ask)
    assert shown.returncode == 0, shown.stderr
    assert (shown.json["rounds"], shown.json["equivalent"]) == (1, True)
    assert shown.json == lab.program(*ask).json
    assert cli("compare", "--multiplier", "1", "--rounds", "1", "--json").json == shown.json
    assert not list((home / "data").rglob("df_*"))


def test_doctor_tells_what_is_there(cli) -> None:
    shown = cli("doctor", "--multiplier", "1", "--json").json
    found = {finding["what"]: finding for finding in shown["findings"]}
    assert {"Python", "vineyardd", "processors", "memory", "data directory", "cold files"} <= set(found)
    assert all(set(finding) == {"what", "found", "good", "fix", "exit_code"} for finding in found.values())
    assert all(finding["good"] for finding in found.values())
    assert "vineyardd" in cli("doctor", "--multiplier", "1").stdout


def test_doctor_says_what_is_missing_and_how_to_fix_it(cli) -> None:
    ended = cli("doctor", "--multiplier", "1000000000", "--json")
    assert ended.returncode != 0
    [wrong] = [finding for finding in ended.json["findings"] if not finding["good"]]
    assert ended.json["error"]["hint"] == wrong["fix"] != ""


def test_prepare_and_down_print_json(program: Program) -> None:
    made = program("prepare", "--multiplier", "1", "--json").json
    assert set(made["dataset"]) == {"path", "multiplier", "rows", "digest", "file_bytes"}
    assert set(program("down", "--purge", "--json").json) == {"format_version", "removed", "kept"}


def test_stdout_is_the_result_only_and_progress_goes_to_stderr(lab) -> None:
    ended = lab.twice.printed
    assert ended.stdout.count("Status:      Succeeded") == 2
    assert "● train-data" in ended.stderr
    assert "run 2 of 2" in ended.stderr
    assert "●" not in ended.stdout
    assert "\x1b[" not in ended.stdout + ended.stderr


def test_a_terminal_shows_a_growing_tree_and_gets_its_cursor_back(lab) -> None:
    shown = lab.terminal.printed.stdout
    assert "● preprocess-data" in shown
    assert "\x1b[?25h" in shown[shown.rindex("\x1b[?25l") :]
    assert "Succeeded" in shown
