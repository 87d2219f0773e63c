"""What a frozen network gives for images, computed once and kept on disk."""

import contextlib
import hashlib
import importlib.metadata
import json
import os
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from fastcnn import device
from fastcnn._version import __version__
from fastcnn.errors import ArgumentError
from fastcnn.formats.files import expanded, user_cache, write_whole
from fastcnn.models.model import Model

#: Bytes that files of features may have together; those that nobody has read for the longest time go first.
LIMIT = 8 << 30
_BLOCK = 1024  # images


def cached_features(model: Model, x: Any, folder: str | os.PathLike[str] | None = None, batch_size: int = 256
                    ) -> NDArray[Any]:
    """Return ``model.predict(x)``, from a file where it was computed before.

    The file's name is a digest of the layers, the weights and the data as the model gets them, scaled and
    standardized, and of the versions that decide about bits: what has changed is computed anew.

    Parameters
    ----------
    model : Model
        With one input and one output of known size, such as the first part that `split_frozen` gives.
    x : (N, ...) array or memory map
    folder : path-like, optional
        Made where it is missing; ``features`` in the user's cache if absent. Files in it have 8 GiB together at most,
        and the largest one: then those that were not read for the longest time are removed.
    batch_size : int
        For the computation.

    Returns
    -------
    features : (N, ...) memory map
        Read-only: `fit` and `predict` read the rows of a batch, and not the whole file.

    Raises
    ------
    ArgumentError
        If it is no such model.
    OSError
        If the folder cannot be written, or its disk is full.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((4,)), layers.Dense(2)])
    >>> x = np.ones((3, 4), "float32")
    >>> features = fc.models.cached_features(model, x, "features")
    >>> np.array_equal(features, model.predict(x))
    True
    """
    if not isinstance(model, Model) or len(model.inputs) != 1 or len(model.outputs) != 1 or (
            None in model.output_shape[1:]):
        raise ArgumentError(f"cached_features: expected a model with one input and one output of known size, got "
                            f"{model!r}")
    place = (user_cache() / "features" if folder is None else expanded(folder)).absolute()
    place.mkdir(parents=True, exist_ok=True)
    path = place / f"{_digest(model, x)}.npy"
    if not path.exists():
        _compute(model, x, path, batch_size)
        _make_room(place, path)
    with contextlib.suppress(OSError):  # who may only read cannot say that he did
        os.utime(path)
    found: NDArray[Any] = np.load(path, mmap_mode="r")
    return found


def _compute(model: Model, x: Any, path: Path, batch_size: int) -> None:
    shape, dtype = (len(x), *model.output_shape[1:]), np.dtype(model.array_dtype)

    def write(file: BinaryIO) -> None:
        np.lib.format.write_array_header_1_0(file, {"shape": shape, "fortran_order": False,
                                                    "descr": np.lib.format.dtype_to_descr(dtype)})
        for begin in range(0, len(x), _BLOCK):
            features = model.predict(x[begin : begin + _BLOCK], batch_size=batch_size, verbose=0)
            file.write(np.ascontiguousarray(features).data)

    write_whole(path, write, f"the features of {len(x):,} images, {int(np.prod(shape)) * dtype.itemsize:,} bytes,",
                lasting=False)


def _digest(model: Model, x: Any) -> str:
    """Return the SHA-256 of all that features depend on."""
    kernels = device.current().kernels
    told = [__version__, importlib.metadata.version("numba"), np.__version__,
            kernels.lanes_of_block(np.dtype(np.float32)), model.array_dtype.str, [None, *x.shape[1:]]]
    steps = [(type(step.node).__name__, step.inputs, step.outputs, step.node.get_config())
             for step in model.layer_graph().steps]
    found = hashlib.sha256(json.dumps([told, steps], sort_keys=True, default=repr).encode())
    for parameter in model.weights:
        found.update(f"{parameter.dtype}{parameter.shape}".encode())
        found.update(np.ascontiguousarray(parameter.numpy()).data)
    found.update(f"{x.dtype.str}{x.shape}".encode())
    for begin in range(0, len(x), _BLOCK):
        found.update(np.ascontiguousarray(x[begin : begin + _BLOCK]).data)
    return found.hexdigest()


def _make_room(folder: Path, newest: Path) -> None:
    """Remove the files that were not read for the longest time, as long as all have more than the limit."""
    with contextlib.suppress(OSError):  # another process may remove them as well
        files = sorted((path.stat().st_mtime, path.stat().st_size, path) for path in folder.glob("*.npy"))
        whole = sum(size for _, size, _ in files)
        for _, size, path in files:
            if whole > LIMIT and path != newest:
                path.unlink(missing_ok=True)
                whole -= size
