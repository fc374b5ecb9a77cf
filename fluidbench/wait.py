"""Waiting for something to become ready."""

import time
from collections.abc import Callable
from typing import TypeVar

from fluidbench.errors import WaitTimeout

T = TypeVar("T")


def wait_until(
    probe: Callable[[], T | None],
    *,
    what: str,
    timeout_s: float,
    interval_s: float = 0.1,
    hint: str = "",
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Asks `probe` until it returns something other than None, and returns that.

    A probe raises when what it waits for can never become ready. Raises WaitTimeout after `timeout_s`.
    """
    deadline = clock() + timeout_s
    while (value := probe()) is None:
        if clock() >= deadline:
            raise WaitTimeout(f"{what}: not ready after {timeout_s:g} s", hint)
        sleep(interval_s)
    return value
