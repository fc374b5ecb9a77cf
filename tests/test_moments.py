from datetime import UTC, datetime

import pytest

from fluidbench.errors import UsageProblem
from fluidbench.moments import moment

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "end", "expected"),
    [
        ("2026-01-31", False, "2026-01-31T00:00:00.000Z"),
        ("2026-01-31", True, "2026-01-31T23:59:59.999Z"),
        ("9999-12-31", True, "9999-12-31T23:59:59.999Z"),
        ("2026-01-31T12:30", True, "2026-01-31T12:30:00.000Z"),
        ("2026-01-31T12:30:00+02:00", False, "2026-01-31T10:30:00.000Z"),
        ("7d", False, "2026-03-03T12:00:00.000Z"),
        ("12h", False, "2026-03-10T00:00:00.000Z"),
        ("90m", True, "2026-03-10T10:30:00.000Z"),
    ],
)
def test_a_time_is_told_as_it_is_recorded(words: str, end: bool, expected: str) -> None:
    assert moment(words, NOW, end=end) == expected


@pytest.mark.parametrize(
    "words", ["", "yesterday", "2026-13-01", "d", "-7d", "999999d", "7 d", "9999-12-31T23:59-23:59"]
)
def test_what_is_no_time_is_refused(words: str) -> None:
    with pytest.raises(UsageProblem):
        moment(words, NOW)
