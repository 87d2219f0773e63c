"""Two runs on the same images of their dev part."""

from pathlib import Path
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError


def gain(first: Path, second: Path) -> Any:
    """Return by how much the second of two runs is better on dev, a `fastcnn.tuning.PairedDifference`.

    It is None for runs that do not tell classes apart, which have no such count.
    """
    one, other = _right(first), _right(second)
    if one is None or other is None:
        return None
    (names, a), (others, b) = one, other
    if list(names) != list(others):
        raise ArgumentError(f"{first} and {second}: expected runs with the same images in dev, got others; compare "
                            "runs of one data set, one seed and one split")
    from fastcnn.tuning import compare

    return compare(a, b)


def _right(run: Path) -> tuple[Any, Any] | None:
    """Return the names of the dev images of a run, and which of them its model has right."""
    from fastcnn.cli._data import choose_dataset, load_dataset, standard_of
    from fastcnn.cli._examples import part_of
    from fastcnn.cli._pixels import Pixels
    from fastcnn.cli._saved import open_saved
    from fastcnn.cli._table_columns import columns_asked

    opened = open_saved(str(run))
    if opened.task != "classification":
        return None
    chosen = choose_dataset(None, None, opened)
    data = load_dataset(chosen, opened, columns=columns_asked({}, opened.metadata))
    dev = part_of(data, opened.split_of(chosen[0]), "dev", str(run))
    outputs = opened.model.predict(standard_of(opened, Pixels(), lambda note: None).images(dev.x, data.scale),
                                   verbose=0)
    return dev.names, np.asarray(outputs).argmax(axis=1) == dev.y
