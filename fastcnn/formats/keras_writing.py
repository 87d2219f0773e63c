"""Keras's files, written: the archive ``.keras``, ``.weights.h5``, and the ``.h5`` of a whole model.

The layout is that of `fastcnn.formats.keras`. Nothing in the bytes tells of the time or the machine, so the same model
gives the same file.
"""

import io
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.formats import keras
from fastcnn.formats.files import write_whole

#: The version whose files these are.
KERAS_VERSION = "3.15.1"
_LONGEST_LIST = 2000  # names in one attribute, of 16 bytes each: HDF5 takes 64 kB
_THEN = (1980, 1, 1, 0, 0, 0)  # what zip archives can tell at the earliest


class Variables(NamedTuple):
    """What one layer, or an optimizer, has at its place in a file.

    Attributes
    ----------
    path : str
        ``layers/conv2d``; "" is the model itself.
    name : str or None
        Of the layer.
    values : iterable of ndarray
        Taken when they are written, so that a large model is not copied as a whole.
    """

    path: str
    name: str | None
    values: Iterable[np.ndarray]


class Listed(NamedTuple):
    """What one layer has in an ``.h5`` file: its weights by name."""

    name: str
    values: Mapping[str, np.ndarray]


def require_new(path: Path, overwrite: bool) -> None:
    """Raise ArgumentError for a file that is there and may not be replaced; ImportError without h5py."""
    if path.exists() and not overwrite:
        raise ArgumentError(f"{path}: expected a new file, got one that exists; choose another, or replace it with "
                            f"overwrite=True or --overwrite")
    keras.h5py_for("writing")


def write_weights(path: Path, variables: Iterable[Variables]) -> None:
    """Write a ``.weights.h5`` file, whole or not at all.

    Parameters
    ----------
    path : Path
    variables : iterable of Variables
        Each place once.
    """
    write_whole(path, lambda file: _write_tree(file, variables), "weights")


def write_archive(path: Path, texts: Mapping[str, str], variables: Iterable[Variables]) -> None:
    """Write a ``.keras`` archive, whole or not at all.

    Parameters
    ----------
    path : Path
    texts : dict of str
        Its members beside the weights, by name.
    variables : iterable of Variables
    """
    def write(file: BinaryIO) -> None:
        packed = io.BytesIO()
        _write_tree(packed, variables)
        with zipfile.ZipFile(file, "w") as archive:
            for name, text in texts.items():
                archive.writestr(zipfile.ZipInfo(name, _THEN), text)
            with archive.open(zipfile.ZipInfo(keras.WEIGHTS, _THEN), "w", force_zip64=True) as member:
                member.write(packed.getbuffer())

    write_whole(path, write, "a model")


def write_model(path: Path, attributes: Mapping[str, str], layers: Iterable[Listed]) -> None:
    """Write the ``.h5`` file of a whole model, whole or not at all.

    Parameters
    ----------
    path : Path
    attributes : dict of str
        Of the file: its structure as JSON, and what compile was given.
    layers : iterable of Listed
    """
    def write(file: BinaryIO) -> None:
        with keras.h5py_for("writing").File(file, "w") as tree:
            for name, text in attributes.items():
                tree.attrs[name] = text
            root = tree.create_group("model_weights")
            names = []
            for one in layers:
                names.append(one.name)
                _write_listed(root.create_group(one.name), one.values)
            _write_names(root, "layer_names", names)
            root.attrs["keras_version"] = KERAS_VERSION
            root.attrs["backend"] = attributes["backend"]
            _write_listed(root.create_group("top_level_model_weights"), {})

    write_whole(path, write, "a model")


def _write_tree(file: Any, variables: Iterable[Variables]) -> None:
    with keras.h5py_for("writing").File(file, "w") as tree:
        for one in variables:
            group = tree.create_group(f"{one.path}/vars" if one.path else "vars")
            if one.name is not None:
                group.attrs["name"] = one.name
            for number, value in enumerate(one.values):
                group[str(number)] = value


def _write_listed(group: Any, values: Mapping[str, np.ndarray]) -> None:
    _write_names(group, "weight_names", list(values))
    for name, value in values.items():
        group[name] = value


def _write_names(group: Any, attribute: str, names: list[str]) -> None:
    text = keras.h5py_for("writing").string_dtype()
    parts = [names[at:at + _LONGEST_LIST] for at in range(0, len(names), _LONGEST_LIST)]
    for number, part in enumerate(parts or [[]]):
        group.attrs.create(f"{attribute}{number}" if len(parts) > 1 else attribute, np.array(part, object), dtype=text)
