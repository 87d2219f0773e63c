"""Which part of a table each example is in, and what there is to learn in the training part."""

import numpy as np
from numpy.typing import NDArray

from fastcnn.datasets._columns import FILE, SPLIT
from fastcnn.datasets._features import LARGEST, is_blurred
from fastcnn.datasets._folders import DEV, TEST, TRAIN
from fastcnn.datasets._table import Table
from fastcnn.datasets._targets import Targets
from fastcnn.errors import DataError

#: The parts that a cell may name, in small letters.
PARTS = {name: part for part, names in (("train", TRAIN), ("dev", DEV), ("test", TEST)) for name in names}

Parts = dict[str, NDArray[np.int64]]


def parts_of(table: Table, targets: Targets) -> tuple[Parts | None, list[str]]:
    """Return the examples of each part, or None, and notes."""
    if SPLIT not in table.columns:
        return None, []
    found: dict[str, list[int]] = {}
    for k, row in enumerate(table.rows.values()):
        found.setdefault(PARTS[row.cells[SPLIT].lower()], []).append(k)
    if "train" not in found or len(found) < 2:
        raise DataError(f"{table.path}: expected train and test, or train, dev and test, in the column split, got "
                        f"{', '.join(found)} alone; without that column parts are made")  # fmt: skip
    parts = {name: np.array(index) for name, index in found.items()}
    if targets.task == "classification":
        new = np.flatnonzero(~np.isin(targets.y, targets.y[parts["train"]]))
        if len(new):
            where, label = table.where(list(table.rows)[new[0]]), targets.names[targets.y[new[0]]]
            raise DataError(f"{where}: expected a label that a line of train has, got {label}; add examples of it to "
                            "train, or remove the line")  # fmt: skip
    if "test" in parts:
        return {name: parts[name] for name in ("train", "test", "dev") if name in parts}, []
    return {"train": parts["train"], "test": parts["dev"]}, ["the part dev of the table is what is tested on"]


def require_something_to_learn(table: Table, targets: Targets, train: NDArray[np.int64] | None) -> None:
    """Raise DataError where the lines for training, or all, have one class, number or nothing known."""
    y, names = targets.y if train is None else targets.y[train], targets.names
    if targets.task == "classification":
        if len(names) < 2:
            what = "pictures" if FILE in table.columns else "lines"
            raise DataError(f"{table.path}: expected {what} of at least two classes, got the label {names[0]} alone; "
                            "add some")  # fmt: skip
        return
    for name, column in zip(names, y.reshape(len(y), -1).T):
        if targets.task == "multilabel" and (column < 0).all():
            raise DataError(f"{table.path}, column {name}: expected known labels, 0 or 1, in lines for training, got "
                            "empty cells alone; fill some in, or leave the column out")  # fmt: skip
        if targets.task == "regression" and (column == column[0]).all():
            raise DataError(f"{table.path}, column {name}: expected different numbers to learn, got {column[0]:g} in "
                            "each line for training; leave the column out")  # fmt: skip
        if targets.task == "regression" and (
            np.abs(column).max() > LARGEST or is_blurred(column, column.astype(np.float32))):
            low, high = column.min(), column.max()
            raise DataError(f"{table.path}, column {name}: expected numbers whose differences float32 can tell, got "
                            f"{low:.10g} to {high:.10g}; give them in another unit, or from another zero")  # fmt: skip
