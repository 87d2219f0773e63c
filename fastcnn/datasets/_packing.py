"""A data set written into files that are read where they lie: pictures are decoded once, and never all in memory."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastcnn.datasets._columns import NOTHING_ASKED, TableColumns
from fastcnn.datasets._dataset import Dataset
from fastcnn.datasets._fitting import Pictures
from fastcnn.datasets._own import from_pictures
from fastcnn.datasets._packed import IMAGES, PARTS, write_index
from fastcnn.datasets._reading import Reading, decoded, shallow
from fastcnn.datasets._table import Table

_BLOCK = 1 << 24  # bytes that are in memory at a time
_SCRATCH = ".decoded"


def pack_arrays(data: Dataset, folder: Path) -> Dataset:
    """Write a data set that is in memory into a folder.

    Parameters
    ----------
    data : Dataset
    folder : Path
        It is there, and empty.
    """
    parts = [x for part in PARTS if (x := getattr(data, f"x_{part}")) is not None]
    with (folder / IMAGES).open("xb") as file:
        _write_head(file, data.x_train, sum(map(len, parts)))
        for x in parts:
            _write(file, x, np.arange(len(x)))
    write_index(folder, data)
    return data


def pack_pictures(path: Path, asked: Pictures, folder: Path, columns: TableColumns = NOTHING_ASKED) -> Dataset:
    """Decode the pictures of a folder or a table into a folder, with the parts that `fastcnn.datasets.load` gives them.

    Parameters
    ----------
    path : Path
    asked : Pictures
    columns : TableColumns
    folder : Path
        It is there, and empty. It needs twice the space of the images while it is written.

    Raises
    ------
    DataError
        As `fastcnn.datasets.load`.
    """
    scratch = folder / _SCRATCH
    try:
        with scratch.open("w+b") as file:
            data = from_pictures(path, asked, lambda *of: _Packing(*of, folder=folder, file=file), columns)
    finally:
        scratch.unlink(missing_ok=True)
    write_index(folder, data)
    return data


class _Packing(Reading):
    """Pictures that go to a file as they are read: in colour, as it shows at the end only whether all are grey."""

    def __init__(self, root: Path, asked: Pictures, table: Table | None, *, folder: Path, file: Any) -> None:
        super().__init__(root, asked, table)
        self._folder, self._file = folder, file
        self._shape: tuple[int, ...] = ()
        self._written = 0  # images of the parts before
        self._wide: dict[int, Path] = {}  # pictures of 16 bits: what is white is known at the end

    def keep(self, name: str, file: Path, pixels: NDArray[Any]) -> None:
        """Write a picture."""
        self._shape = self._shape or (*pixels.shape[:2], self.asked.channels or 3)
        if pixels.dtype == np.uint16:
            self._wide[self.count - 1] = file
            pixels = np.zeros((*pixels.shape[:2], 1), np.uint8)
        if pixels.shape[:2] == self._shape[:2]:  # else `outcome` will tell
            self._file.write(np.ascontiguousarray(np.broadcast_to(pixels, self._shape)))

    def finish(self, files: int) -> tuple[NDArray[np.uint8], Pictures, list[str]]:
        """As `Reading.finish`, the images being a memory map."""
        pictures, notes = self.outcome(files)
        for row, file in self._wide.items():
            pixels = shallow(decoded(file, self.asked).pixels, pictures)
            self._file.seek(row * int(np.prod(self._shape)))
            self._file.write(np.ascontiguousarray(np.broadcast_to(pixels, self._shape)))
        self._file.flush()
        whole = np.memmap(self._file, np.uint8, "r", shape=(self.count, *self._shape))
        x = whole[..., : pictures.channels]
        with (self._folder / IMAGES).open("xb") as out:
            _write_head(out, x, len(x))
            out.truncate(out.tell() + x.nbytes)
        return x, pictures, notes

    def part(self, name: str, x: NDArray[Any], index: Any) -> NDArray[Any]:
        """Write the images of a part, and return them as a memory map."""
        mapped: NDArray[Any] = np.load(self._folder / IMAGES, mmap_mode="r", allow_pickle=False)
        rows = np.arange(len(x))[index]
        begin, self._written = self._written, self._written + len(rows)
        with (self._folder / IMAGES).open("r+b") as file:
            file.seek(-(len(x) - begin) * (mapped.nbytes // len(x)), io.SEEK_END)
            _write(file, x, rows)
        return mapped[begin : self._written]


def _write_head(file: Any, like: NDArray[Any], count: int) -> None:
    """Begin a file of NumPy's with so many images."""
    np.lib.format.write_array_header_1_0(file, {
        "descr": np.lib.format.dtype_to_descr(like.dtype), "fortran_order": False, "shape": (count, *like.shape[1:])})


def _write(file: Any, x: NDArray[Any], index: NDArray[Any]) -> None:
    """Write some images of an array, in their order."""
    many = max(1, _BLOCK // max(1, x.nbytes // len(x)))
    for begin in range(0, len(index), many):
        file.write(np.ascontiguousarray(x[index[begin : begin + many]]).data)
