"""Tables as one block each in Vineyard: what is gained by handing a table over whole."""

import atexit
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from vineyard import ObjectMeta

import vineyard_client
from frames import Table

TYPE_NAME = "fluidbench::Block"
Array = np.ndarray[Any, np.dtype[Any]]


class VineyardBlockStore:
    """One 2-D block a dtype, written straight into shared memory, and read as a frame over it without a copy.

    A table of one dtype, as the published ones are, is one block, and comes back as a DataFrame of one block. A block
    holds columns or rows one after the other, as the table did that was saved.
    """

    transport = "ipc"

    def __init__(self, directory: Path, run_id: str) -> None:
        self._client = vineyard_client.connect()
        if not self._client.has_ipc_client():
            raise ConnectionError("vineyard-block needs the socket of a Vineyard worker on this node, there is none")
        self._run_id = run_id
        self._allocated: dict[str, tuple[Any, Array]] = {}
        # of what is not sealed nobody knows: the server would keep it when this step fails
        atexit.register(self._give_back)

    def allocate(self, name: str, rows: int, columns: int, dtype: "np.dtype[Any]") -> Array:
        """Shared memory for the rows of a table, to be filled before it is saved as a frame on it."""
        builder, memory = self._blob(rows * columns, dtype)
        place = memory.reshape(rows, columns)
        self._allocated[name] = (builder, place)
        return place

    def save(self, name: str, table: Table) -> None:
        meta = ObjectMeta()
        meta["typename"] = TYPE_NAME
        blocks, layouts = self._blocks(name, table)
        values = table.index.to_numpy()
        index_builder, index = self._blob(len(values), values.dtype)
        index[:] = values
        meta["layout"] = json.dumps(_layout(table, layouts))
        meta["nbytes"] = values.nbytes + sum(builder.size for builder in blocks)
        for number, builder in enumerate((index_builder, *blocks)):
            meta.add_member(f"part_{number}", builder.seal(self._client))
        made = self._client.create_metadata(meta)
        self._client.persist(made.id)
        self._client.put_name(made.id, self._object_name(name))

    def load(self, name: str) -> Table:
        found = self._client.get_object(self._client.get_name(self._object_name(name)), fetch=True)
        layout = json.loads(found.meta["layout"])
        rows = layout["rows"]
        index = pd.Index(_memory(found, 0, layout["index_dtype"], rows), name=layout["index_name"], copy=False)
        blocks = [_values(found, number, told, rows) for number, told in enumerate(layout["blocks"], start=1)]
        names = layout["names"]
        if layout["series"]:
            return pd.Series(blocks[0][:, 0], index=index, name=names[0], copy=False)
        if len(blocks) == 1:
            return pd.DataFrame(blocks[0], index=index, columns=names, copy=False)
        parts = [
            pd.DataFrame(block, index=index, columns=told["positions"], copy=False)
            for told, block in zip(layout["blocks"], blocks, strict=True)
        ]
        whole = pd.concat(parts, axis=1)[list(range(len(names)))]
        return whole.set_axis(names, axis=1)

    def files(self, name: str) -> Sequence[Path]:
        return ()

    def settle(self) -> None:
        pass

    def _blocks(self, name: str, table: Table) -> tuple[list[Any], list[dict[str, Any]]]:
        """The blobs of the values, filled, and what stands in each."""
        if name in self._allocated:
            builder, place = self._allocated.pop(name)
            if np.shares_memory(place, table.to_numpy()):
                return [builder], [_block(place.dtype, range(place.shape[1]), row_major=True)]
            self._abort(builder)
        frame = table.to_frame() if isinstance(table, pd.Series) else table
        builders, layouts = [], []
        for dtype, positions in _by_dtype(frame).items():
            some = frame if len(positions) == frame.shape[1] else frame.iloc[:, positions]
            builder, memory = self._blob(some.size, dtype)
            row_major = _fill(memory, some)
            builders.append(builder)
            layouts.append(_block(dtype, positions, row_major=row_major))
        return builders, layouts

    def _blob(self, count: int, dtype: Any) -> tuple[Any, Array]:
        """A blob for so many values, and its memory as an array."""
        if not isinstance(dtype, np.dtype) or dtype.hasobject:
            raise TypeError(f"vineyard-block holds numbers, not {dtype}: use pickle, parquet or arrow for such a table")
        # one byte more where there is nothing: an empty blob is none that could be a member
        builder = self._client.create_blob(max(1, count * dtype.itemsize))
        memory = memoryview(builder)[: count * dtype.itemsize]
        return builder, np.frombuffer(memory, dtype)

    def _give_back(self) -> None:
        for builder, _ in self._allocated.values():
            self._abort(builder)

    def _abort(self, builder: Any) -> None:
        builder.abort(self._client.ipc_client)

    def _object_name(self, name: str) -> str:
        return f"{name}-{self._run_id}"


def _by_dtype(frame: pd.DataFrame) -> dict[Any, list[int]]:
    positions: dict[Any, list[int]] = {}
    for position, dtype in enumerate(frame.dtypes):
        positions.setdefault(dtype, []).append(position)
    return positions


def _fill(memory: Array, frame: pd.DataFrame) -> bool:
    """Copies the values in the order in which they lie in memory, each once; whether that was row by row."""
    rows, columns = frame.shape
    first = frame.iloc[:, 0].to_numpy() if columns else memory
    if columns > 1 and first.strides[0] > first.itemsize:
        memory.reshape(rows, columns)[:] = frame.to_numpy()
        return True
    for position, place in enumerate(memory.reshape(columns, rows)):
        place[:] = frame.iloc[:, position].to_numpy()
    return False


def _block(dtype: Any, positions: Sequence[int], *, row_major: bool) -> dict[str, Any]:
    return {"dtype": dtype.str, "positions": list(positions), "row_major": row_major}


def _layout(table: Table, blocks: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "series": isinstance(table, pd.Series),
        "names": [table.name] if isinstance(table, pd.Series) else list(table.columns),
        "rows": len(table),
        "index_name": table.index.name,
        "index_dtype": table.index.to_numpy().dtype.str,
        "blocks": list(blocks),
    }


def _memory(found: Any, number: int, dtype: str, count: int) -> Array:
    """A part of an object, in shared memory."""
    return np.frombuffer(memoryview(found.member(f"part_{number}")), dtype, count)


def _values(found: Any, number: int, told: Mapping[str, Any], rows: int) -> Array:
    """A block as (rows, columns), in whatever order it lies in memory."""
    columns = len(told["positions"])
    memory = _memory(found, number, told["dtype"], rows * columns)
    return memory.reshape(rows, columns) if told["row_major"] else memory.reshape(columns, rows).T
