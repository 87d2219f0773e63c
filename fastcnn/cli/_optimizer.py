"""The optimizer of a configuration."""

import inspect
from typing import Any

from fastcnn.cli import _expressions
from fastcnn.cli._config import Config
from fastcnn.errors import ArgumentError

#: What no weight decay is for: there are few of them, and a network needs them of any size.
_SPARED = ("bias", "gamma", "beta")
_SHORT = ("momentum", "nesterov")  # SGD with a momentum of 0.9


def default_rate(optimizer: str) -> float:
    """Return the learning rate of an optimizer where none is said."""
    return float(_made(optimizer).learning_rate)


def make_optimizer(config: Config) -> Any:
    """Return a fresh optimizer. A weight decay is that of kernels alone.

    Raises
    ------
    ArgumentError
        An unknown name or argument, or one that the optimizer does not have.
    """
    asked = {"momentum": config.momentum, "weight_decay": config.weight_decay}
    averages = {"use_ema": True, "ema_momentum": config.ema} if config.ema else {}
    optimizer = _made(config.optimizer, learning_rate=config.learning_rate, **averages,
                      **{name: value for name, value in asked.items() if value is not None})  # fmt: skip
    if optimizer.weight_decay:
        optimizer.exclude_from_weight_decay(var_names=_SPARED)
    return optimizer


def _made(optimizer: str, **arguments: Any) -> Any:
    from fastcnn import optimizers

    kinds = {name: one for name, one in vars(optimizers).items()
             if isinstance(one, type) and issubclass(one, optimizers.Optimizer)}  # fmt: skip
    kinds |= {name.lower(): one for name, one in kinds.items()}
    call = _expressions.read(optimizer, "SGD(momentum=0.9)")
    if "momentum" in arguments and not _has_momentum(kinds.get(call.name, optimizers.SGD)):
        known = [name for name in optimizers.names if _has_momentum(kinds.get(name, optimizers.SGD))]
        raise ArgumentError(f"--momentum: expected an optimizer that has one, {', '.join(known)}, got {optimizer}")
    if call.name in _SHORT:
        return optimizers.SGD(**{"momentum": 0.9, "nesterov": call.name == "nesterov"} | arguments)
    return _expressions.Maker(kinds).make(call, "optimizer", **arguments)


def _has_momentum(kind: Any) -> bool:
    return "momentum" in inspect.signature(kind).parameters
