"""Pictures in folders, or named by a table, read into one array and dealt out to parts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastcnn.datasets._dataset import Origin
from fastcnn.datasets._fitting import Pictures
from fastcnn.datasets._folders import Layout
from fastcnn.datasets._pillow import size_of
from fastcnn.datasets._reading import Reading, require_one_size
from fastcnn.datasets._stratified import stratified_split
from fastcnn.datasets._table import Table, require_files
from fastcnn.errors import DataError

Split = tuple[NDArray[np.uint8], NDArray[Any]]


class Folder(NamedTuple):
    """What was read from a folder of pictures.

    Attributes
    ----------
    train, test, dev : (x, y)
        Images uint8 (N, H, W, C), and targets as `Dataset` has them. No `dev`: None.
    origin : Origin
    classes : tuple of str
    pictures : Pictures
        What was done, for `Dataset.pictures`.
    notes : tuple of str
    weights : dict of str to float32 array
        Of the samples of each part; empty without any.
    """

    train: Split
    test: Split
    dev: Split | None
    origin: Origin
    classes: tuple[str, ...]
    pictures: Pictures
    notes: tuple[str, ...]
    weights: dict[str, NDArray[np.float32]]


def read_pictures(root: Path, layout: Layout, asked: Pictures, table: Table | None = None,
                  read: Callable[..., Reading] = Reading) -> Folder:
    """Read the pictures of a folder or a table.

    Parameters
    ----------
    root : Path
        The folder or the table, for messages.
    layout : Layout
        Which files there are. Without a part for testing, every fifth picture of each class is one, in their order.
    asked : Pictures
        What to make of them.
    table : Table, optional
        Where the files were named, with their weights.
    read : class of `Reading`
        What takes the pictures as they are read.

    Raises
    ------
    DataError
        Files that cannot be read, all of which are named; pictures of unlike sizes without an `image_size`; a class of
        which nothing can be read.
    """
    parts = [part for part in (layout.train, layout.test, layout.dev) if part is not None]
    files = {name: file for part in parts for name, file in zip(part.names, part.files, strict=True)}
    if len(files) < sum(len(part.files) for part in parts):  # a name of bytes, and one of them spelled out
        raise DataError(f"{root}: expected pictures of different names, got two that are written alike; rename one")
    if table is not None and not asked.skip_damaged:
        require_files(table)
    if asked.image_size is None:
        told = {name: size for name, file in files.items() if (size := size_of(file)) is not None}
        require_one_size(root, told)  # a folder of large photographs takes minutes to read, and their heads a moment
    reading = read(root, asked, table)
    kept = reading.add_all(files)
    x, pictures, notes = reading.finish(len(files))
    labels, first = np.concatenate([np.asarray(part.labels) for part in parts]), len(layout.train.files)
    if layout.task == "classification":
        _require_some_of_each(root, layout.classes, labels[:first], kept[:first])
    y = labels[kept]
    names = np.array(list(files), object)[kept]
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
    split: Any = {part: (reading.part(part, x, index), y[index]) for part, index in at.items()}
    origin = Origin({part: tuple(names[index]) for part, index in at.items()}, order, table)
    weights = {} if table is None or table.weight is None else {
        part: np.array([table.rows[name].weight for name in names[index]], np.float32) for part, index in at.items()}
    return Folder(split["train"], split["test"], split.get("dev"), origin, layout.classes, pictures,
                  (*layout.notes, *notes), weights)  # fmt: skip


def _split(root: Path, y: NDArray[Any]) -> tuple[Any, Any]:
    train, test = stratified_split(y)
    if len(test) == 0:
        raise DataError(
            f"{root}: expected at least five pictures in a class, as every fifth is for testing, got fewer in each; "
            "add pictures, or sort them into train and test"
        )
    return train, test


def _require_some_of_each(root: Path, classes: tuple[str, ...], labels: NDArray[Any], kept: NDArray[Any]) -> None:
    for label, name in enumerate(classes):
        own = labels == label
        if not kept[own].any():
            raise DataError(
                f"{root}: expected pictures of the class {name} that can be read, got {own.sum()} files of which none "
                "can; mend them, or remove the class"
            )
