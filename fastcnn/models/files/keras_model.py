"""Whole models out of Keras's files: structure, weights, and what `compile` was given."""

from pathlib import Path
from typing import Any

from fastcnn import initializers
from fastcnn.errors import ArgumentError, ModelFileError
from fastcnn.formats.keras import described, fault
from fastcnn.models import serialization
from fastcnn.models.files import keras_compile, keras_graph, keras_weights
from fastcnn.models.files.keras_config import Translator
from fastcnn.models.network import Network

_TOLD = 12
_OWN = "use other layers, pass your own as custom_objects={name: class}, or export it as ONNX for fc.onnx.load"


def load(path: Path, custom_objects: dict[str, type], compile: bool) -> Any:
    """As `fastcnn.saving.load_model`, for a file of Keras's."""
    told = described(path)
    known = serialization.classes(custom_objects)
    translator = Translator(known, custom_objects, told.version)
    try:
        made = keras_graph.structure(translator, told.config)
        kind: Any = known.get(made["class_name"])
        if not translator.refused and not (isinstance(kind, type) and issubclass(kind, Network)):
            translator.refuse(f"{made['class_name']} in the place of a model")
        if not translator.refused:
            with initializers.nothing_drawn():
                model = kind.from_config(made["config"], custom_objects=custom_objects)
    except (ArgumentError, ModelFileError) as error:
        raise fault(path, "a model", f"one that cannot be built ({error})", _OWN) from error
    except Exception as error:  # a structure may hold anything, and by it reach any line of the layers
        raise fault(path, "a model", f"a structure that cannot be built ({type(error).__name__}: {error})") from error
    if translator.refused:
        refused = translator.refused
        more = f" and {len(refused) - _TOLD} more" if len(refused) > _TOLD else ""
        raise ModelFileError(f"{path}: expected layers that fastcnn has, got {', '.join(refused[:_TOLD])}{more}; "
                             f"{_OWN}")
    if not model.built:
        raise fault(path, "a model", "one without the shape of its input", "build it in Keras, and save it again")
    keras_weights.load(model, path)
    if compile and told.training:
        keras_compile.compile_as(path, model, told.training)
    return model
