"""Models and weights to files: the suffix of the path says in which form."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fastcnn._version import __version__
from fastcnn._warnings import warn
from fastcnn.errors import ArgumentError
from fastcnn.formats import keras, keras_writing, safetensors
from fastcnn.formats.file_kinds import KERAS, WEIGHTS, suffix_of
from fastcnn.formats.keras_writing import Listed, Variables
from fastcnn.models.files import keras_calls, keras_compile_written, keras_optimizer
from fastcnn.models.files.keras_entries import Entries
from fastcnn.models.files.keras_weight_paths import written_places

_TOLD = 12


def save(path: Path, model: Any, metadata: dict[str, Any], overwrite: bool) -> None:
    """As `fastcnn.saving.save_model`."""
    suffix = suffix_of(path)
    if suffix == WEIGHTS:
        raise ArgumentError(f"{path}: expected a path for a whole model, got {WEIGHTS}, which holds weights alone; use "
                            f"save_weights, or save as {_stem(path)}.keras")
    if suffix not in KERAS:
        safetensors.save(path, model.contents, metadata, overwrite)
        return
    keras_writing.require_new(path, overwrite)
    _require_built(model, "save")
    (_save_keras if suffix == ".keras" else _save_h5)(path, model, metadata)


def save_weights(path: Path, model: Any, overwrite: bool) -> None:
    """As `fastcnn.Model.save_weights`."""
    if suffix_of(path) != WEIGHTS:
        save(path, model, {}, overwrite)
        return
    keras_writing.require_new(path, overwrite)
    _require_built(model, "save_weights")
    keras_writing.write_weights(path, _variables(model, with_optimizer=True))


def _save_keras(path: Path, model: Any, metadata: dict[str, Any]) -> None:
    entries = Entries()
    structure = keras_calls.entry(entries, model)
    _require_all_known(path, entries)
    told = _compiled(path, model)
    structure["compile_config"] = told or {}
    about = {"keras_version": keras_writing.KERAS_VERSION, "fastcnn_version": __version__, "metadata": metadata}
    texts = {keras.ABOUT: safetensors.as_json("metadata", about),
             keras.CONFIG: safetensors.as_json("structure of the model", structure)}
    keras_writing.write_archive(path, texts, _variables(model, with_optimizer=told is not None))


def _save_h5(path: Path, model: Any, metadata: dict[str, Any]) -> None:
    if metadata:
        raise ArgumentError(f"{path}: expected no metadata, which .h5 cannot hold, got some; save as "
                            f"{_stem(path)}.keras")
    entries = Entries(is_old=True)
    if model.has_call:
        entries.refuse(f'{model}, a model with a call of its own, which ".keras" holds')
    structure = keras_calls.entry(entries, model) if not entries.refused else {}
    _require_all_known(path, entries)
    told = _compiled(path, model)
    attributes = {"keras_version": keras_writing.KERAS_VERSION, "backend": "fastcnn",
                  "model_config": safetensors.as_json("structure of the model", structure)}
    if told is not None:
        attributes["training_config"] = json.dumps(keras_compile_written.legacy(told))
    # Without the optimizer's state: a model that Keras 3.15 reads from .h5 with one does not train.
    keras_writing.write_model(path, attributes, _listed(model))


def _require_built(model: Any, what: str) -> None:
    if not model.built:
        raise ArgumentError(f"{model}: {what} expected a built model; begin with fc.Input(shape), or call "
                            f"build((None, *shape))")


def _require_all_known(path: Path, entries: Entries) -> None:
    if entries.refused:
        refused = entries.refused
        more = f" and {len(refused) - _TOLD} more" if len(refused) > _TOLD else ""
        raise ArgumentError(f"{path}: expected layers that Keras has, got {', '.join(refused[:_TOLD])}{more}; save as "
                            f"{_stem(path)}.safetensors")


def _compiled(path: Path, model: Any) -> dict[str, Any] | None:
    """Return what compile was given, or None with a warning where Keras cannot be told it."""
    try:
        told = keras_compile_written.described(model)
        json.dumps(told)
    except (ArgumentError, TypeError, ValueError, AttributeError) as error:
        warn(f"{path}: the model is saved without what compile was given, since Keras cannot be told it ({error})")
        return None
    return told


def _state(model: Any) -> dict[str, np.ndarray] | None:
    """Return the state of the optimizer by Keras's names; None where it has not begun, or Keras has another order."""
    optimizer = model.optimizer
    if optimizer is None or type(optimizer).__name__ not in keras_optimizer.KNOWN or not optimizer.built:
        return None
    known, wanted = set(map(id, optimizer._parameters)), model.trainable_weights
    if not {id(p) for p in wanted} <= known:  # layers that were frozen when training began
        return None
    return keras_optimizer.variables(optimizer, wanted)


def _variables(model: Any, with_optimizer: bool) -> Iterator[Variables]:
    for place in written_places(model):
        yield Variables(place.path, place.layer.name, (p.value for p in place.parameters))
    state = _state(model) if with_optimizer else None
    if state is not None:
        yield Variables("optimizer", model.optimizer.name, state.values())


def _listed(model: Any) -> Iterator[Listed]:
    """Yield the layers of a model as ``.h5`` lists them: what is trained first, then all else."""
    layers = model.layers if model.inputs[0].node.layer in model.layers else [model.inputs[0].node.layer, *model.layers]
    for layer in layers:
        names = {id(p): name for name, p in layer.weights_by_path()}
        weights = [*layer.trainable_weights, *layer.non_trainable_weights]
        yield Listed(layer.name, {f"{layer.name}/{names[id(p)]}": p.value for p in weights})


def _stem(path: Path) -> str:
    return path.name.partition(".")[0] or "model"
