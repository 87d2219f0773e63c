"""Models to and from files: ``model.save("m.safetensors")``, ``fc.saving.load_model("m.safetensors")``.

One file holds structure, weights and your own metadata, and tells every damage. It is data: loading runs nothing that
it holds, and its classes come from `fastcnn.layers` or from the caller's `custom_objects`. Files of Keras, ``.keras``,
``.h5`` and ``.weights.h5``, are written and read as well. (What reads and builds them is `fastcnn.models.files`,
imported when it is needed: metadata alone are read without Numba.)
"""

import os
from typing import TYPE_CHECKING, Any

from fastcnn import unsupported
from fastcnn.errors import ArgumentError
from fastcnn.formats import safetensors
from fastcnn.formats.file_kinds import KERAS, WEIGHTS, is_keras_file, suffix_of
from fastcnn.formats.files import user_path
from fastcnn.registry import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)

if TYPE_CHECKING:
    from fastcnn.models import Model

__all__ = ["CustomObjectScope", "custom_object_scope", "get_custom_objects", "get_registered_name",
           "get_registered_object", "load_keras_weights", "load_metadata", "load_model", "load_weights",
           "register_keras_serializable", "save_model"]


def save_model(
    model: "Model", filepath: str | os.PathLike[str], metadata: dict[str, Any] | None = None, overwrite: bool = True
) -> None:
    """Write structure and weights of a built model to one file. The same model gives the same bytes.

    The file is whole, or as it was, whatever happens meanwhile. What `compile` was given is saved, too.

    ``.safetensors`` is fastcnn's own form: any model, with a digest of everything in it; no state of the optimizer, no
    code. ``.keras`` and ``.h5`` are Keras's, which opens them: the state of the optimizer is in them, so that training
    goes on, and layers that Keras has not are refused by name. They need h5py (extra ``keras``). `Model.save_weights`
    writes ``.weights.h5``.

    Parameters
    ----------
    model : Model
    filepath : path-like
        Ends in ``.safetensors``, ``.keras`` or ``.h5``; its folder exists.
    metadata : dict, optional
        What JSON can hold, for `load_metadata`: class names, say. Tuples and arrays come back as lists, keys as str.
        An ``.h5`` file has no place for it.
    overwrite : bool
        Whether a file that is there may be replaced.

    Raises
    ------
    ArgumentError
        A path without such a suffix, metadata or structure that the file cannot hold, or a model that is not built.
    ImportError
        A file for Keras, and h5py is not installed.
    OSError
        The system refuses: a full disk, no permission, no such folder.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((8,)), layers.Dense(2)])
    >>> fc.saving.save_model(model, "m.safetensors", metadata={"classes": ["cat", "dog"]})
    >>> fc.saving.load_metadata("m.safetensors")
    {'classes': ['cat', 'dog']}
    """
    path = user_path(filepath, "save_model")
    _require_model(model, "save_model")
    if suffix_of(path) not in (*KERAS, WEIGHTS):
        safetensors.save(path, model.contents, metadata or {}, overwrite)
        return
    from fastcnn.models.files import writing

    writing.save(path, model, metadata or {}, overwrite)


def load_model(filepath: str | os.PathLike[str], custom_objects: dict[str, type] | None = None,
               compile: bool = True, safe_mode: bool = True) -> "Model":
    """Return the model in a file of fastcnn's or of Keras's, built and with its weights. The content tells which it is.

    A file of Keras's, 2.4 to 3.15, is ``.keras`` or ``.h5`` of a whole model; h5py reads it (extra ``keras``), Keras
    itself is not needed. Its layers become those of fastcnn with the same names, and where Keras 3 trained the model,
    training goes on. What fastcnn lacks, and code (Lambda layers), is refused. Types of half precision become float32,
    and a batch may be of any size whatever the file says.

    Parameters
    ----------
    filepath : path-like
    custom_objects : dict, optional
        Your own layers, children of Sequential, losses, metrics and functions by name; those that
        `register_keras_serializable` knows are found without.
    compile : bool
        Compile a model that was compiled, with an optimizer of the same settings, and its state where the file has it;
        a warning says what is not offered.
    safe_mode : bool
        False runs code in a file of Keras's, as a lambda of a Lambda layer is: only where you trust who wrote it. It
        must be of this version of Python.

    Raises
    ------
    ArgumentError
        If `custom_objects` is no dict of classes and functions.
    ModelFileError
        No such file, a file of another kind or version, any damage, or classes that are not known.
    ImportError
        A file of Keras's, and h5py is not installed.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((8,)), layers.Dense(2)])
    >>> model.save("m.safetensors")
    >>> fc.saving.load_model("m.safetensors").output_shape
    (None, 2)
    """
    path = user_path(filepath, "load_model")
    own = {} if custom_objects is None else custom_objects
    if not isinstance(own, dict) or not all(map(callable, own.values())):
        raise ArgumentError("load_model: expected custom_objects as a dict of classes and functions, {'Scale': Scale}, "
                            f"got {own!r}")
    if not isinstance(safe_mode, bool):
        raise ArgumentError(f"load_model: expected safe_mode to be True or False, got {safe_mode!r}")
    from fastcnn.models.files import reading

    return reading.load(path, own, compile, not safe_mode)


def load_weights(model: "Model", filepath: str | os.PathLike[str], by_name: bool = False,
                 skip_mismatch: bool = False) -> None:
    """Set the weights of a built model from a file of the same structure. Nothing changes unless all of them fit.

    Weights are found by path. Automatic names differ between two models of one process (``conv2d``, ``conv2d_1``), so
    where paths differ, but kernels, biases and the rest follow one another alike, the order counts. A file of Keras's
    is read as `load_keras_weights` does.

    Parameters
    ----------
    model : Model
    filepath : path-like
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

    Examples
    --------
    >>> model, other = (fc.Sequential([fc.Input((8,)), layers.Dense(2)]) for _ in range(2))
    >>> model.save("m.safetensors")
    >>> fc.saving.load_weights(other, "m.safetensors")
    >>> np.array_equal(model.predict(np.ones((1, 8))), other.predict(np.ones((1, 8))))
    True
    """
    path = user_path(filepath, "load_weights")
    _require_model(model, "load_weights")
    from fastcnn.models.files import reading

    reading.load_weights(model, path, by_name, skip_mismatch)


def load_keras_weights(model: "Model", filepath: str | os.PathLike[str], by_name: bool = False,
                       skip_mismatch: bool = False) -> None:
    """Set the weights of a built model from a file of Keras's. Nothing changes unless all of them fit.

    The model has the layers of Keras's model, in the same order; their names may differ. h5py reads the file (extra
    ``keras``), Keras itself is not needed. In an ``.h5`` file, whose names are text of variable length, damage in just
    the wrong place can make HDF5's own library loop or crash; without by_name, ``.weights.h5`` and ``.keras`` hold none
    that is read.

    Parameters
    ----------
    model : Model
    filepath : path-like
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
    path = user_path(filepath, "load_keras_weights")
    _require_model(model, "load_keras_weights")
    from fastcnn.models.files import keras_weights

    keras_weights.load(model, path, by_name, skip_mismatch)


def load_metadata(filepath: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the metadata that `save_model` was given. The weights are neither read nor checked.

    A file that Keras wrote has none, which gives {}, and ``.h5`` cannot hold any.

    Parameters
    ----------
    filepath : path-like

    Raises
    ------
    ModelFileError
        As `load_model`.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((8,)), layers.Dense(2)])
    >>> model.save("m.safetensors")
    >>> fc.saving.load_metadata("m.safetensors")
    {}
    """
    path = user_path(filepath, "load_metadata")
    if is_keras_file(path):
        from fastcnn.formats import keras

        return keras.metadata_of(path)
    return safetensors.read_contents(path).metadata


def _require_model(model: Any, who: str) -> None:
    if not callable(getattr(model, "named_weights", None)):
        raise ArgumentError(f"{who}: expected a model, got {model!r}")


if not TYPE_CHECKING:  # else type checkers would believe in any name
    __getattr__ = unsupported.names_of("saving")
