"""What every store does with a table that it handed over: touch its pages, and take its digest."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import xxhash

PAGE_BYTES = 4096
# rows a block when hashing: 45 columns of it fit in a core's cache, whatever the layout in memory
DIGEST_ROWS = 4096

Table = pd.DataFrame | pd.Series


def nbytes(table: Table) -> int:
    """The bytes of the values; the index is not counted, it is the same in every store."""
    return int(np.sum(table.memory_usage(index=False, deep=True)))


def touch(*tables: Table) -> int:
    """Reads one byte of every page once, values and index. A lazy map is not a free read.

    Returns a checksum, so that nothing can be skipped.
    """
    return sum(_touch_array(array) for table in tables for array in _memory_of(table))


def digest(table: Table) -> str:
    """xxh3-128 of values, column names, dtypes and index; independent of the layout in memory.

    What is no plain number or time (texts, categories, numbers with gaps) counts by a hash of each value.
    """
    parts = {"index": _cells(table.index)}
    parts |= {f"column {position}": _cells(column) for position, column in enumerate(_columns(table))}
    hashes = {name: xxhash.xxh3_128() for name in parts}
    for start in range(0, len(table), DIGEST_ROWS):
        for name, array in parts.items():
            hashes[name].update(np.ascontiguousarray(array[start : start + DIGEST_ROWS]).data)
    whole = xxhash.xxh3_128(repr(_description(table)).encode())
    for part in hashes.values():
        whole.update(part.digest())
    return whole.hexdigest()


def _description(table: Table) -> tuple[Any, ...]:
    if isinstance(table, pd.DataFrame):
        columns = tuple((name, str(dtype)) for name, dtype in table.dtypes.items())
    else:
        columns = ((table.name, str(table.dtype)),)
    index = table.index
    name = index.name if index.nlevels == 1 else tuple(index.names)
    return (columns, str(index.dtype), name, len(table))


def _columns(table: Table) -> Iterator[Any]:
    if isinstance(table, pd.DataFrame):
        for position in range(table.shape[1]):
            yield table.iloc[:, position]
    else:
        yield table


def _cells(column: Any) -> Any:
    """A number for each value: itself, or a hash."""
    if isinstance(column.dtype, np.dtype) and not column.dtype.hasobject:
        array = column.to_numpy()
        return array.view(np.int64) if array.dtype.kind in "mM" else array
    return np.asarray(pd.util.hash_pandas_object(column, index=False))


def _memory_of(table: Table) -> list[Any]:
    """The arrays that own the table's memory, each once: the columns of one block share one."""
    arrays = [array for column in (*_columns(table), table.index) for array in _arrays(column)]
    owners = {}
    for array in arrays:
        owner = _owner(array)
        owners[owner.__array_interface__["data"][0]] = owner
    return list(owners.values())


def _arrays(column: Any) -> list[Any]:
    """What a column, or an index, is made of."""
    dtype = column.dtype
    if isinstance(column, pd.MultiIndex):
        return [*column.codes, *(array for level in column.levels for array in _arrays(level))]
    if isinstance(dtype, pd.CategoricalDtype):
        return [column.array.codes, *_arrays(dtype.categories)]
    if isinstance(dtype, pd.ArrowDtype) or getattr(dtype, "storage", "") == "pyarrow":
        import pyarrow as pa

        arrow = pa.array(column.array)
        buffers = [buffer for chunk in getattr(arrow, "chunks", [arrow]) for buffer in chunk.buffers()]
        return [np.frombuffer(buffer, np.uint8) for buffer in buffers if buffer is not None and buffer.size]
    return [column.to_numpy()]


def _owner(array: Any) -> Any:
    base = array
    while isinstance(base.base, np.ndarray):
        base = base.base
    # a view of a part of something larger: the rest is not this table's
    return base if base.flags.forc and base.dtype == array.dtype else array


def _touch_array(array: Any) -> int:
    if array.size == 0:
        return 0
    if array.dtype.hasobject:  # what the references lead to was made when they were
        return len(array.flat[:: PAGE_BYTES // array.itemsize])
    if array.dtype.kind in "mM":
        array = array.view(np.int64)
    if not array.flags.forc:
        return int(array.sum())
    flat = array.ravel(order="K").view(np.uint8)
    return int(flat[::PAGE_BYTES].sum(dtype=np.int64)) + int(flat[-1])
