"""What training changes in a model, and what a model must have in common with the one that a training began with."""

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.graph import trace
from fastcnn.symbolic import as_shapes

if TYPE_CHECKING:
    from fastcnn.models.trainer import Trainer

_NO_MATTER = ("name", "seed", "learning_rate")  # of a layer or an optimizer: kept or told beside the configuration


def of_trainer(trainer: "Trainer") -> dict[str, Any]:
    """Return copies: weights and statistics, the optimizer's state, and the seeds of the model and its layers."""
    return {
        "is_of": _digests(trainer), "seed": trainer.seed, "layer_seeds": [layer.seed for layer in _seeded(trainer)],
        "weights": trainer.model.get_weights(), "optimizer": trainer.optimizer.get_state(),
        "stop_training": bool(trainer.stop_training),
    }


def check(trainer: "Trainer", state: dict[str, Any]) -> None:
    """Raise ArgumentError if a state is that of another model, or of one that was compiled in another way."""
    own = _digests(trainer)
    differs = [what for what, digest in state["is_of"].items() if own.get(what) != digest]
    if differs:
        raise ArgumentError(f"{trainer.model}: expected the {' and the '.join(differs)} of the training to go on with, "
                            f"got others; begin a new one, in another folder")


def give_back(trainer: "Trainer", state: dict[str, Any]) -> None:
    """Let the model be as it was when `of_trainer` was called."""
    trainer.optimizer.set_state(state["optimizer"])
    trainer.model.set_weights(state["weights"])
    for layer, seed in zip(_seeded(trainer), state["layer_seeds"], strict=True):
        layer.seed = seed
    trainer.model._prepared = None  # twins of layers that are used in several shapes have copies of the seeds
    trainer.seed, trainer.stop_training = state["seed"], state["stop_training"]


def _seeded(trainer: "Trainer") -> list[Any]:
    """Return the layers that draw random numbers."""
    return [layer for layer in trace.leaves(trainer.model.layers)
            if isinstance(vars(layer).get("seed"), (int, np.integer))]


def _digests(trainer: "Trainer") -> dict[str, str]:
    """Return some digits for what may not change between two parts of one training."""
    steps = [(type(step.node).__name__, step.inputs, step.outputs, as_shapes(step.node.output_shape),
              _plain(step.node.get_config()) if hasattr(step.node, "get_config") else None)
             for step in trainer.model._executable.whole.steps]
    optimizer = type(trainer.optimizer).__name__, _plain(trainer.optimizer.get_config())
    metrics = [(type(one).__name__, _plain(one.get_config())) for one in trainer.objective.metrics]
    losses = [(None if one.loss is None else (type(one.loss).__name__, _plain(one.loss.get_config())), one.weight)
              for one in trainer.objective.targets]
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
