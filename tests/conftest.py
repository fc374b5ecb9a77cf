"""Every test has a home of its own; a few runs are made once and looked at by many tests."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from fluidbench.cli.main import main
from fluidbench.records import Run
from support.bucket import Bucket, served_bucket
from support.program import NO_UTF8, Outcome, Program, Watch, environment, gone_within

Cli = Callable[..., Outcome]


def pytest_configure() -> None:
    # a shell starts what it puts into the background with SIGINT ignored, and every child inherits that
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, for this process and the ones it starts."""
    place = tmp_path / "home"
    place.mkdir()
    for kind in ("STATE", "DATA", "CACHE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(place / kind.lower()))
    monkeypatch.delenv("COLUMNS", raising=False)
    return place


@pytest.fixture
def cli(home: Path, capfd: pytest.CaptureFixture[str]) -> Cli:
    """The command line in this process: `main(argv)`, with what it printed."""

    def run(*argv: str) -> Outcome:
        capfd.readouterr()
        code = main(argv)
        printed = capfd.readouterr()
        return Outcome(code, printed.out, printed.err)

    return run


@pytest.fixture
def program(home: Path) -> Program:
    """The real program, in the test's own home."""
    return Program(home)


@dataclass(frozen=True)
class Watched:
    """A command that went well: what it printed, the programs that it started, and what was left of them."""

    printed: Outcome
    programs: set[str]
    left: list[object]


@dataclass(frozen=True)
class Lab:
    """A home in which a comparison of three stores and single runs of other sizes have been made."""

    program: Program
    twice: Watched
    terminal: Watched
    compared: Outcome
    recorded: list[dict]

    def run(self, multiplier: int, store: str) -> dict:
        """The last of the recorded runs, as JSON."""
        like = (multiplier, store)
        return next(run for run in self.recorded if (run["identity"]["multiplier"], run["identity"]["store"]) == like)


SLOW = "support.odd_stores:Slow"


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Multiplier 1 through three stores in one round, 2 (files: twice) and 10 through each of the published ones.

    Its home has a name with a space and other letters; one of its runs has a terminal, another no UTF-8. The single
    runs, of which nobody compares how long they took, go two at a time, but never two with the same dataset.
    """
    program = Program(tmp_path_factory.mktemp("mein Labor 中文"))
    with ThreadPoolExecutor() as pool:
        small = pool.submit(_small_runs, program)
        for arm, settings in (((), {}), (("--vineyard",), NO_UTF8)):
            ended = program("run", "--multiplier", "10", "--allow-concurrent", *arm, **settings)
            assert ended.returncode == 0, ended.stderr
        twice, terminal = small.result()
    assert list(program.data.glob("exchange*")) == []
    stores = f"pickle,vineyard,{SLOW}"
    compared = program("compare", "--multiplier", "1", "--rounds", "1", "--stores", stores, "--json")
    assert compared.returncode == 0, compared.stderr
    recorded = program("history", "--json", "--limit", "99").json["runs"]
    return Lab(program, twice, terminal, compared, recorded)


def _small_runs(program: Program) -> tuple[Watched, Watched]:
    run = ("run", "--multiplier", "2", "--allow-concurrent")
    return _watched(*program.watched(*run, "--repeat", "2")), _watched(*program.in_a_terminal(*run, "--vineyard"))


def _watched(ended: Outcome, watch: Watch) -> Watched:
    assert ended.returncode == 0, ended
    assert watch.directories
    gone_within(watch, 1)
    return Watched(ended, watch.names, [*watch.alive(), *watch.left()])


@pytest.fixture
def lab_cli(lab: Lab, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command line in this process, with the lab's home."""
    for name, value in environment(lab.program.home).items():
        if name.startswith("XDG_"):
            monkeypatch.setenv(name, value)
    return cli


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Makes file systems of so many bytes, in memory; only root may mount them."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small tmpfs")
    mounted: list[Path] = []

    def mount(size_bytes: int) -> Path:
        place = tmp_path / f"disk-{len(mounted)}"
        place.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "none", str(place)], capture_output=True, check=False
        )
        if done.returncode != 0:
            pytest.skip(f"a tmpfs cannot be mounted here: {done.stderr.decode().strip()}")
        mounted.append(place)
        return place

    yield mount
    for place in mounted:
        subprocess.run(["umount", "--lazy", str(place)], check=False)


@pytest.fixture
def ready(program: Program, dataset_home: Program) -> Program:
    """A home of the test's own whose dataset of multiplier 1 is prepared already."""
    dataset_home.copy_dataset(program.data)
    return program


@pytest.fixture(scope="session")
def dataset_home(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """A home with the dataset of multiplier 1 prepared, and nothing run."""
    program = Program(tmp_path_factory.mktemp("prepared"))
    assert (ended := program("prepare", "--multiplier", "1")).returncode == 0, ended.stderr
    return program


@pytest.fixture(scope="session")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    """A bucket of a real S3 server."""
    with served_bucket(tmp_path_factory.mktemp("s3") / "log") as made:
        yield made


__all__ = ["Cli", "Lab", "Run"]
