"""prepare-data: writes the dataset of one multiplier, column after column, as the pickle that `read_pickle` reads."""

import contextlib
import fcntl
import io
import itertools
import json
import mmap
import os
import pickle
import pickletools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import contract
import direct
from schema import COLUMNS, ROWS_PER_MULTIPLIER, SEED
from sidecar import SIDECAR_VERSION, AlteredDatasetError, facts_of, sidecar

if TYPE_CHECKING:
    import xxhash

CHUNK_BYTES = 1 << 24
# 2 MB: fits in a core's cache on its way from the generator to the file
BLOCK_ROWS = 1 << 18


def main() -> None:
    with contract.measured("prepare-data") as step:
        import numpy  # noqa: F401 - its import belongs to startup
        import pandas  # noqa: F401

        step.started()
        step.told.data_dir.mkdir(parents=True, exist_ok=True)
        with step.phase("save"), _only_one(step.told.dataset):
            if sidecar(step.told.dataset).exists():
                facts = check(step.told.dataset, step.told.multiplier)
            else:
                facts = prepare(step.told.dataset, step.told.multiplier)
        told = {name: facts[name] for name in ("rows", "digest", "file_bytes")}
        step.results |= told
        # a Job has no output parameters as a Workflow has: its log is what is read
        print(json.dumps({"dataset": told}), flush=True)


def prepare(dataset: Path, multiplier: int) -> dict[str, Any]:
    """Writes the dataset and then its sidecar, each whole or not at all; returns the facts in the sidecar."""
    for left_over in dataset.parent.glob(f"{dataset.stem}.*.partial"):
        left_over.unlink()
    partial = dataset.with_name(f"{dataset.name}.{os.getpid()}.partial")
    try:
        facts = write(partial, multiplier)
        partial.replace(dataset)
    finally:
        partial.unlink(missing_ok=True)
    return _stamped(dataset, facts)


def check(dataset: Path, multiplier: int, digest: str = "") -> dict[str, Any]:
    """The facts of a dataset that is there and whole; its bytes are read only if it changed since that was last seen.

    Raises AlteredDatasetError, also where it is whole but not that of `digest`.
    """
    facts = facts_of(dataset, multiplier)
    if digest and facts["digest"] != digest:
        raise AlteredDatasetError(f"{dataset} has the digest {facts['digest']}, not {digest}")
    if dataset.stat().st_mtime_ns == facts["verified_mtime_ns"]:
        return facts
    if _digests(dataset, facts["data_offset"], facts["data_bytes"]) != (facts["digest"], facts["around_digest"]):
        raise AlteredDatasetError(f"the content of {dataset} is not what was prepared")
    return _stamped(dataset, facts)


def _stamped(dataset: Path, facts: dict[str, Any]) -> dict[str, Any]:
    """Writes the sidecar, with when the file was changed last: until it is again, it is known to be whole."""
    facts = {**facts, "verified_mtime_ns": dataset.stat().st_mtime_ns}
    partial = sidecar(dataset).with_name(f"{sidecar(dataset).name}.{os.getpid()}.partial")
    partial.write_text(json.dumps(facts), encoding="utf-8")
    partial.replace(sidecar(dataset))
    return facts


def _digests(dataset: Path, offset: int, size: int) -> tuple[str, str]:
    """Of the cells, and of what stands around them."""
    import xxhash

    cells, around = xxhash.xxh3_128(), xxhash.xxh3_128()
    with dataset.open("rb") as file:
        around.update(file.read(offset))
        while size and (chunk := file.read(min(CHUNK_BYTES, size))):
            cells.update(chunk)
            size -= len(chunk)
        around.update(file.read())
    return cells.hexdigest(), around.hexdigest()


def write(path: Path, multiplier: int) -> dict[str, Any]:
    """Writes the pickle of the DataFrame and returns the facts of it.

    A pickle is a program in which the bytes of an array stand whole (protocol 5, PEP 574). The program is made
    from a table of the right shape whose memory is never touched, with a gap for the bytes; they are generated
    into the gap, block by block.
    """
    import xxhash

    rows = ROWS_PER_MULTIPLIER * multiplier
    before, after = _program(rows)
    cells = xxhash.xxh3_128()
    direct.write(path, itertools.chain([before], _hashed(_blocks(rows), cells), [after]))
    return {
        "sidecar_version": SIDECAR_VERSION,
        "multiplier": multiplier,
        "rows": rows,
        "columns": [name for name, _, _ in COLUMNS],
        "dtype": "int64",
        "data_offset": len(before),
        "data_bytes": rows * len(COLUMNS) * 8,
        "file_bytes": path.stat().st_size,
        "digest": cells.hexdigest(),
        "around_digest": xxhash.xxh3_128(before + after).hexdigest(),
    }


def _blocks(rows: int) -> Iterator[memoryview]:
    """The columns in their order, all from one generator, in blocks: so much memory is used again, not touched anew.

    A generator goes on where it was, so that the blocks of a column are what it would have drawn at once.
    """
    import numpy as np

    rng = np.random.default_rng(SEED)
    for _, low, high in COLUMNS:
        for start in range(0, rows, BLOCK_ROWS):
            yield rng.integers(low, high, min(BLOCK_ROWS, rows - start), dtype=np.int64).data.cast("B")


def _hashed(blocks: Iterator[memoryview], cells: "xxhash.xxh3_128") -> Iterator[memoryview]:
    for block in blocks:
        cells.update(block)
        yield block


def _program(rows: int) -> tuple[bytes, bytes]:
    """The pickle of the DataFrame before and after the bytes of its one block, unframed."""
    import numpy as np
    import pandas as pd

    size = rows * len(COLUMNS) * 8
    untouched = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_NORESERVE", 0))
    block = np.frombuffer(untouched, dtype=np.int64).reshape(len(COLUMNS), rows)
    frame = pd.DataFrame(block.T, columns=[name for name, _, _ in COLUMNS], copy=False)
    kept = io.BytesIO()
    # a callback that returns False takes the buffer out of the stream, and leaves NEXT_BUFFER in its place
    pickle.Pickler(kept, protocol=5, buffer_callback=lambda buffer: buffer.raw().nbytes != size).dump(frame)
    stream = kept.getvalue()
    before, after = _split(stream, size)
    return before, after


def _split(stream: bytes, size: int) -> tuple[bytes, bytes]:
    """The stream without frames, cut at NEXT_BUFFER, which becomes BYTEARRAY8 of `size` bytes."""
    starts = [(position, code.name) for code, _, position in pickletools.genops(stream) if position is not None]
    ends = [position for position, _ in starts[1:]] + [len(stream)]
    parts = [b""]
    for (start, name), end in zip(starts, ends, strict=True):
        if name == "NEXT_BUFFER":
            parts[-1] += pickle.BYTEARRAY8 + size.to_bytes(8, "little")
            parts.append(b"")
        elif name != "FRAME":
            parts[-1] += stream[start:end]
    before, after = parts
    return before, after


@contextlib.contextmanager
def _only_one(dataset: Path) -> Iterator[None]:
    """Lets one process at a time make this dataset; the kernel frees the lock when a process dies.

    Raises AlteredDatasetError where a file is there that no prepare-data of ours has begun: the published procedure's
    files have the same names.
    """
    begun = dataset.with_suffix(".lock").exists() or sidecar(dataset).exists()
    if dataset.exists() and not begun:
        raise AlteredDatasetError(f"{dataset} is there, but not made by FluidBench")
    with dataset.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    main()
