"""Against a dataset that prepare-data's own code wrote: what it checks, and what FluidBench takes without looking."""

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import prepare_data
from fluidbench import dataset as datasets
from fluidbench.dataset import all_in, find, remove
from prepare_data import AlteredDatasetError, check


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    path = tmp_path / "df_1.pkl"
    prepare_data.prepare(path, 1)
    time.sleep(0.02)  # a file system's clock may tick that slowly, and a change must have a later time
    return path


def change(path: Path, position: int) -> None:
    with path.open("r+b") as file:
        file.seek(position)
        byte = file.read(1)[0]
        file.seek(position)
        file.write(bytes([byte ^ 1]))


def facts(dataset: Path) -> dict:
    return json.loads(dataset.with_suffix(".json").read_text())


def change_facts(**changed: object) -> Callable[[Path], None]:
    def apply(dataset: Path) -> None:
        dataset.with_suffix(".json").write_text(json.dumps(facts(dataset) | changed))

    return apply


def without(name: str) -> Callable[[Path], None]:
    def apply(dataset: Path) -> None:
        kept = {key: value for key, value in facts(dataset).items() if key != name}
        dataset.with_suffix(".json").write_text(json.dumps(kept))

    return apply


def test_a_whole_dataset_is_found_with_its_digest(dataset: Path) -> None:
    found = find(dataset.parent, 1)
    assert found
    assert (found.path, found.rows, found.multiplier) == (dataset, 10_000, 1)
    assert (found.digest, found.file_bytes) == (facts(dataset)["digest"], dataset.stat().st_size)


def test_there_is_none_in_an_empty_directory(tmp_path: Path) -> None:
    assert find(tmp_path, 1) is None


def test_a_file_without_its_sidecar_is_no_dataset(dataset: Path) -> None:
    dataset.with_suffix(".json").unlink()
    assert find(dataset.parent, 1) is None


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (lambda path: os.truncate(path, path.stat().st_size // 2), "bytes, prepared were"),
        (lambda path: os.truncate(path, 0), "has 0 bytes"),
        (lambda path: change(path, 20), "not what was prepared"),
        (lambda path: change(path, facts(path)["data_offset"] + 8 * 12_345), "not what was prepared"),
        (lambda path: change(path, path.stat().st_size - 3), "not what was prepared"),
        (lambda path: path.unlink(), "is missing, though its sidecar is there"),
        (lambda path: path.with_suffix(".json").write_text("{"), "cannot be read"),
        (lambda path: path.with_suffix(".json").write_text("[1]"), "cannot be read"),
        (lambda path: path.with_suffix(".json").write_text("[]"), "not of version 1"),
        (change_facts(sidecar_version=99), "not of version 1"),
        (change_facts(multiplier=2), "that of multiplier 2"),
        (change_facts(digest="0" * 32, verified_mtime_ns=0), "not what was prepared"),
        (without("digest"), "lacks digest"),
        (without("file_bytes"), "lacks file_bytes"),
        (without("verified_mtime_ns"), "lacks verified_mtime_ns"),
    ],
)
def test_a_dataset_that_is_not_what_was_prepared_is_never_used(dataset: Path, harm: Callable, reason: str) -> None:
    harm(dataset)
    for _ in range(2):  # having looked at it does not make it good
        assert find(dataset.parent, 1) is None
        with pytest.raises(AlteredDatasetError, match=reason) as caught:
            check(dataset, 1)
        assert str(dataset) in str(caught.value)


def test_the_dataset_of_one_multiplier_is_not_taken_for_another(dataset: Path) -> None:
    for suffix in (".pkl", ".json"):
        # with its times, as `cp -a` does
        shutil.copy2(dataset.with_suffix(suffix), dataset.parent / f"df_2{suffix}")
    assert find(dataset.parent, 2) is None
    with pytest.raises(AlteredDatasetError, match="that of multiplier 1"):
        check(dataset.parent / "df_2.pkl", 2)


def test_fluidbench_and_prepare_data_speak_of_the_same_sidecar() -> None:
    assert datasets.SIDECAR_VERSION == prepare_data.SIDECAR_VERSION


def test_a_file_that_was_only_touched_is_read_again_once_and_remembered(dataset: Path) -> None:
    os.utime(dataset, ns=(1, 1_000_000_007))
    assert find(dataset.parent, 1) is None
    check(dataset, 1)
    assert find(dataset.parent, 1)
    assert facts(dataset)["verified_mtime_ns"] == 1_000_000_007
    assert sorted(path.name for path in dataset.parent.iterdir()) == ["df_1.json", "df_1.pkl"]


def test_a_file_that_did_not_change_is_not_read_again(dataset: Path) -> None:
    seen, before = dataset.stat(), facts(dataset)
    change(dataset, before["data_offset"])
    os.utime(dataset, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    # nothing tells of this change but the bytes themselves, which are gigabytes elsewhere
    assert check(dataset, 1) == before


def test_a_removed_dataset_leaves_nothing(dataset: Path) -> None:
    assert all_in(dataset.parent) == [dataset]
    remove(dataset)
    assert list(dataset.parent.iterdir()) == []
