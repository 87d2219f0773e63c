"""Pictures that stay files: each is decoded when a batch asks for it, so that no memory is needed for all of them."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastcnn.data.mapped_rows import MappedRows
from fastcnn.datasets._fitting import Pictures
from fastcnn.datasets._reading import Reading, decoded, shallow
from fastcnn.datasets._table import Table
from fastcnn.errors import DataError

_State = tuple[int, int]


class PictureFiles:
    """Images of one shape, each made of its file when it is asked for: what `MappedRows` takes for an array.

    Parameters
    ----------
    files : list of Path
    states : list of (int, int)
        What `state_of` told of each file when it was looked at first.
    shape : (int, int, int)
        Of each image.
    pictures : Pictures
        How all of them are made into images.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, files: list[Path], states: list[_State], shape: tuple[int, ...], pictures: Pictures) -> None:
        self._files, self._states, self._pictures = files, states, pictures
        self.shape = len(files), *shape

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, row: int) -> NDArray[np.uint8]:
        """Return an image (H, W, C).

        Raises
        ------
        DataError
            A file that is gone, or another one than it was: which says so with its path.
        """
        file = self._files[row]
        if state_of(file) != self._states[row]:
            raise DataError(f"{file}: expected the picture that was there when the data set was loaded, got "
                            f"{'another one' if file.exists() else 'none'}; load the data set again")
        pixels = shallow(decoded(file, self._pictures).pixels, self._pictures)
        return pixels if pixels.shape == self.shape[1:] else np.broadcast_to(pixels, self.shape[1:])

    def told(self, rows: NDArray[np.int64]) -> bytes:
        """Return what tells these pictures from others without a look at them: names, sizes, and how they are made."""
        known = [(self._files[row].parts[-2:], self._states[row][0]) for row in rows.tolist()]
        return repr((known, self._pictures)).encode()


def state_of(file: Path) -> _State:
    """Return the size of a file and when it was changed last; zeros if it is not there."""
    try:
        found = os.stat(file)
    except OSError:
        return 0, 0
    return found.st_size, found.st_mtime_ns


class Filing(Reading):
    """Pictures that are looked at once, all of them, and then left where they are."""

    def __init__(self, root: Path, asked: Pictures, table: Table | None = None) -> None:
        super().__init__(root, asked, table)
        self._files: list[Path] = []
        self._states: list[_State] = []
        self._size: tuple[int, ...] = ()

    def keep(self, name: str, file: Path, pixels: NDArray[Any]) -> None:
        """As `Reading.keep`."""
        self._size = self._size or pixels.shape[:2]
        self._files.append(file)
        self._states.append(state_of(file))

    def finish(self, files: int) -> Any:
        """As `Reading.finish`, the images being `MappedRows`."""
        pictures, notes = self.outcome(files)
        shape = *self._size, pictures.channels or 1
        how = pictures._replace(channels=1 if self.asked.channels == 1 else None)
        return MappedRows([PictureFiles(self._files, self._states, shape, how)]), pictures, notes  # type: ignore[list-item]

    def part(self, name: str, x: Any, index: Any) -> Any:
        """As `Reading.part`."""
        return x.take(index)
