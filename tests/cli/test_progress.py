"""The progress of a comparison, as it is drawn on a terminal and written elsewhere."""

import pytest
from rich.console import Console

from fluidbench.cli.live import Live, dropped_line, progress_lines, progress_title
from fluidbench.cli.output import Output
from fluidbench.events import Progress, RoundDropped

SO_FAR = Progress("vineyard", 100, 2, 6, {"pickle": (12.3, 12.1), "vineyard": (9.1,)}, 95.5)


def test_the_round_each_stores_times_and_the_time_left_are_told() -> None:
    assert progress_title(SO_FAR) == "multiplier 100 through vineyard, round 2 of 6"
    assert progress_lines(SO_FAR, 95.5) == [
        "pickle 12.3 s, 12.1 s (median 12.2 s of 2)",
        "vineyard 9.1 s (median 9.1 s of 1)",
        "about 95.5 s left",
    ]


def test_a_warm_up_is_called_so_and_has_no_times_yet() -> None:
    warm = Progress("pickle", 100, 0, 6, {"pickle": (), "vineyard": ()}, 3_000_000.0)
    assert progress_title(warm) == "multiplier 100 through pickle, warm-up"
    assert progress_lines(warm, warm.left_s) == ["about 833.3 h left"]


def test_of_many_times_only_the_last_are_told_singly() -> None:
    many = Progress("pickle", 1, 9, 9, {"pickle": tuple(map(float, range(10, 19)))}, 0.2)
    assert progress_lines(many, many.left_s) == [
        "pickle 14 s, 15 s, 16 s, 17 s, 18 s (median 14 s of 9)",
        "nearly done",
    ]


def test_the_tree_on_a_terminal_shows_them_above_the_steps() -> None:
    live = Live(Output())
    live(SO_FAR)
    console = Console(width=100, record=True, quiet=False)
    with console.capture() as drawn:
        console.print(live.__rich__())
    lines = drawn.get().splitlines()
    assert lines[0] == "multiplier 100 through vineyard, round 2 of 6"
    assert "pickle 12.3 s, 12.1 s (median 12.2 s of 2)" in lines[1]
    assert lines[3].endswith(" left")


def test_without_a_terminal_they_are_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    live = Live(Output())
    live(SO_FAR)
    live(RoundDropped(2, "vineyard", "train-data failed: no luck\nits log"))
    first, second = capfd.readouterr().err.splitlines()
    assert first == (
        "multiplier 100 through vineyard, round 2 of 6; pickle 12.3 s, 12.1 s (median 12.2 s of 2); "
        "vineyard 9.1 s (median 9.1 s of 1); about 95.5 s left"
    )
    assert second == ("Round 2 is dropped: vineyard failed (train-data failed: no luck). The other rounds go on.")
    assert second == dropped_line(RoundDropped(2, "vineyard", "train-data failed: no luck"))
