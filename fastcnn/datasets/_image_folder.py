"""Pictures in folders, one sub-folder a class, read into one array."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastcnn.datasets._dataset import Origin, stratified_split
from fastcnn.datasets._fitting import Pictures, eight_bits, fitted, white_of, with_channels
from fastcnn.datasets._folders import layout_of
from fastcnn.datasets._pillow import read_picture, size_of
from fastcnn.errors import DataError
from fastcnn.formats.files import printable

Split = tuple[NDArray[np.uint8], NDArray[np.int64]]
_NAMED = 20  # files that a message names


class Folder(NamedTuple):
    """What was read from a folder of pictures.

    Attributes
    ----------
    train, test, dev : (x, y)
        Images uint8 (N, H, W, C), labels int64 (N,). No `dev`: None.
    origin : Origin
    classes : tuple of str
    pictures : Pictures
        What was done, for `Dataset.pictures`.
    notes : tuple of str
    """

    train: Split
    test: Split
    dev: Split | None
    origin: Origin
    classes: tuple[str, ...]
    pictures: Pictures
    notes: tuple[str, ...]


def read_image_folder(root: Path, asked: Pictures) -> Folder:
    """Read a folder of pictures with one sub-folder a class.

    Parameters
    ----------
    root : Path
        Holds the class folders, or ``train`` and ``test`` (or ``val``) that hold them. Without those, every fifth
        picture of each class, by name, is a test picture. What is hidden or of a system, and files beside class
        folders, do not count.
    asked : Pictures
        What to make of them.

    Raises
    ------
    DataError
        As `layout_of`; files that cannot be read, all of which are named; pictures of unlike sizes without an
        `image_size`; a class of which nothing can be read.
    """
    layout = layout_of(root)
    parts = [part for part in (layout.train, layout.test, layout.dev) if part is not None]
    files = [file for part in parts for file in part.files]
    if asked.image_size is None:
        told = {file: size for file in files if (size := size_of(file)) is not None}
        _require_one_size(root, told)  # a folder of large photographs takes minutes to read, and their heads a moment
    reading = _Reading(root, asked)
    kept = np.array([reading.add(file) for file in files])
    x, pictures, notes = reading.finish(len(files))
    labels, first = np.array([label for part in parts for label in part.labels]), len(layout.train.files)
    _require_some_of_each(root, layout.classes, labels[:first], kept[:first])
    y = labels[kept]
    names = np.array([file.relative_to(root).as_posix() for file in files], object)[kept]
    if layout.test is None:
        train, test = _split(root, y)
        at, order = {"train": train, "test": test}, np.concatenate([train, test])
    else:
        ends = np.cumsum([len(part.files) for part in parts])
        bounds = [0, *(int(kept[:end].sum()) for end in ends)]
        at = {name: slice(*bounds[k : k + 2]) for k, name in enumerate(("train", "test", "dev")[: len(parts)])}
        order = None
    for part, index in at.items():
        if len(y[index]) == 0:
            doing = "test" if part == "test" else "decide"
            raise DataError(f"{root}: expected pictures to {doing} on that can be read, got none; mend or add some")
    split: Any = {part: (x[index], y[index]) for part, index in at.items()}
    files_of = {part: tuple(map(printable, names[index])) for part, index in at.items()}
    return Folder(split["train"], split["test"], split.get("dev"), Origin(files_of, order), layout.classes, pictures,
                  (*layout.notes, *notes))  # fmt: skip


def _split(root: Path, y: NDArray[Any]) -> tuple[Any, Any]:
    train, test = stratified_split(y)
    if len(test) == 0:
        raise DataError(
            f"{root}: expected at least five pictures in a class, as every fifth is for testing, got fewer in each; "
            "add pictures, or sort them into train and test"
        )
    return train, test


class _Reading:
    """Pictures as they are read, each of its own depth and channels until all are known."""

    def __init__(self, root: Path, asked: Pictures) -> None:
        self.root, self.asked = root, asked
        self.found: list[Any] = []
        self.faults: dict[Path, DataError] = {}
        self.sizes: dict[Path, tuple[int, int]] = {}
        self.fitted = 0
        self.brightest: int | None = None  # of 16 bits

    def add(self, file: Path) -> bool:
        """Read a picture; return whether it could be read."""
        try:
            pixels, _ = read_picture(file)
        except DataError as error:
            self.faults[file] = error
            return False
        height, width = pixels.shape[:2]
        self.sizes[file] = height, width
        if pixels.dtype == np.uint16:
            self.brightest = max(self.brightest or 0, int(pixels.max()))
        elif self.asked.channels == 1:
            pixels = with_channels(pixels, 1, [])
        if self.asked.image_size is not None:
            steps: list[str] = []
            pixels = fitted(pixels, *self.asked.image_size, self.asked.fit, steps)
            self.fitted += bool(steps)
        self.found.append(pixels)
        return True

    def finish(self, files: int) -> tuple[NDArray[np.uint8], Pictures, list[str]]:
        """Return all images (N, H, W, C), grey ones made RGB where there is one in colour, how, and notes."""
        if self.faults and (not self.asked.skip_damaged or not self.found):
            raise _unreadable(self.root, self.faults, files)
        if self.asked.image_size is None:
            _require_one_size(self.root, self.sizes)
        white = self.asked.white
        if white is None and self.brightest is not None:
            white = white_of(self.brightest)
        channels = self.asked.channels or max(one.shape[2] for one in self.found)
        x = np.empty((len(self.found), *self.found[0].shape[:2], channels), np.uint8)
        for i, one in enumerate(self.found):
            self.found[i] = None  # so that the pictures do not lie in memory twice
            if one.dtype == np.uint16 and white is not None:
                one = eight_bits(one, white, [])
            x[i] = one  # one channel is repeated by broadcasting
        size = self.asked.image_size if self.fitted else None
        return x, self.asked._replace(image_size=size, channels=channels, white=white), self._notes(files, white)

    def _notes(self, files: int, white: int | None) -> list[str]:
        notes = []
        if self.faults:
            notes.append(f"{len(self.faults)} of {files} files skipped, as they cannot be read: "
                         f"{_names(self.root, self.faults)}")  # fmt: skip
        if self.fitted:
            height, width = self.asked.image_size or (0, 0)
            how = {"crop": "cropped around the centre and resized", "pad": "resized whole, with black beside them",
                   "stretch": "resized, whatever their shape"}[self.asked.fit]  # fmt: skip
            number = "all" if self.fitted == len(self.found) else f"{self.fitted} of {len(self.found)}"
            notes.append(f"{number} pictures brought to {width}x{height} (width x height): "
                         f"{how}")  # fmt: skip
        if self.brightest is not None and white is not None:
            notes.append(f"pictures of 16 bits scaled by the {white.bit_length()} that they use: white is {white}")
            if self.brightest > white:
                notes.append(f"values up to {self.brightest} are there, and white too")
        return notes


def _require_one_size(root: Path, sizes: dict[Path, tuple[int, int]]) -> None:
    counts = Counter(sizes.values())
    if len(counts) < 2:
        return
    (height, width), count = counts.most_common(1)[0]
    other, (other_height, other_width) = next((file, at) for file, at in sizes.items() if at != (height, width))
    raise DataError(
        f"{root}: expected pictures of one size, got {len(counts)} sizes: {count} of {len(sizes)} are {width}x{height} "
        f"(width x height), {printable(other.relative_to(root))} is {other_width}x{other_height}; say to which "
        f"one to bring them, as with image_size=({height}, {width}) or --size {width}x{height}"
    )


def _require_some_of_each(root: Path, classes: tuple[str, ...], labels: NDArray[Any], kept: NDArray[Any]) -> None:
    for label, name in enumerate(classes):
        own = labels == label
        if not kept[own].any():
            raise DataError(
                f"{root}: expected pictures of the class {name} that can be read, got {own.sum()} files of which none "
                "can; mend them, or remove the class"
            )


def _unreadable(root: Path, faults: dict[Path, DataError], files: int) -> DataError:
    """Return one error for all files that cannot be read: the first with its reason, the others by name."""
    first, *others = faults
    more = f"; of {files} files {len(faults)} cannot be read, also {_names(root, others)}" if others else ""
    return DataError(f"{faults[first]}{more}; skip_damaged=True or --skip-damaged passes over such files")


def _names(root: Path, files: Iterable[Path]) -> str:
    names = [printable(file.relative_to(root)) for file in files]
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
