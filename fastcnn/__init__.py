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

_OBJECTS = {"Sequential": "fastcnn.models", "Model": "fastcnn.models", "Input": "fastcnn.layers",
            "Layer": "fastcnn.layers", "Loss": "fastcnn.losses", "Metric": "fastcnn.metrics",
            "Optimizer": "fastcnn.optimizers", "Initializer": "fastcnn.initializers",
            "Regularizer": "fastcnn.regularizers", "DTypePolicy": "fastcnn.dtype_policies"}
_MODULES = ("activations", "applications", "callbacks", "config", "datasets", "device", "dtype_policies", "errors",
            "geometry", "graph", "initializers", "kernels", "layers", "losses", "metrics", "models", "onnx",
            "optimizers", "parameters", "random", "regularizers", "saving", "training", "traits",
            "utils")

__all__ = ["__version__", *_OBJECTS, *_MODULES]

if TYPE_CHECKING:  # what __getattr__ gives, for editors and type checkers
    from fastcnn import (
        activations,
        applications,
        callbacks,
        config,
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
        optimizers,
        parameters,
        random,
        regularizers,
        saving,
        training,
        traits,
        utils,
    )
    from fastcnn.dtype_policies import DTypePolicy
    from fastcnn.initializers import Initializer
    from fastcnn.layers import Input, Layer
    from fastcnn.losses import Loss
    from fastcnn.metrics import Metric
    from fastcnn.models import Model, Sequential
    from fastcnn.optimizers import Optimizer
    from fastcnn.regularizers import Regularizer


def __getattr__(name: str) -> Any:
    if name in _OBJECTS:
        return getattr(_imported(_OBJECTS[name]), name)
    if name in _MODULES:
        return _imported(f"fastcnn.{name}")
    return importlib.import_module("fastcnn.unsupported").names_of("")(name)


def _imported(module: str) -> Any:
    from fastcnn._interrupts import deferred

    with deferred(whole=True):  # Ctrl-C waits: the process could not import the rest any more
        return importlib.import_module(module)


# Layers have a graph of others where they have `call`; the room of graphs lies above theirs.
_hooks.hooks["graph"] = lambda *given: _imported("fastcnn.graph.executable").between(*given)


def __dir__() -> list[str]:
    return sorted(__all__)
