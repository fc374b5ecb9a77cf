"""Times of day as people say them: 2026-01-31, 2026-01-31T12:30, 90m, 12h, 7d. Pure."""

import re
from datetime import UTC, datetime, timedelta

from fluidbench.errors import UsageProblem
from fluidbench.text import timestamp

_AGO = re.compile(r"(\d{1,6})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def moment(words: str, now: datetime, *, end: bool = False) -> str:
    """A time as it is recorded, in UTC: a date, a date and time, or so long before `now`.

    A date alone is its beginning, or its `end`. Raises UsageProblem where it is none of them.
    """
    try:
        if ago := _AGO.fullmatch(words):
            return timestamp(now - timedelta(**{_UNITS[ago[2]]: int(ago[1])}))
        told = datetime.fromisoformat(words)
        in_utc = told.astimezone(UTC) if told.tzinfo else told.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise UsageProblem(
            f"{words!r} is no time", "Say 2026-01-31, 2026-01-31T12:30 (both UTC), or 7d, 12h, 90m for so long ago."
        ) from error
    whole_day = len(words) <= len("2026-01-31")
    return timestamp(in_utc + timedelta(days=1, milliseconds=-1) if end and whole_day else in_utc)
