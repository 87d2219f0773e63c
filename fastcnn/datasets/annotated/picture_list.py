"""Pictures of different sizes that stay files: each is read when it is asked for."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastcnn.datasets._fitting import eight_bits, white_of, with_channels
from fastcnn.datasets._picture_files import state_of
from fastcnn.datasets._pillow import read_picture
from fastcnn.errors import DataError


class PictureList(Sequence[Any]):
    """Pictures by number: an index reads one, (H, W, C) of uint8; a slice gives a shorter list.

    Parameters
    ----------
    files : sequence of Path
    channels : int
        1 or 3.
    states : sequence of (int, int), optional
        The size of each file and when it was changed, as they were when the data set was loaded.
    """

    def __init__(self, files: Sequence[Path], channels: int, states: Sequence[tuple[int, int]] | None = None) -> None:
        self.files, self.channels = list(files), channels
        self._states = [state_of(file) for file in files] if states is None else list(states)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, row: Any) -> Any:
        if isinstance(row, slice):
            return PictureList(self.files[row], self.channels, self._states[row])
        file = self.files[row]
        if state_of(file) != self._states[row]:
            raise DataError(f"{file}: expected the picture that was there when the data set was loaded, got "
                            f"{'another one' if file.exists() else 'none'}; load the data set again")
        return picture_at(file, self.channels)

    def taken(self, rows: Sequence[int]) -> "PictureList":
        """Return some of the pictures, unread."""
        return PictureList([self.files[row] for row in rows], self.channels, [self._states[row] for row in rows])


def picture_at(file: Path, channels: int | None) -> NDArray[np.uint8]:
    """Return a picture (H, W, C) of uint8, its own channels for None.

    Raises
    ------
    DataError
        As `read_picture`.
    """
    pixels = read_picture(file).pixels
    if pixels.dtype == np.uint16:
        pixels = eight_bits(pixels, white_of(int(pixels.max())), [])
    return with_channels(pixels, channels, [])
