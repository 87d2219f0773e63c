"""Models to and from files: ``model.save("m.safetensors")``, ``fc.saving.load_model("m.safetensors")``.

One file holds structure, weights and your own metadata, and tells every damage. It is data: loading runs nothing that
it holds, and its classes come from `fastcnn.layers` or from the caller's `custom_objects`.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from fastcnn import initializers
from fastcnn._files import write_atomically
from fastcnn.errors import ArgumentError, ModelFileError
from fastcnn.saving._format import Structure, fault, pack, read, read_contents

if TYPE_CHECKING:
    from fastcnn.models import Model

__all__ = ["load_keras_weights", "load_metadata", "load_model", "load_weights", "save_model"]


def save_model(
    model: "Model", path: str | os.PathLike[str], metadata: dict[str, Any] | None = None, overwrite: bool = True
) -> None:
    """Write structure and weights of a built model to one file; the same model gives the same bytes.

    The file is whole, or as it was, whatever happens meanwhile. What `compile` was given is not saved.

    Parameters
    ----------
    model : Sequential
    path : path-like
        Ends in ``.safetensors``; its folder exists.
    metadata : dict, optional
        What JSON can hold, for `load_metadata`: class names, say. Tuples and arrays come back as lists, keys as str.
    overwrite : bool
        Whether a file that is there may be replaced.

    Raises
    ------
    ArgumentError
        A path without the suffix, metadata or structure that JSON cannot hold, or a model that is not built.
    OSError
        The system refuses: a full disk, no permission, no such folder.
    """
    path = Path(path)
    _require_model(model, "save_model")
    if path.suffix.lower() != ".safetensors":
        raise ArgumentError(
            f"{path}: expected a path that ends in .safetensors, got {path.suffix or 'no suffix'}; "
            f"save as {path.stem or 'model'}.safetensors"
        )
    if path.exists() and not overwrite:
        raise ArgumentError(f"{path}: expected a new file, got one that exists; choose another or overwrite=True")
    structure = {"class_name": type(model).__name__, "config": model.get_config()}
    tensors = {name: p.value for name, p in model.named_weights().items()}
    write_atomically(path, *pack(structure, metadata or {}, tensors))


def load_model(path: str | os.PathLike[str], custom_objects: dict[str, type] | None = None) -> "Model":
    """Return the model of a file, built, with its weights, not compiled.

    Parameters
    ----------
    path : path-like
        Written by `save_model`.
    custom_objects : dict, optional
        Your own layers, and children of Sequential, by class name.

    Raises
    ------
    ModelFileError
        No such file, a file of another kind or version, any damage, or classes that are not known.
    """
    path = Path(path)
    contents, tensors = read(path)
    model = _build(path, contents.structure, custom_objects or {})
    _assign(path, model, tensors)
    return model


def load_weights(model: "Model", path: str | os.PathLike[str]) -> None:
    """Set the weights of a built model to those of a file of the same structure; nothing changes unless all fit.

    Weights are found by path. Automatic names differ between two models of one process (``conv2d``, ``conv2d_1``), so
    where paths differ, but kernels, biases and the rest follow one another alike, the order counts.

    Raises
    ------
    ModelFileError
        As `load_model`; also if weights are missing, unknown, or of another shape or type: all are named.
    ArgumentError
        A model that is not built.
    """
    path = Path(path)
    _require_model(model, "load_weights")
    if not model.built:
        raise ArgumentError(f"{model.name}: expected a built model, got one without weights; call build(input_shape)")
    _assign(path, model, read(path)[1])


def load_keras_weights(model: "Model", path: str | os.PathLike[str]) -> None:
    """Set the weights of a built model to those of a file of Keras's; nothing changes unless all fit.

    The model has the layers of Keras's model, in the same order; their names may differ. h5py reads the file (extra
    ``keras``), Keras itself is not needed. In an ``.h5`` file, whose names are text of variable length, damage in just
    the wrong place can make HDF5's own library loop or crash; ``.weights.h5`` and ``.keras`` hold none that is read.

    Parameters
    ----------
    model : Model
    path : path-like
        ``.weights.h5`` or ``.keras`` of Keras 3; ``.h5`` of Keras 1 and 2, such as those that Keras publishes for its
        applications.

    Raises
    ------
    ModelFileError
        No such file, any damage, weights that are missing, too many or of other shapes, or links to other files.
    ArgumentError
        A model that is not built.
    ImportError
        h5py is not installed.
    """
    from fastcnn.saving import _keras

    _require_model(model, "load_keras_weights")
    _keras.load(model, Path(path))


def load_metadata(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the metadata that `save_model` was given; the weights are neither read nor checked.

    Raises
    ------
    ModelFileError
        As `load_model`.
    """
    return read_contents(Path(path)).metadata


def _require_model(model: Any, who: str) -> None:
    if not callable(getattr(model, "named_weights", None)):
        raise ArgumentError(f"{who}: expected a model, got {model!r}")


def _build(path: Path, structure: Structure, custom_objects: dict[str, type]) -> "Model":
    from fastcnn import models  # here, since they import Numba
    from fastcnn.models.structure import unknown_classes

    kinds: dict[str, Any] = {name: getattr(models, name) for name in models.__all__} | custom_objects
    try:
        entries = msgspec.convert(structure.config.get("layers", []), list[Structure])
        strange = unknown_classes([msgspec.to_builtins(entry) for entry in entries], custom_objects)
        strange |= {structure.class_name}.difference(kinds)
        if not strange:
            with initializers.nothing_drawn():
                return kinds[structure.class_name].from_config(structure.config, custom_objects=custom_objects)
    except Exception as error:  # a structure may hold anything, and by it reach any line of the layers
        raise fault(path, f"a structure that cannot be built ({type(error).__name__}: {error})") from error
    names = ", ".join(map(repr, sorted(strange)))
    raise fault(path, f"the unknown classes {names}", "pass them as custom_objects={name: class}, or update fastcnn")


def _assign(path: Path, model: "Model", tensors: dict[str, np.ndarray]) -> None:
    own = model.named_weights()
    if own.keys() != tensors.keys() and [p.name for p in own.values()] == [n.rpartition("/")[2] for n in tensors]:
        tensors = dict(zip(own, tensors.values()))
    wrong = []
    for name in dict.fromkeys([*own, *tensors]):
        if name not in tensors:
            wrong.append(f"no {name!r}")
        elif name not in own:
            wrong.append(f"{name!r}, which the model lacks")
        elif (own[name].shape, own[name].dtype) != (tensors[name].shape, tensors[name].dtype):
            got, expected = (f"{a.dtype} {a.shape}" for a in (tensors[name], own[name]))
            wrong.append(f"{name!r} as {got} instead of {expected}")
    if wrong:
        raise ModelFileError(
            f'{path}: expected the weights of {type(model).__name__} "{model.name}", got {", ".join(wrong)}; '
            "make the model as the one that was saved, or use load_model"
        )
    for name, parameter in own.items():
        parameter.assign(tensors[name])
