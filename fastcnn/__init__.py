"""fastcnn: train and run convolutional networks on a CPU, fast, from pure Python.

    import fastcnn as fc
    from fastcnn import layers

The names are Keras 3's. Everything is imported when it is first used, so that ``fastcnn --help`` needs neither NumPy
nor Numba.
"""

import importlib
from typing import TYPE_CHECKING, Any

from fastcnn import _hooks
from fastcnn._version import __version__

# Written out, since type checkers and editors read it: they know no name that is computed.
__all__ = [
    "DTypePolicy", "Initializer", "Input", "Layer", "Loss", "Metric", "Model", "Optimizer", "Regularizer",
    "Sequential", "Variable", "__version__", "activations", "applications", "augmentation",
    "backend", "callbacks", "check_gradients", "config", "constraints", "data", "datasets",
    "device", "dtype_policies", "errors", "geometry", "gradients", "graph", "initializers", "kernels", "layers",
    "losses", "lr_finder", "metrics", "models", "onnx", "ops", "optimizers", "parameters", "quantization", "quantize",
    "random", "regularizers", "report", "saving", "sklearn", "step_budget", "training", "traits", "tuning", "utils",
    "vision",
]

#: Where the objects are; what else stands in `__all__` are modules.
_OBJECTS = {"DTypePolicy": "dtype_policies", "Initializer": "initializers", "Input": "layers", "Layer": "layers",
            "Loss": "losses", "Metric": "metrics", "Model": "models", "Optimizer": "optimizers",
            "Regularizer": "regularizers", "Sequential": "models", "Variable": "variables", "check_gradients": "models",
            "gradients": "differentiate", "lr_finder": "models", "quantize": "quantization", "step_budget": "models"}

if TYPE_CHECKING:  # what __getattr__ gives, for editors and type checkers
    from fastcnn import (
        activations,
        applications,
        augmentation,
        backend,
        callbacks,
        config,
        constraints,
        data,
        datasets,
        device,
        dtype_policies,
        errors,
        geometry,
        graph,
        initializers,
        kernels,
        layers,
        losses,
        metrics,
        models,
        onnx,
        ops,
        optimizers,
        parameters,
        quantization,
        random,
        regularizers,
        report,
        saving,
        sklearn,
        training,
        traits,
        tuning,
        utils,
        vision,
    )
    from fastcnn.differentiate import gradients
    from fastcnn.dtype_policies import DTypePolicy
    from fastcnn.initializers import Initializer
    from fastcnn.layers import Input, Layer
    from fastcnn.losses import Loss
    from fastcnn.metrics import Metric
    from fastcnn.models import Model, Sequential, check_gradients, lr_finder, step_budget
    from fastcnn.optimizers import Optimizer
    from fastcnn.quantization import quantize
    from fastcnn.regularizers import Regularizer
    from fastcnn.variables import Variable


if not TYPE_CHECKING:  # else type checkers would believe in any name
    def __getattr__(name: str) -> Any:
        if name in _OBJECTS:
            return getattr(_imported(f"fastcnn.{_OBJECTS[name]}"), name)
        if name in __all__:
            return _imported(f"fastcnn.{name}")
        return importlib.import_module("fastcnn.unsupported").names_of("")(name)


def _imported(module: str) -> Any:
    from fastcnn._collection import postponed
    from fastcnn._interrupts import deferred

    with deferred(whole=True), postponed():  # Ctrl-C waits: the process could not import the rest any more
        return importlib.import_module(module)


# Layers have a graph of others where they have `call`; the room of graphs lies above theirs.
_hooks.hooks["graph"] = lambda *given: _imported("fastcnn.graph.executable").between(*given)
# So do tensors with operators, and files that hold operations.
_hooks.hooks["operation"] = lambda name: getattr(_imported("fastcnn.ops"), name)
_hooks.hooks["primitive"] = lambda name: _imported("fastcnn.ops.primitive").known(name)

_hooks.hooks["layer_entry"] = lambda layer: _imported("fastcnn.models.serialization").entries([layer])[0]
_hooks.hooks["layer_of_entry"] = lambda config, custom_objects: _imported("fastcnn.models.serialization").make_all(
    [config], custom_objects, "Layer")[0]

_hooks.hooks["draw"] = lambda *given: _imported("fastcnn.ops.drawing").draw(*given)
# A card is opened where somebody asks for it; nothing else imports anything of CUDA.
_hooks.hooks["card"] = lambda index: _imported("fastcnn.cuda.opening").opened(index)
_hooks.hooks["device"] = lambda: _imported("fastcnn.device").current().name
_hooks.hooks["set_device"] = lambda name: _imported("fastcnn.device").choose(name)
# A penalty on pairs of vectors needs their products, which lie above parameters.
_hooks.hooks["product"] = lambda *given: _imported("fastcnn.operations.matrix_product").product(*given)

# `fastcnn.models.load_model` is Keras's other name of what lies above.
_hooks.hooks["load_model"] = lambda *given: _imported("fastcnn.saving").load_model(*given)


def __dir__() -> list[str]:
    return sorted(__all__)
