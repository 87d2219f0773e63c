"""Whole models out of Keras's files: structure, weights, what `compile` was given, and the state of the optimizer."""

from pathlib import Path
from typing import Any

from fastcnn import initializers, registry
from fastcnn.errors import ArgumentError, ModelFileError
from fastcnn.formats.keras import described, fault
from fastcnn.models import serialization
from fastcnn.models.files import contents, keras_compile, keras_graph, keras_weights
from fastcnn.models.files.keras_config import Translator
from fastcnn.models.network import Network

_TOLD = 12
_OWN = "use other layers, pass your own as custom_objects={name: class}, or export it as ONNX for fc.onnx.load"


def load(path: Path, custom_objects: dict[str, Any], compile: bool, runs_code: bool = False) -> Any:
    """As `fastcnn.saving.load_model`, for a file of Keras's; `runs_code` is ``not safe_mode``."""
    told = described(path)
    own = registry.known() | custom_objects
    classes = {name: one for name, one in own.items() if isinstance(one, type)}
    known = serialization.classes(classes)
    translator = Translator(known, own, told.version, runs_code)
    try:
        made = keras_graph.structure(translator, told.config)
        kind: Any = known.get(made["class_name"])
        if not translator.refused and not (isinstance(kind, type) and issubclass(kind, Network)):
            translator.refuse(f"{made['class_name']} in the place of a model")
        if not translator.refused:
            with initializers.nothing_drawn(), registry.custom_object_scope(own):
                model = contents.made(kind, made["config"], classes, _input_shape(told.config))
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
        keras_compile.compile_as(path, model, told.training, own)
        if model.optimizer is not None and not translator.is_old:
            keras_weights.load_optimizer(model, path)
    return model


def _input_shape(told: dict[str, Any]) -> Any:
    """Return what a model with a `call` was built for, None if the file does not tell."""
    shape = (told.get("build_config") or {}).get("input_shape")
    if not isinstance(shape, list) or not shape:
        return None
    return [[None, *one[1:]] for one in shape] if isinstance(shape[0], list) else [None, *shape[1:]]
