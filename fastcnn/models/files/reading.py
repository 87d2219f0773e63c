"""Models and weights out of files, fastcnn's or Keras's, known by their content."""

from pathlib import Path
from typing import Any

import msgspec

from fastcnn import initializers
from fastcnn.errors import ArgumentError
from fastcnn.formats.file_kinds import is_keras_file
from fastcnn.formats.safetensors import Blueprint, Contents, fault, read_staying, unpack
from fastcnn.models import serialization
from fastcnn.models.files import compile_arguments, keras_model, keras_weights, own_weights
from fastcnn.models.files.contents import made


def load(path: Path, custom_objects: dict[str, Any], compile: bool, runs_code: bool) -> Any:
    """As `fastcnn.saving.load_model`; `runs_code` is ``not safe_mode``."""
    if is_keras_file(path):
        return keras_model.load(path, custom_objects, compile, runs_code)
    contents, tensors = read_staying(path)
    model = _made(path, contents, tensors, custom_objects)
    if compile and contents.structure.compile is not None:
        compile_arguments.compile_as(model, contents.structure.compile, str(path), custom_objects)
    return model


def unpacked(data: bytes, who: str, custom_objects: dict[str, Any]) -> Any:
    """Return the model of the bytes of a ``.safetensors`` file, not compiled; `who` has them, for messages."""
    return _made(Path(who), *unpack(data, who), custom_objects)


def made_from(structure: dict[str, Any]) -> Any:
    """Return the model of what `contents.structure_of` tells, with weights of zeros, and compiled if that one was.

    Parameters
    ----------
    structure : dict
    """
    told = msgspec.convert(structure, Blueprint)
    model = _build(Path(told.class_name), told, {})
    if told.compile is not None:
        compile_arguments.compile_as(model, told.compile, told.class_name)
    return model


def _made(path: Path, contents: Contents, tensors: dict[str, Any], custom_objects: dict[str, Any]) -> Any:
    model = _build(path, contents.structure, {name: one for name, one in custom_objects.items()
                                              if isinstance(one, type)})
    own_weights.load(path, model, tensors)
    return model


def load_weights(model: Any, path: Path, by_name: bool = False, skip_mismatch: bool = False) -> None:
    """As `fastcnn.saving.load_weights`."""
    if not model.built:
        raise ArgumentError(f"{model.name}: expected a built model, got one without weights; call build(input_shape)")
    if is_keras_file(path):
        keras_weights.load(model, path, by_name, skip_mismatch)
        if not by_name and not skip_mismatch and getattr(model.optimizer, "built", False):
            keras_weights.load_optimizer(model, path)
    else:
        own_weights.load(path, model, read_staying(path)[1], by_name, skip_mismatch)


def _build(path: Path, told: Blueprint, custom_objects: dict[str, type]) -> Any:
    known: dict[str, Any] = serialization.kinds | custom_objects
    try:
        entries = msgspec.convert(told.config.get("layers", []), list[Blueprint])
        strange = serialization.unknown_classes([msgspec.to_builtins(entry) for entry in entries], custom_objects)
        strange |= {told.class_name}.difference(known)
        if not strange:
            with initializers.nothing_drawn():
                return made(known[told.class_name], told.config, custom_objects, told.input_shape, told.frozen)
    except Exception as error:  # a structure may hold anything, and by it reach any line of the layers
        raise fault(path, f"a structure that cannot be built ({type(error).__name__}: {error})") from error
    names = ", ".join(map(repr, sorted(strange)))
    raise fault(path, f"the unknown classes {names}", "pass them as custom_objects={name: class}, or update fastcnn")
