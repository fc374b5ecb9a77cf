import pytest

from fluidbench import text
from fluidbench.errors import UsageProblem


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 Bytes"), (2081, "2.08 kB"), (3_680_000, "3.68 MB"), (7_360_000_000, "7.36 GB"), (368e12, "368 TB")],
)
def test_sizes_are_decimal_as_disks_and_the_published_figures(count: float, shown: str) -> None:
    assert text.size(count) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0312, "0.031 s"), (1.04, "1.0 s"), (12.34, "12.3 s"), (250.9, "4 min 10 s")]
)
def test_durations_have_a_precision_that_fits_their_length(value: float, shown: str) -> None:
    assert text.seconds(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0, "0 s"), (1.0, "1 s"), (2, "2 s"), (119.0, "119 s"), (120.0, "2 min 0 s")]
)
def test_a_whole_number_of_seconds_does_not_look_more_exact_than_it_was_told(value: float, shown: str) -> None:
    assert text.seconds(value) == shown


@pytest.mark.parametrize(
    ("words", "bytes_per_s"),
    [
        ("300MB/s", 300e6), ("300 MB/s", 300e6), ("300M", 300e6), ("1.2GB/s", 1.2e9), ("256MiB/s", 256 * 2**20),
        ("2GiB", 2 * 2**30), ("5000kB/s", 5e6), ("4096Ki", 2**22), (" 300000000 ", 300e6), ("300000000B/s", 300e6),
    ],
)  # fmt: skip
def test_a_bandwidth_is_read_as_people_write_it(words: str, bytes_per_s: float) -> None:
    assert text.bandwidth_of(words) == pytest.approx(bytes_per_s)


@pytest.mark.parametrize("words", ["", "fast", "300 Mbit/s", "300mb/s", "-3MB/s", "0", "12", "300MB/min", "3 00MB/s"])
def test_what_is_no_bandwidth_is_refused_with_an_example(words: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        text.bandwidth_of(words)
    assert "300MB/s" in caught.value.hint


def test_a_bandwidth_is_shown_in_decimal_units() -> None:
    assert text.bandwidth(300e6) == "300 MB/s"
