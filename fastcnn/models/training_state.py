"""What training changes in a model, and what a model must have in common with the one that a training began with."""

import hashlib
import json
from typing import Any

import numpy as np

from fastcnn import random
from fastcnn.graph import trace
from fastcnn.layers import held_layers
from fastcnn.models.trainer_state import TrainerState
from fastcnn.symbolic import as_shapes

_NO_MATTER = ("name", "seed")  # a seed is kept beside the configuration


def of_trainer(trainer: TrainerState) -> dict[str, Any]:
    """Return copies: weights and statistics, the optimizer's state, and the seeds of the model and its layers."""
    return {
        "seed": trainer.seed, "layer_seeds": [layer.seed for layer in _seeded(trainer)],
        "weights": trainer.model.get_weights(), "optimizer": trainer.optimizer.get_state(),
        "stop_training": bool(trainer.stop_training),
        "calls": [calls.count for calls in _calls(trainer)],
    }


def give_back(trainer: TrainerState, state: dict[str, Any]) -> None:
    """Let the model be as it was when `of_trainer` was called."""
    trainer.optimizer.set_state(state["optimizer"])
    trainer.model.set_weights(state["weights"])
    for layer, seed in zip(_seeded(trainer), state["layer_seeds"], strict=True):
        layer.seed = seed
    for calls, count in zip(_calls(trainer), state.get("calls", ()), strict=False):
        calls.count = count
    trainer.model.executables.forget()  # twins of layers that are used in several shapes have copies of the seeds
    trainer.seed, trainer.stop_training = state["seed"], state["stop_training"]


def _seeded(trainer: TrainerState) -> list[Any]:
    """Return the layers that draw random numbers."""
    return [layer for layer in trace.leaves(trainer.model.layers)
            if isinstance(vars(layer).get("seed"), (int, np.integer))]


def _calls(trainer: TrainerState) -> list[random.Calls]:
    """Return what counts calls of layers by a step of the model's own."""
    layers = [trainer.model, *(one for _, one in held_layers.all_within(trainer.model))]
    return [random.calls_of_gradients, *(layer._draws for layer in layers)]


def digests(trainer: TrainerState) -> dict[str, str]:
    """Return some digits for each thing that may not change between two parts of one training."""
    steps = [(type(step.node).__name__, step.inputs, step.outputs, as_shapes(step.node.output_shape),
              _plain(step.node.get_config()) if hasattr(step.node, "get_config") else None)
             for step in trainer.model.layer_graph().steps]
    rate = {"learning_rate": None} if trainer.optimizer.has_constant_rate else {}  # a number is part of the state
    optimizer = type(trainer.optimizer).__name__, _plain(trainer.optimizer.get_config() | rate)
    given = trainer.objective  # None for steps of a model's own that need no loss of compile's
    metrics = [(type(one).__name__, _plain(one.get_config())) for one in (given.metrics if given else ())]
    losses = [(None if loss is None else (type(loss).__name__, _plain(loss.get_config())), weight)
              for loss, weight in (given.losses if given else ())]
    trained = [list(p.shape) for p in trainer.trained]
    return {name: _digest(value) for name, value in (
        ("layers", steps), ("layers that are trained", trained), ("optimizer", optimizer), ("losses", losses),
        ("metrics", metrics))}


def _plain(config: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key not in _NO_MATTER}


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=_told)
    return hashlib.sha256(text.encode()).hexdigest()


def _told(value: Any) -> Any:
    """Return what tells an object of a configuration from others, without its address."""
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if hasattr(value, "get_config"):
        return type(value).__name__, _plain(value.get_config())
    return getattr(value, "__qualname__", type(value).__qualname__)
