"""What was read of a table made into what data sets are made of: the layout of pictures, or a data set of features."""

from pathlib import Path
from typing import Any

import numpy as np

from fastcnn.datasets._dataset import Dataset, Origin
from fastcnn.datasets._folders import LabelledFiles, Layout
from fastcnn.datasets._read_table import TableContents
from fastcnn.datasets._stratified import stratified_split
from fastcnn.errors import DataError
from fastcnn.formats.files import printable


def table_layout(contents: TableContents) -> Layout:
    """Return which pictures a table names, by their parts."""
    table, targets = contents.table, contents.targets
    names = list(table.rows)

    def part(index: Any) -> LabelledFiles:
        own = [names[k] for k in index]
        return LabelledFiles([table.path.parent / name for name in own], targets.y[index], own)

    parts = contents.parts or {"train": np.arange(len(names))}
    train, test, dev = (part(parts[name]) if name in parts else None for name in ("train", "test", "dev"))
    assert train is not None
    return Layout(targets.names, train, test, contents.notes, dev, targets.task)


def from_features(path: Path, contents: TableContents) -> Dataset:
    """Return the data set of a table of features: every fifth line of each class or tenth is tested on by default.

    Raises
    ------
    DataError
        Too few lines for that.
    """
    table, targets, x = contents.table, contents.targets, contents.x
    assert x is not None
    parts, order = contents.parts, None
    if parts is None:
        train, test = stratified_split(targets.y)
        if len(test) == 0:
            raise DataError(f"{path}: expected at least five lines of a class, as every fifth is for testing, got "
                            "fewer of each; add some, or a column split")  # fmt: skip
        parts, order = {"train": train, "test": test}, np.concatenate([train, test])
    names = np.array(list(table.rows), object)
    weights = np.array([row.weight for row in table.rows.values()], np.float32)
    arrays: dict[str, Any] = {}
    for name, index in parts.items():
        arrays |= {f"x_{name}": x[index], f"y_{name}": targets.y[index]}
        if table.weight is not None:
            arrays[f"w_{name}"] = weights[index]
    return Dataset(
        **arrays,
        name=printable(path.stem),
        classes=() if targets.task == "regression" else targets.names,
        targets=targets.names if targets.task == "regression" else (),
        task=targets.task,
        features=contents.features,
        scale=1.0,
        source=f"features of a table read from {printable(path)}",
        notes=tuple(contents.notes),
        origin=Origin({name: tuple(names[index]) for name, index in parts.items()}, order, table),
    )
