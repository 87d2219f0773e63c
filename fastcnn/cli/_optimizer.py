"""The optimizer of a configuration: by name, or by a call with arguments of its own."""

from typing import Any

from fastcnn.cli import _expressions
from fastcnn.cli._config import Config


def default_rate(optimizer: str) -> float:
    """Return the learning rate of an optimizer where none is said."""
    return float(_made(optimizer).learning_rate)


def make_optimizer(config: Config) -> Any:
    """Return a fresh optimizer.

    Raises
    ------
    CallError
        An unknown name or argument.
    """
    return _made(config.optimizer, learning_rate=config.learning_rate)


def _made(optimizer: str, **arguments: Any) -> Any:
    from fastcnn import optimizers

    if "(" not in optimizer:
        return optimizers.get(optimizer, **arguments)
    call = _expressions.read(optimizer, "SGD(momentum=0.9)")
    kinds = {name: one for name, one in vars(optimizers).items()
             if isinstance(one, type) and issubclass(one, optimizers.Optimizer)}  # fmt: skip
    return _expressions.Maker(kinds).make(call, "optimizer", **arguments)
