"""Against trees that imitate /proc and /sys/fs/cgroup."""

from pathlib import Path

import psutil
import pytest

from fluidbench.machine.memory import allowance, oom_kills

GB = 1_000_000_000


def tree(root: Path, files: dict[str, str]) -> tuple[Path, Path]:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (root / "proc").mkdir(exist_ok=True)
    (root / "cgroup").mkdir(exist_ok=True)
    return root / "proc", root / "cgroup"


def test_without_control_groups_the_host_sets_the_bound(tmp_path: Path) -> None:
    found = allowance(*tree(tmp_path, {}))
    assert found.bound == "host"
    assert found.available_bytes == pytest.approx(psutil.virtual_memory().available, rel=0.2)


def test_the_room_in_a_v2_group_counts_its_page_cache_as_free(tmp_path: Path) -> None:
    proc, root = tree(tmp_path, {
        "proc/self/cgroup": "0::/user/me\n",
        "cgroup/user/me/memory.max": "1000000000\n",
        "cgroup/user/me/memory.current": "600000000\n",
        "cgroup/user/me/memory.stat": "anon 300000000\ninactive_file 200000000\nactive_file 5\n",
    })  # fmt: skip
    assert (allowance(proc, root).available_bytes, allowance(proc, root).bound) == (600_000_000, f"{root}/user/me")


def test_a_group_further_up_may_be_the_tighter_one(tmp_path: Path) -> None:
    proc, root = tree(tmp_path, {
        "proc/self/cgroup": "0::/outer/inner\n",
        "cgroup/outer/inner/memory.max": "max\n",
        "cgroup/outer/inner/memory.current": "1\n",
        "cgroup/outer/memory.max": "500000000\n",
        "cgroup/outer/memory.current": "100000000\n",
    })  # fmt: skip
    assert allowance(proc, root).available_bytes == 400_000_000


def test_a_container_sees_its_own_group_as_the_root(tmp_path: Path) -> None:
    proc, root = tree(tmp_path, {
        "proc/self/cgroup": "0::/kubepods/pod1/abc\n",
        "cgroup/memory.max": "700000000\n",
        "cgroup/memory.current": "200000000\n",
    })  # fmt: skip
    assert allowance(proc, root).available_bytes == 500_000_000


def test_the_limit_of_a_v1_group_is_read(tmp_path: Path) -> None:
    proc, root = tree(tmp_path, {
        "proc/self/cgroup": "5:devices:/x\n4:memory:/process/abc\n0::/\n",
        "cgroup/memory/process/abc/memory.limit_in_bytes": "800000000\n",
        "cgroup/memory/process/abc/memory.usage_in_bytes": "500000000\n",
        "cgroup/memory/process/abc/memory.stat": "cache 9\ntotal_inactive_file 100000000\n",
    })  # fmt: skip
    assert allowance(proc, root).available_bytes == 400_000_000


def test_a_v1_group_without_a_limit_sets_no_bound(tmp_path: Path) -> None:
    proc, root = tree(tmp_path, {
        "proc/self/cgroup": "4:memory:/\n",
        "cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        "cgroup/memory/memory.usage_in_bytes": "500000000\n",
    })  # fmt: skip
    assert allowance(proc, root).bound == "host"


def test_a_group_over_its_limit_leaves_nothing_and_not_less(tmp_path: Path) -> None:
    proc, root = tree(tmp_path, {
        "proc/self/cgroup": "0::/\n", "cgroup/memory.max": "100\n", "cgroup/memory.current": "200\n",
    })  # fmt: skip
    assert allowance(proc, root).available_bytes == 0


def test_oom_kills_are_counted_in_v1_v2_and_on_the_host(tmp_path: Path) -> None:
    proc, root = tree(tmp_path, {
        "proc/vmstat": "nr_free_pages 5\noom_kill 3\n",
        "proc/self/cgroup": "4:memory:/a\n0::/b\n",
        "cgroup/memory/a/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
        "cgroup/b/memory.events": "low 0\noom 9\noom_kill 4\noom_group_kill 0\n",
    })  # fmt: skip
    assert oom_kills(proc, root) == 9
    (root / "b/memory.events").write_text("oom_kill 5\n")
    assert oom_kills(proc, root) == 10


def test_a_system_that_counts_nothing_has_no_oom_kills(tmp_path: Path) -> None:
    assert oom_kills(*tree(tmp_path, {})) == 0


def test_this_machine_answers() -> None:
    assert allowance().available_bytes > 0
    assert oom_kills() >= 0
