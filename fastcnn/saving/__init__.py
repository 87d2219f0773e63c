"""Models to and from files: ``model.save("m.safetensors")``, ``fc.saving.load_model("m.safetensors")``.

One file holds structure, weights and your own metadata, and tells every damage. It is data: loading runs nothing that
it holds, and its classes come from `fastcnn.layers` or from the caller's `custom_objects`.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from fastcnn import absent, initializers
from fastcnn._files import user_path, write_atomically
from fastcnn.errors import ArgumentError
from fastcnn.saving import _compiled, _own_weights
from fastcnn.saving._format import Structure, fault, pack, read, read_contents
from fastcnn.saving._keras_file import is_keras_file

if TYPE_CHECKING:
    from fastcnn.models import Model

__all__ = ["load_keras_weights", "load_metadata", "load_model", "load_weights", "save_model"]


def save_model(
    model: "Model", path: str | os.PathLike[str], metadata: dict[str, Any] | None = None, overwrite: bool = True
) -> None:
    """Write structure and weights of a built model to one file; the same model gives the same bytes.

    The file is whole, or as it was, whatever happens meanwhile. What `compile` was given is saved without the state of
    the optimizer, and only where all of it is fastcnn's own: no file holds code.

    Parameters
    ----------
    model : Model
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
    path = user_path(path, "save_model")
    _require_model(model, "save_model")
    if path.suffix.lower() != ".safetensors":
        raise ArgumentError(
            f"{path}: expected a path that ends in .safetensors, got {path.suffix or 'no suffix'}; "
            f"save as {path.stem or 'model'}.safetensors"
        )
    if path.exists() and not overwrite:
        raise ArgumentError(f"{path}: expected a new file, got one that exists; choose another, or replace "
                            f"it with overwrite=True or --overwrite")
    structure = {"class_name": type(model).__name__, "config": model.get_config()}
    if (compiled := _compiled.described(model)) is not None:
        structure["compile"] = compiled
    tensors = {name: p.value for name, p in model.named_weights().items()}
    write_atomically(path, *pack(structure, metadata or {}, tensors))


def load_model(path: str | os.PathLike[str], custom_objects: dict[str, type] | None = None,
               compile: bool = True, safe_mode: bool = True) -> "Model":
    """Return the model of a file of fastcnn's or of Keras's, known by its content: built, with its weights.

    A file of Keras's, 2.4 to 3.15, is ``.keras`` or ``.h5`` of a whole model; h5py reads it (extra ``keras``), Keras
    itself is not needed. Its layers become those of fastcnn with the same names. What fastcnn lacks, and code (Lambda
    layers), is refused. Types of half precision become float32, and a batch may be of any size whatever the file says.

    Parameters
    ----------
    path : path-like
    custom_objects : dict, optional
        Your own layers, and children of Sequential, by class name.
    compile : bool
        Compile a model that was compiled, with a new optimizer of the same settings; a warning says what is not
        offered.
    safe_mode : bool
        True: code in a file is never run.

    Raises
    ------
    ArgumentError
        If `custom_objects` is no dict of classes, or `safe_mode` is not True.
    ModelFileError
        No such file, a file of another kind or version, any damage, or classes that are not known.
    ImportError
        A file of Keras's, and h5py is not installed.
    """
    path = user_path(path, "load_model")
    own = {} if custom_objects is None else custom_objects
    if not isinstance(own, dict) or not all(isinstance(kind, type) for kind in own.values()):
        raise ArgumentError("load_model: expected custom_objects as a dict of classes, {'Scale': Scale}, "
                            f"got {own!r}")
    if safe_mode is not True:
        raise ArgumentError(f"load_model: safe_mode={safe_mode!r} is not offered, since code in a file is never run; "
                            f"leave it at True")
    if is_keras_file(path):
        from fastcnn.saving import _keras_model

        return _keras_model.load(path, own, compile)
    contents, tensors = read(path)
    model = _build(path, contents.structure, own)
    _own_weights.load(path, model, tensors)
    if compile and contents.structure.compile is not None:
        _compiled.compile_as(model, contents.structure.compile, str(path))
    return model


def load_weights(model: "Model", path: str | os.PathLike[str], by_name: bool = False,
                 skip_mismatch: bool = False) -> None:
    """Set the weights of a built model to those of a file of the same structure; nothing changes unless all fit.

    Weights are found by path. Automatic names differ between two models of one process (``conv2d``, ``conv2d_1``), so
    where paths differ, but kernels, biases and the rest follow one another alike, the order counts. A file of Keras's
    is read as `load_keras_weights` does.

    Parameters
    ----------
    model : Model
    path : path-like
    by_name : bool
        Take the layers that have one name in the file and in the model, and leave all others as they are: a trunk goes
        into a model with another head.
    skip_mismatch : bool
        Leave a layer that the file lacks, or has with other weights or shapes, as it is, with a warning.

    Raises
    ------
    ModelFileError
        As `load_model`; also if weights are missing, unknown, or of another shape or type: all are named. With by_name
        if no name is common, with skip_mismatch if no layer fits.
    ArgumentError
        A model that is not built.
    """
    path = user_path(path, "load_weights")
    _require_model(model, "load_weights")
    if not model.built:
        raise ArgumentError(f"{model.name}: expected a built model, got one without weights; call build(input_shape)")
    if is_keras_file(path):
        load_keras_weights(model, path, by_name, skip_mismatch)
    else:
        _own_weights.load(path, model, read(path)[1], by_name, skip_mismatch)


def load_keras_weights(model: "Model", path: str | os.PathLike[str], by_name: bool = False,
                       skip_mismatch: bool = False) -> None:
    """Set the weights of a built model to those of a file of Keras's; nothing changes unless all fit.

    The model has the layers of Keras's model, in the same order; their names may differ. h5py reads the file (extra
    ``keras``), Keras itself is not needed. In an ``.h5`` file, whose names are text of variable length, damage in just
    the wrong place can make HDF5's own library loop or crash; without by_name, ``.weights.h5`` and ``.keras`` hold none
    that is read.

    Parameters
    ----------
    model : Model
    path : path-like
        ``.weights.h5`` or ``.keras`` of Keras 3 and 2.12 to 2.15; ``.h5`` of Keras 1 to 3, such as those that Keras
        publishes for its applications.
    by_name, skip_mismatch : bool
        As `load_weights`. Files in Keras 3's format tell the names of layers only where a late version wrote them.

    Raises
    ------
    ModelFileError
        No such file, any damage, weights that are missing, too many or of other shapes, or links to other files.
    ArgumentError
        A model that is not built.
    ImportError
        h5py is not installed.
    """
    from fastcnn.saving import _keras_weights

    path = user_path(path, "load_keras_weights")
    _require_model(model, "load_keras_weights")
    _keras_weights.load(model, path, by_name, skip_mismatch)


def load_metadata(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the metadata that `save_model` was given; the weights are neither read nor checked.

    A file of Keras's has none: {}.

    Raises
    ------
    ModelFileError
        As `load_model`.
    """
    path = user_path(path, "load_metadata")
    return {} if is_keras_file(path) else read_contents(path).metadata


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


if not TYPE_CHECKING:  # else type checkers would believe in any name
    __getattr__ = absent.names_of("saving")
