"""Batches of rows that take long to make, made by threads ahead of their use."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from fastcnn.data.ahead import ahead
from fastcnn.data.mapped_rows import MappedRows


def read_ahead(sources: Sequence[MappedRows], parts: Iterable[Any], size: int,
               empty: Callable[[MappedRows, int], np.ndarray], threads: int) -> Iterator[tuple[Any, list[np.ndarray]]]:
    """Yield each part with its rows of all sources, in the order of the parts; threads make the next two meanwhile.

    Each row is made by itself, so it has the same bits from any number of threads. An error is raised in the turn of
    the part that it is in. Where this generator is closed, its threads end.

    Parameters
    ----------
    sources : sequence of MappedRows
    parts : iterable of slices or arrays of int
    size : int
        Rows of a part, of most of them.
    empty : function
        (source, rows) -> array to write them to, which is called in the thread of the caller.
    threads : int
        With one, rows are made when they are asked for, by the caller.
    """
    chunk = max(1, -(-size // threads))  # `ahead` begins two items a thread: together two parts

    def chunks() -> Iterator[Any]:
        for part in parts:
            rows = np.arange(*part.indices(len(sources[0]))) if isinstance(part, slice) else part
            outs = [empty(source, len(rows)) for source in sources]
            for begin in range(0, len(rows), chunk):
                yield part, rows[begin : begin + chunk], outs, begin, begin + chunk >= len(rows)

    for part, outs, is_last in ahead(lambda item: _read(sources, *item), chunks(), threads):
        if is_last:
            yield part, outs


def _read(sources: Sequence[MappedRows], part: Any, rows: np.ndarray, outs: list[np.ndarray], begin: int,
          is_last: bool) -> tuple[Any, list[np.ndarray], bool]:
    for source, out in zip(sources, outs, strict=True):
        source.read(rows, out[begin : begin + len(rows)])
    return part, outs, is_last
