"""Which data set a command works on, and its images as a model takes them."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastcnn import datasets
from fastcnn.cli._saved import Saved
from fastcnn.errors import ArgumentError


def choose_dataset(given: str | None, data_dir: str | None, saved: Saved | None) -> tuple[str, str | None]:
    """Return name or absolute path of a data set, and the folder it is in.

    What was given goes first, then what the saved model's run was trained on; without a saved model the digits.

    Raises
    ------
    ArgumentError
        If the saved model lies in no run, so that nobody knows what it was trained on.
    """
    name = given
    if name is None and saved is not None:
        if saved.config is None:
            raise ArgumentError(f"{saved.path}: expected --dataset, as no run's config.json lies beside it; name one")
        name, data_dir = saved.config.dataset, data_dir or saved.config.data_dir
    name = name or "digits"
    is_own = name.replace("-", "_") not in datasets.names and Path(name).expanduser().exists()
    return (absolute(name) if is_own else name), (absolute(data_dir) if data_dir else None)


def absolute(path: str) -> str:
    """Return a path that still holds in another folder."""
    return str(Path(path).expanduser().resolve())


def scaled(x: NDArray[Any], scale: float) -> NDArray[np.float32]:
    """Return images as float32 from 0 to 1."""
    return x if scale == 1 and x.dtype == np.float32 else np.multiply(x, 1 / scale, dtype=np.float32)
