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
    ("words", "bytes_per_s"),
    [
        ("300MB/s", 300e6),
        ("1.2 GB/s", 1.2e9),
        ("250MiB/s", 250 * 1024**2),
        ("10Gbit/s", 1.25e9),
        ("10Gbps", None),
        ("10GBps", 10e9),
        ("500kB/s", 5e5),
        ("7B/s", 7.0),
        ("300", None),
        ("300MB", None),
        ("0MB/s", None),
        ("-3MB/s", None),
        ("fast", None),
        ("", None),
    ],
)
def test_a_bandwidth_needs_its_unit(words: str, bytes_per_s: float | None) -> None:
    if bytes_per_s is None:
        with pytest.raises(UsageProblem):
            text.parse_bandwidth(words)
    else:
        assert text.parse_bandwidth(words) == pytest.approx(bytes_per_s)


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0, "0 s"), (1.0, "1 s"), (2, "2 s"), (119.0, "119 s"), (120.0, "2 min 0 s")]
)
def test_a_whole_number_of_seconds_does_not_look_more_exact_than_it_was_told(value: float, shown: str) -> None:
    assert text.seconds(value) == shown


def test_a_bandwidth_is_shown_in_decimal_units() -> None:
    assert text.bandwidth(300e6) == "300 MB/s"
