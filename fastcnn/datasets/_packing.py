"""A data set written into files that are read where they lie: pictures are decoded once, and never all in memory."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastcnn.datasets._dataset import Dataset
from fastcnn.datasets._fitting import Pictures, eight_bits, fitted
from fastcnn.datasets._own import from_pictures
from fastcnn.datasets._packed import PARTS, write_index
from fastcnn.datasets._pillow import read_picture
from fastcnn.datasets._reading import Reading
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
    for part in PARTS:
        if getattr(data, f"x_{part}") is not None:
            _write(folder / f"x_{part}.npy", getattr(data, f"x_{part}"), np.arange(len(getattr(data, f"y_{part}"))))
    write_index(folder, data)
    return data


def pack_pictures(path: Path, asked: Pictures, folder: Path) -> Dataset:
    """Decode the pictures of a folder or a table into a folder, with the parts that `fastcnn.datasets.load` gives them.

    Parameters
    ----------
    path : Path
    asked : Pictures
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
            data = from_pictures(path, asked, lambda *of: _Packing(*of, folder=folder, file=file))
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
            pixels, _ = read_picture(file)
            if self.asked.image_size is not None:
                pixels = fitted(pixels, *self.asked.image_size, self.asked.fit, [])
            if pictures.white is not None and pixels.dtype == np.uint16:
                pixels = eight_bits(pixels, pictures.white, [])
            self._file.seek(row * int(np.prod(self._shape)))
            self._file.write(np.ascontiguousarray(np.broadcast_to(pixels, self._shape)))
        self._file.flush()
        x = np.memmap(self._file, np.uint8, "r", shape=(self.count, *self._shape))
        return x[..., : pictures.channels], pictures, notes

    def part(self, name: str, x: NDArray[Any], index: Any) -> NDArray[Any]:
        """Write the images of a part, and return them as a memory map."""
        path = self._folder / f"x_{name}.npy"
        _write(path, x, np.arange(len(x))[index])
        mapped: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        return mapped


def _write(path: Path, x: NDArray[Any], index: NDArray[Any]) -> None:
    """Write some images of an array, in their order, as a file of NumPy's."""
    shape = (len(index), *x.shape[1:])
    many = max(1, _BLOCK // max(1, int(np.prod(shape[1:])) * x.itemsize))
    with path.open("xb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": np.lib.format.dtype_to_descr(x.dtype), "fortran_order": False, "shape": shape}
        )
        for begin in range(0, len(index), many):
            file.write(np.ascontiguousarray(x[index[begin : begin + many]]).data)
