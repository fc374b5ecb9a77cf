import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fluidbench.errors import MeasuringElsewhere
from fluidbench.machine.lock import measuring

HOLDER = """
import sys, time
from pathlib import Path
from fluidbench.machine.lock import measuring
how = {name: True for name in sys.argv[2:]}
with measuring(Path(sys.argv[1]), "run --multiplier 5", **how):
    print("held", flush=True)
    time.sleep(600)
"""


@contextlib.contextmanager
def holder(lock: Path, *more: str) -> "Iterator[subprocess.Popen[str]]":
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(lock), *more], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def test_a_second_measurement_is_refused_and_told_who_holds_the_lock(tmp_path: Path) -> None:
    with holder(tmp_path / "lock") as process:
        with pytest.raises(MeasuringElsewhere) as caught, measuring(tmp_path / "lock", "mine"):
            pass
    assert f"run --multiplier 5 (process {process.pid})" in caught.value.message
    assert (caught.value.exit_code, "--allow-concurrent" in caught.value.hint) == (10, True)


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    with holder(tmp_path / "lock"):
        pass
    with measuring(tmp_path / "lock", "mine"):
        assert str(os.getpid()) in (tmp_path / "lock").read_text()


def test_allowing_it_one_measures_beside_another(tmp_path: Path) -> None:
    with holder(tmp_path / "lock"):
        with measuring(tmp_path / "lock", "mine", allow_concurrent=True):
            pass


def test_who_was_allowed_to_measure_beside_others_still_holds_the_lock_against_those_who_were_not(
    tmp_path: Path,
) -> None:
    with holder(tmp_path / "lock", "allow_concurrent"):
        with pytest.raises(MeasuringElsewhere), measuring(tmp_path / "lock", "mine"):
            pass


def test_those_who_do_not_measure_work_at_the_same_time(tmp_path: Path) -> None:
    with holder(tmp_path / "lock", "shared"), holder(tmp_path / "lock", "shared"):
        with measuring(tmp_path / "lock", "prepare", shared=True):
            pass


@pytest.mark.parametrize(("first", "second"), [(["shared"], False), ([], True)])
def test_who_does_not_measure_and_who_does_keep_each_other_out(tmp_path: Path, first: list[str], second: bool) -> None:
    with holder(tmp_path / "lock", *first) as process:
        with pytest.raises(MeasuringElsewhere) as caught, measuring(tmp_path / "lock", "mine", shared=second):
            pass
    assert f"process {process.pid}" in caught.value.message


def test_the_lock_is_free_after_an_error(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(KeyError), measuring(tmp_path / "lock", "mine"):
            raise KeyError
