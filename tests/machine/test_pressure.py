"""What the kernel tells of a machine, from files as it writes them."""

from pathlib import Path

import pytest

from fluidbench.machine.pressure import Counters, between, counters

STAT = "cpu  100 0 50 800 20 0 5 {stolen} 7 0\ncpu0 1 2 3\n"
PRESSURE = "some avg10=94.08 avg60=79.74 avg300=74.63 total={total}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=9\n"


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="ascii")


def test_steal_and_pressure_are_read_as_totals(tmp_path: Path) -> None:
    write(tmp_path, "stat", STAT.format(stolen=25))
    for name, total in (("cpu", 3_000_000), ("memory", 500_000), ("io", 0)):
        write(tmp_path, f"pressure/{name}", PRESSURE.format(total=total))
    assert counters(tmp_path, tmp_path / "none").totals == {
        "ticks": 1000.0, "stolen": 25.0, "pressure_cpu_share": 3.0, "pressure_memory_share": 0.5,
        "pressure_io_share": 0.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("line", "place", "fact"),
    [
        ("0::/box/inner", "box/inner", "throttled_usec 2500000"),
        ("4:cpu,cpuacct:/box", "cpu,cpuacct/box", "throttled_time 2500000000"),
    ],
)
def test_throttling_is_read_from_either_version_of_control_groups(
    tmp_path: Path, line: str, place: str, fact: str
) -> None:
    write(tmp_path, "proc/self/cgroup", f"9:memory:/elsewhere\n{line}\n")
    write(tmp_path, f"cgroup/{place}/cpu.stat", f"nr_periods 80\nnr_throttled 7\n{fact}\n")
    assert counters(tmp_path / "proc", tmp_path / "cgroup").totals == {"throttled_share": 2.5, "throttled_periods": 7.0}


def test_a_container_sees_its_own_group_as_the_root(tmp_path: Path) -> None:
    write(tmp_path, "proc/self/cgroup", "0::/known/to/the/host\n")
    write(tmp_path, "cgroup/cpu.stat", "nr_throttled 1\nthrottled_usec 1000000\n")
    assert counters(tmp_path / "proc", tmp_path / "cgroup").totals["throttled_share"] == 1.0


def test_a_kernel_that_tells_nothing_has_no_readings(tmp_path: Path) -> None:
    nothing = counters(tmp_path, tmp_path)
    assert nothing.totals == {}
    assert between(nothing, counters(tmp_path, tmp_path)) == {}


def test_readings_are_shares_of_the_time_between_and_counts_stay_counts() -> None:
    before = Counters(100.0, {"ticks": 1000.0, "stolen": 20.0, "pressure_io_share": 5.0, "throttled_periods": 3.0})
    after = Counters(110.0, {"ticks": 3000.0, "stolen": 70.0, "pressure_io_share": 7.5, "throttled_periods": 8.0})
    assert between(before, after) == pytest.approx(
        {"cpu_steal_share": 0.025, "pressure_io_share": 0.25, "throttled_periods": 5.0}
    )


def test_a_counter_that_appears_or_goes_back_yields_no_nonsense() -> None:
    before, after = Counters(0.0, {"pressure_cpu_share": 9.0}), Counters(1.0, {"pressure_cpu_share": 8.0, "ticks": 1.0})
    assert between(before, after) == {"pressure_cpu_share": 0.0}


def test_this_machine_can_be_asked() -> None:
    shares = between(counters(), counters())
    assert all(0 <= value <= 1 for name, value in shares.items() if name.endswith("_share"))
