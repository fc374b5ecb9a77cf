"""The model is asked about worlds whose storage is known."""

import dataclasses

import pytest

from fluidbench.records import Input, Run
from fluidbench.whatif import CURVE, BreakEven, Files, Storage, break_even, files_of, model, seconds, storage_of
from support.made import run, step

GB = 1_000_000_000
WORK_S = 5.0


def world(bandwidth: float, *, vineyard: bool = False, cache: str = "cold", writes_wait: bool = False) -> Run:
    """A run on a storage of this bandwidth: 2 GB of dataset read without any work, then 1 GB handed over."""
    handed = Input("X", GB, "memory" if vineyard else cache)
    load_s = 0.1 if vineyard else 0.4 + (GB / bandwidth if cache != "warm" else 0)
    save_s = 0.5 + (GB / bandwidth if writes_wait and not vineyard else 0)
    first = step("preprocess-data", load=2 * GB / bandwidth if cache != "warm" else 0.3, save=save_s)
    steps = (
        dataclasses.replace(
            first, inputs=(Input("df", 2 * GB, cache),), written_bytes=GB, transport="ipc" if vineyard else "file"
        ),
        dataclasses.replace(
            step("train-data", load=load_s, compute=WORK_S),
            inputs=(handed,),
            written_bytes=0,
            transport="ipc" if vineyard else "file",
        ),
    )
    return run(store="vineyard" if vineyard else "pickle", duration_s=sum(s.duration_s for s in steps), steps=steps)


@pytest.mark.parametrize("asked", [0.1 * GB, 0.3 * GB, 1 * GB, 4 * GB])
@pytest.mark.parametrize("vineyard", [False, True])
def test_where_one_read_is_nothing_but_storage_the_model_is_exact(asked: float, vineyard: bool) -> None:
    storage = storage_of([world(GB), world(GB, vineyard=True)])
    predicted = seconds(files_of([world(GB, vineyard=vineyard)]), storage, asked, writes_wait=False)
    assert predicted == pytest.approx(world(asked, vineyard=vineyard).duration_s)


@pytest.mark.parametrize("asked", [0.1 * GB, 0.3 * GB, 1 * GB])
def test_a_write_that_did_not_wait_here_waits_there(asked: float) -> None:
    storage = storage_of([world(GB), world(GB, vineyard=True)])
    predicted = seconds(files_of([world(GB)]), storage, asked, writes_wait=True)
    assert predicted == pytest.approx(world(asked, writes_wait=True).duration_s)


def test_warm_files_never_waited_so_all_waiting_is_added() -> None:
    warm = world(GB, cache="warm")
    assert storage_of([warm]) == Storage(0.0, 0.0)
    assert seconds(files_of([warm]), Storage(0.0, 0.0), GB, writes_wait=False) == pytest.approx(warm.duration_s + 3.0)


def test_on_a_network_file_system_the_writes_have_waited_already() -> None:
    storage = storage_of([world(GB, cache="client-cold", writes_wait=True)])
    assert storage.write_s_per_byte == pytest.approx(1.5 / GB)


def test_one_lucky_read_does_not_make_the_storage() -> None:
    lucky = world(100 * GB)
    assert storage_of([lucky, world(GB), world(GB)]).read_s_per_byte == pytest.approx(1 / GB)


@pytest.mark.parametrize("asked", [None, 0.3 * GB])
def test_at_the_bandwidth_of_the_runs_the_model_says_what_was_measured(asked: float | None) -> None:
    storage = storage_of([world(GB), world(GB, vineyard=True)])
    found = model(("vineyard", "pickle"), files_of([world(GB)]), files_of([world(GB, vineyard=True)]), storage, GB)
    assert found.read_bytes_per_s == pytest.approx(GB)
    assert found.asked is not None
    saved = world(GB).duration_s - world(GB, vineyard=True).duration_s
    assert found.asked.reads_wait.saving_s == pytest.approx(saved)
    assert [entry.bandwidth_bytes_per_s for entry in found.curve] == list(CURVE)


@pytest.mark.parametrize("writes_wait", [False, True])
def test_at_the_break_even_bandwidth_nothing_is_saved(writes_wait: bool) -> None:
    pickle, vineyard, storage = Files(10.0, 3 * GB, GB), Files(10.5, 2 * GB, 0), Storage(1 / GB, 0.0)
    even = break_even(pickle, vineyard, storage, writes_wait=writes_wait)
    assert even.faster == "below"
    assert even.bandwidth_bytes_per_s is not None
    before, after = (
        seconds(f, storage, even.bandwidth_bytes_per_s, writes_wait=writes_wait) for f in (pickle, vineyard)
    )
    assert before == pytest.approx(after)
    slower = even.bandwidth_bytes_per_s / 2
    assert seconds(pickle, storage, slower, writes_wait=writes_wait) > seconds(
        vineyard, storage, slower, writes_wait=writes_wait
    )


@pytest.mark.parametrize(
    ("pickle", "other", "faster"),
    [
        (Files(10.0, 3 * GB, 0), Files(8.0, 2 * GB, 0), "always"),
        (Files(10.0, 2 * GB, 0), Files(12.0, 3 * GB, 0), "never"),
        (Files(10.0, 2 * GB, 0), Files(9.0, 2 * GB, 0), "always"),
        (Files(10.0, 2 * GB, 0), Files(10.0, 2 * GB, 0), "always the same"),
    ],
)
def test_where_no_bandwidth_makes_them_even_it_is_said_who_is_faster(pickle: Files, other: Files, faster: str) -> None:
    assert break_even(pickle, other, Storage(1 / GB, 0.0), writes_wait=False) == BreakEven(None, faster)


def test_an_arm_that_reads_more_from_files_is_the_faster_one_above() -> None:
    even = break_even(Files(10.0, GB, 0), Files(10.5, 3 * GB, 0), Storage(1 / GB, 0.0), writes_wait=False)
    assert even.faster == "above"
