"""Pictures of any depth and size, read one after the other into one array of eight bits."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastcnn.data.ahead import ahead
from fastcnn.datasets._fitting import Pictures, eight_bits, fitted, white_of, with_channels
from fastcnn.datasets._pillow import read_picture
from fastcnn.datasets._table import Table
from fastcnn.errors import DataError

_NAMED = 20  # files that a message names


class Decoded(NamedTuple):
    """A picture from a file.

    Attributes
    ----------
    pixels : ndarray of uint8 or uint16, (H, W, C)
        Of the size that was asked for, and of the file's own depth and channels.
    size : (int, int)
        Its own height and width.
    is_fitted : bool
        Whether it had to be brought to the size.
    brightest : int or None
        The largest value, of 16 bits.
    """

    pixels: NDArray[Any]
    size: tuple[int, int]
    is_fitted: bool
    brightest: int | None


def decoded(file: Path, asked: Pictures) -> Decoded:
    """Return a picture as it is kept until all are known.

    Raises
    ------
    DataError
        As `read_picture`.
    """
    pixels, _, size = read_picture(file, asked.image_size, asked.fit)
    brightest = None
    if pixels.dtype == np.uint16:
        brightest = int(pixels.max())
    elif asked.channels == 1:
        pixels = with_channels(pixels, 1, [])
    if asked.image_size is not None:
        pixels = fitted(pixels, *asked.image_size, asked.fit, [])
    return Decoded(pixels, size, size != pixels.shape[:2], brightest)


def shallow(pixels: NDArray[Any], pictures: Pictures) -> NDArray[np.uint8]:
    """Return a picture in 8 bits, now that it is known how white the whitest of all is."""
    return eight_bits(pixels, pictures.white, []) if pixels.dtype == np.uint16 and pictures.white else pixels


class Reading:
    """Pictures as they are read, each of its own depth and channels until all are known.

    Parameters
    ----------
    root : Path
        Where they are, for messages.
    asked : Pictures
    table : Table, optional
        What names them, for messages.
    """

    def __init__(self, root: Path, asked: Pictures, table: Table | None = None) -> None:
        self.root, self.asked, self.table = root, asked, table
        self.found: list[Any] = []
        self.count, self.channels = 0, 1  # of pictures read
        self.faults: dict[str, DataError] = {}
        self.sizes: dict[str, tuple[int, int]] = {}
        self.fitted = 0
        self.brightest: int | None = None  # of 16 bits

    def add_all(self, files: dict[str, Path]) -> NDArray[np.bool_]:
        """Read pictures by name; return which could be read. Threads decode the next ones ahead, the order stays."""
        return np.array([self._add(name, files[name], found) for name, found in zip(
            files, ahead(self._decoded, files.values()), strict=True)], bool)  # fmt: skip

    def _decoded(self, file: Path) -> Any:
        try:
            return decoded(file, self.asked)
        except DataError as error:
            return error

    def _add(self, name: str, file: Path, found: Any) -> bool:
        if isinstance(found, DataError):
            self.faults[name] = found if self.table is None else DataError(f"{self.table.where(name)}: {found}")
            return False
        pixels, self.sizes[name] = found.pixels, found.size
        if found.brightest is not None:
            self.brightest = max(self.brightest or 0, found.brightest)
        self.fitted += found.is_fitted
        self.count, self.channels = self.count + 1, max(self.channels, pixels.shape[2])
        self.keep(name, file, pixels)
        return True

    def keep(self, name: str, file: Path, pixels: NDArray[Any]) -> None:
        """Take a picture that was read, uint8 or uint16 (H, W, C)."""
        self.found.append(pixels)

    def finish(self, files: int) -> tuple[NDArray[np.uint8], Pictures, list[str]]:
        """Return all images (N, H, W, C), grey ones made RGB where there is one in colour, how, and notes."""
        pictures, notes = self.outcome(files)
        x = np.empty((self.count, *self.found[0].shape[:2], pictures.channels or 1), np.uint8)
        for i, one in enumerate(self.found):
            self.found[i] = None  # so that the pictures do not lie in memory twice
            x[i] = shallow(one, pictures)  # one channel is repeated by broadcasting
        return x, pictures, notes

    def part(self, name: str, x: NDArray[Any], index: Any) -> NDArray[Any]:
        """Return the images of a part, ``"train"``, ``"test"`` or ``"dev"``, by their index or slice."""
        return x[index]

    def outcome(self, files: int) -> tuple[Pictures, list[str]]:
        """Return how the pictures are made into images, now that all are known, and notes; raise for what is wrong."""
        if self.faults and (not self.asked.skip_damaged or not self.count):
            raise _unreadable(self.faults, files)
        if self.asked.image_size is None:
            require_one_size(self.root, self.sizes)
        white = self.asked.white
        if white is None and self.brightest is not None:
            white = white_of(self.brightest)
        size = self.asked.image_size if self.fitted else None
        channels = self.asked.channels or self.channels
        return self.asked._replace(image_size=size, channels=channels, white=white), self._notes(files, white)

    def _notes(self, files: int, white: int | None) -> list[str]:
        notes = []
        if self.faults:
            notes.append(f"{len(self.faults)} of {files} files skipped, as they cannot be read: "
                         f"{_listed(self.faults)}")  # fmt: skip
        if self.fitted:
            height, width = self.asked.image_size or (0, 0)
            how = {"crop": "cropped around the centre and resized", "pad": "resized whole, with black beside them",
                   "stretch": "resized, whatever their shape"}[self.asked.fit]  # fmt: skip
            number = "all" if self.fitted == self.count else f"{self.fitted} of {self.count}"
            notes.append(f"{number} pictures brought to {width}x{height} (width x height): "
                         f"{how}")  # fmt: skip
        if self.brightest is not None and white is not None:
            notes.append(f"pictures of 16 bits scaled by the {white.bit_length()} that they use: white is {white}")
            if self.brightest > white:
                notes.append(f"values up to {self.brightest} are there, and white too")
        return notes


def require_one_size(root: Path, sizes: dict[str, tuple[int, int]]) -> None:
    """Raise DataError where pictures are of several sizes."""
    counts = Counter(sizes.values())
    if len(counts) < 2:
        return
    (height, width), count = counts.most_common(1)[0]
    other, (other_height, other_width) = next((name, at) for name, at in sizes.items() if at != (height, width))
    raise DataError(
        f"{root}: expected pictures of one size, got {len(counts)} sizes: {count} of {len(sizes)} are {width}x{height} "
        f"(width x height), {other} is {other_width}x{other_height}; say to which "
        f"one to bring them, as with image_size=({height}, {width}) or --size {width}x{height}"
    )


def _unreadable(faults: dict[str, DataError], files: int) -> DataError:
    """Return one error for all files that cannot be read: the first with its reason, the others by name."""
    first, *others = faults
    more = f"; of {files} files {len(faults)} cannot be read, also {_listed(others)}" if others else ""
    return DataError(f"{faults[first]}{more}; skip_damaged=True or --skip-damaged passes over such files")


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
