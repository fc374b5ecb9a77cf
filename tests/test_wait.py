import pytest

from fluidbench.errors import WaitTimeout
from fluidbench.wait import wait_until


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_the_first_value_that_is_not_none_is_returned() -> None:
    clock, answers = Clock(), iter([None, None, 0, 5])
    assert wait_until(lambda: next(answers), what="it", timeout_s=9, clock=clock, sleep=clock.sleep) == 0
    assert clock.now == pytest.approx(0.2)


def test_a_ready_probe_is_not_slept_on() -> None:
    assert wait_until(lambda: "ready", what="it", timeout_s=0, sleep=lambda _: pytest.fail("slept")) == "ready"


def test_a_wait_that_takes_too_long_says_what_for_and_how_long() -> None:
    clock = Clock()
    with pytest.raises(WaitTimeout, match="the server: not ready after 3 s") as caught:
        wait_until(
            lambda: None, what="the server", timeout_s=3, interval_s=1, hint="Look.", clock=clock, sleep=clock.sleep
        )
    assert (clock.now, caught.value.hint, caught.value.exit_code) == (3, "Look.", 5)


def test_a_probe_that_can_never_succeed_ends_the_wait_at_once() -> None:
    def probe() -> None:
        raise KeyError("gone")

    with pytest.raises(KeyError):
        wait_until(probe, what="it", timeout_s=9, sleep=lambda _: pytest.fail("slept"))
