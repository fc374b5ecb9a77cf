"""Where vineyard cannot be had: nothing is run, and what is recorded can still be read."""

import pytest

from fluidbench.errors import UsageProblem
from fluidbench.tools import vineyardd


@pytest.mark.parametrize(
    ("system", "version", "reason"),
    [
        ("linux", (3, 11), ""),
        ("linux", (3, 12), ""),
        ("linux", (3, 13), "for Python 3.11 and 3.12"),
        ("darwin", (3, 12), "for Linux only"),
        ("win32", (3, 13), "for Linux only"),
    ],
)
def test_vineyard_can_be_had_for_linux_and_two_versions_of_python(
    system: str, version: tuple[int, int], reason: str
) -> None:
    said = vineyardd.unsupported(system, version)
    assert (reason in said, bool(said)) == (True, bool(reason))


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine as one that vineyard has no package for."""
    monkeypatch.setattr(vineyardd.unsupported, "__defaults__", ("darwin", (3, 12)))


@pytest.mark.parametrize("argv", [("run",), ("run", "--vineyard"), ("prepare",), ("compare",), ("doctor",)])
def test_without_vineyard_the_local_target_refuses_everything_that_runs(cli, elsewhere, argv: tuple[str, ...]) -> None:
    ended = cli(*argv, "--multiplier", "1", "--json")
    assert (ended.returncode, ended.json["error"]["code"]) == (2, "usage")
    assert "vineyard has packages for Linux only" in ended.json["error"]["message"]
    assert "Use Linux with Python 3.11 or 3.12" in ended.json["error"]["hint"]


@pytest.mark.parametrize("argv", [("history",), ("compare", "--no-run"), ("down",)])
def test_without_vineyard_what_is_recorded_can_be_read(cli, elsewhere, argv: tuple[str, ...]) -> None:
    assert cli(*argv).returncode == 0


def test_a_vineyardd_is_not_looked_for_where_there_can_be_none(elsewhere) -> None:
    with pytest.raises(UsageProblem, match="the local target cannot run here"):
        vineyardd.executable()
