"""compare in its formats, history with its filters, export and import, on recorded runs."""

import dataclasses
import json
from pathlib import Path

import pytest

from fluidbench import places
from fluidbench.machine.owners import this_process
from fluidbench.records import Fingerprint, Run
from fluidbench.results import Results
from support.made import run
from support.recorded import experiment, planned

COMPARE = ("compare", "--no-run", "--multiplier", "500", "--threads", "2", "--target", "local")
THEIRS = Fingerprint({"cpu": "Another processor"}, "theirs")


def record(runs: list[Run]) -> None:
    with Results(places.database()) as results:
        for entry in runs:
            results.begin(entry, this_process(), ())
        if runs[0].experiment_id:
            results.add_experiment(planned(runs))


@pytest.fixture
def recorded(cli):
    """The command line, with an experiment recorded."""
    record(experiment())
    return cli


def test_the_table_has_the_parts_and_the_model(recorded) -> None:
    shown = recorded(*COMPARE, "--what-if", "300MB/s")
    assert shown.returncode == 0, shown.stderr
    for word in ("exchange (mean)", "ceiling: exchange free", "times the run", "Best file store", "at 300 MB/s"):
        assert word in shown.stdout


def test_json_is_the_same_by_either_option(recorded) -> None:
    shown = recorded(*COMPARE, "--json").json
    assert recorded(*COMPARE, "--format", "json").json == shown
    assert shown["analysis"]["what_if"][0]["asked"] is None
    assert recorded(*COMPARE, "--format=json", "--no-such-option").json["error"]["code"] == "usage"
    [saving] = shown["analysis"]["savings"]
    total = next(entry for entry in shown["comparisons"] if entry["scope"] == "total")
    assert sum(saving["parts"].values()) == pytest.approx(total["saving_s"])


@pytest.mark.parametrize(("format_", "begin"), [("csv", "arm,baseline,scope"), ("markdown", "**Vineyard is ")])
def test_stdout_is_the_document_and_nothing_else(recorded, format_: str, begin: str) -> None:
    shown = recorded(*COMPARE, "--format", format_)
    assert (shown.returncode, shown.stdout.startswith(begin)) == (0, True)
    assert "Ratio above 1" not in shown.stdout


def test_the_page_is_written_beside_any_format(recorded, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    shown = recorded(*COMPARE, "--html", str(path), "--json", "--what-if", "300MB/s").json
    text = path.read_text(encoding="utf-8")
    embedded = text.partition('id="fluidbench-json">')[2].partition("</script>")[0]
    assert json.loads(embedded) == shown
    assert "http://" not in text
    assert "https://" not in text


@pytest.mark.parametrize("place", [".", "nowhere/report.html", "/proc/report.html"])
def test_a_page_that_cannot_be_written_is_found_before_anything_is_run(cli, tmp_path: Path, place: str) -> None:
    ended = cli("compare", "--multiplier", "1", "--rounds", "1", "--html", str(tmp_path / place), "--yes")
    assert ended.returncode == 2
    assert "cannot be written" in ended.stderr
    assert not (places.state_root() / "results.db").exists()


def test_a_page_of_nothing_is_not_written(cli, tmp_path: Path) -> None:
    ended = cli(*COMPARE, "--html", str(tmp_path / "report.html"))
    assert (ended.returncode, (tmp_path / "report.html").exists()) == (7, False)


@pytest.mark.parametrize(
    "options", [("--format", "xml"), ("--json", "--format", "csv"), ("--what-if", "fast"), ("--what-if", "300")]
)
def test_an_option_that_says_nothing_is_refused(cli, options: tuple[str, ...]) -> None:
    ended = cli(*COMPARE, *options)
    assert (ended.returncode, "Error: " in ended.stderr) == (2, True)


def test_runs_that_differ_fail_in_every_format_after_they_are_shown(cli, tmp_path: Path) -> None:
    runs = experiment()
    record([*runs[:-1], dataclasses.replace(runs[-1], results={"mse": 1.0})])
    for format_, part in (("table", "total"), ("csv", "total"), ("markdown", "total"), ("json", '"error"')):
        ended = cli(*COMPARE, "--format", format_, "--html", str(tmp_path / "report.html"))
        assert (ended.returncode, part in ended.stdout) == (7, True), format_
    assert "did not compute the same" in (tmp_path / "report.html").read_text()


def theirs() -> list[Run]:
    runs = experiment(rounds=3, name="20251201-000000-eeeeee")
    return [dataclasses.replace(r, fingerprint=THEIRS, started_at=f"2025{r.started_at[4:]}") for r in runs]


def test_rounds_of_another_machine_are_refused_without_force_and_compared_with_it(recorded) -> None:
    record(theirs())
    refused = recorded(*COMPARE)
    assert "6 whole rounds" in refused.stdout
    assert "Not compared without --force" in refused.stderr
    assert "cpu: A processor with 2 cores here, Another processor there" in refused.stderr
    forced = recorded(*COMPARE, "--force")
    assert "9 whole rounds" in forced.stdout
    assert "Compared by force" in forced.stderr
    assert "cpu: A processor with 2 cores here, Another processor there" in forced.stderr
    assert "Machine theirs: rounds 3" in forced.stdout
    assert len(recorded(*COMPARE, "--force", "--json").json["analysis"]["machines"]) == 2


def test_where_only_another_machine_has_rounds_the_command_fails_and_says_what_differs(recorded) -> None:
    only = [dataclasses.replace(r, run_id=f"x{r.run_id}", started_at=f"2027{r.started_at[4:]}") for r in theirs()]
    record([dataclasses.replace(only[1], experiment_id=None, round=None, fingerprint=Fingerprint({"cpu": "3"}, "3"))])
    ended = recorded(*COMPARE)
    assert ended.returncode == 7
    assert "A processor with 2 cores there" in ended.stderr
    assert "--force" in ended.stderr


def test_history_can_be_narrowed_by_target_store_size_and_time(cli) -> None:
    record([run("a", started_at="2026-01-01T10:00:00.000Z")])
    record([run("b", "vineyard", started_at="2026-01-02T10:00:00.000Z")])
    record([run("c", identity={"target": "cluster", "multiplier": 9}, started_at="2026-01-03T10:00:00.000Z")])

    def listed(*options: str) -> str:
        return "".join(entry["run_id"] for entry in cli("history", "--json", *options).json["runs"])

    assert listed() == "cba"
    assert listed("--target", "cluster") == listed("--multiplier", "9") == "c"
    assert listed("--target", "local", "--store", "pickle") == "a"
    assert listed("--since", "2026-01-02") == "cb"
    assert listed("--until", "2026-01-02") == "ba"
    assert listed("--since", "2026-01-01T12:00", "--until", "2026-01-03T09:59") == "b"
    assert listed("--since", "1d") == ""
    assert "No such run is recorded" in cli("history", "--since", "1d").stdout
    assert cli("history", "--since", "yesterday").returncode == 2


def test_history_shows_the_last_twenty(cli) -> None:
    for number in range(25):
        record([run(f"r{number:02}", started_at=f"2026-01-01T00:00:{number:02}.000Z")])
    shown = [entry["run_id"] for entry in cli("history", "--json").json["runs"]]
    assert shown == [f"r{number:02}" for number in range(24, 4, -1)]


def test_what_is_exported_here_can_be_imported_there(recorded, tmp_path: Path, monkeypatch) -> None:
    shown = recorded(*COMPARE, "--json").json
    file = str(tmp_path / "mine.jsonl")
    assert recorded("export", file, "--json").json == {
        "format_version": 1, "file": file, "runs": 14, "experiments": 1,
    }  # fmt: skip
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "elsewhere"))
    assert recorded("import", file, "--json").json == {"format_version": 1, "file": file, "added": 15, "known": 0}
    assert recorded("import", file).stdout.endswith("new records: 0; known before: 15.\n")
    assert recorded(*COMPARE, "--json").json == shown


def test_an_altered_export_and_a_place_that_cannot_be_written_are_refused(recorded, tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    assert recorded("export", str(tmp_path / "nowhere" / "x")).returncode == 2
    assert recorded("export", str(file)).returncode == 0
    file.write_bytes(file.read_bytes()[:-20])
    ended = recorded("import", str(file), "--json")
    assert (ended.returncode, ended.json["error"]["code"]) == (7, "result")


@pytest.mark.parametrize("command", ["export", "import"])
def test_export_and_import_have_help_with_an_example_and_json(cli, command: str) -> None:
    shown = cli(command, "--help").stdout
    assert f"Example: fluidbench {command}" in shown
    assert "--json" in shown
