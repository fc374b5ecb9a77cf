from pathlib import Path

import psutil

from fluidbench.machine.fingerprint import disk_of, fingerprint, readings, threads_allowed


def test_the_same_machine_has_the_same_fingerprint(tmp_path: Path) -> None:
    assert fingerprint(tmp_path) == fingerprint(tmp_path)


def test_another_disk_is_another_fingerprint(tmp_path: Path) -> None:
    assert fingerprint(tmp_path).hash != fingerprint(Path("/proc")).hash


def test_the_facts_are_those_that_a_comparison_needs(tmp_path: Path) -> None:
    facts = fingerprint(tmp_path).facts
    assert {"cpu", "processors", "memory", "system", "python", "disk", "numpy", "pandas", "scikit-learn"} <= set(facts)
    assert "unknown" not in (facts["cpu"], facts["disk"])


def test_load_and_free_memory_are_readings_and_not_facts(tmp_path: Path) -> None:
    assert set(readings()) == {"load_1m", "memory_available_bytes"}
    assert not set(readings()) & set(fingerprint(tmp_path).facts)


def test_the_file_system_of_a_directory_is_told() -> None:
    assert disk_of(Path("/proc")).startswith("proc on ")


def test_only_processors_that_may_be_used_are_counted() -> None:
    assert threads_allowed() == len(psutil.Process().cpu_affinity() or [])
