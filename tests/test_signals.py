import signal
import threading

import pytest

from fluidbench.signals import held


def interrupted(reached: list[bool]) -> None:
    with held():
        signal.raise_signal(signal.SIGINT)
        reached.append(True)


def test_ctrl_c_comes_when_the_block_is_left() -> None:
    reached: list[bool] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted(reached)
    assert reached == [True]


def test_a_signal_that_is_ignored_stays_so_and_handlers_are_put_back() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with held():
            signal.raise_signal(signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGTERM, before)


def test_in_another_thread_nothing_is_held() -> None:
    passed: list[bool] = []

    def work() -> None:
        with held():
            passed.append(signal.getsignal(signal.SIGINT) is signal.default_int_handler)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert passed == [True]
