"""A function as a loss."""

import inspect
from collections.abc import Callable
from typing import Any

from fastcnn import _hooks
from fastcnn.errors import ArgumentError
from fastcnn.losses.base import Loss


class FunctionLoss(Loss):
    """A function as a loss, as `compile` takes it.

    Parameters
    ----------
    fn : callable
        (y_true, y_pred) -> a number for each sample or position, as a tensor made by `fastcnn.ops` and operators.
    name : str, optional
        That of the function if absent.
    reduction : str
        As in `Loss`.

    Raises
    ------
    ArgumentError
        If the function takes something else.
    """

    def __init__(self, fn: Callable[[Any, Any], Any], name: str | None = None,
                 reduction: str | None = "sum_over_batch_size") -> None:
        super().__init__(name or getattr(fn, "__name__", "loss").strip("<>"), reduction)
        self.fn = fn
        try:
            inspect.signature(fn).bind(None, None)
        except (TypeError, ValueError):
            raise ArgumentError(f"loss {self.name}: expected a function of y_true and y_pred, got "
                                f"{self.name}{inspect.signature(fn)}") from None

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return what the function makes of both, of as many dimensions where one of them has a last one of 1."""
        if abs(y_true.ndim - y_pred.ndim) == 1:
            longer, shorter = (y_true, y_pred) if y_true.ndim > y_pred.ndim else (y_pred, y_true)
            if longer.shape[-1] == 1:  # as Keras: a vector becomes a column, else the longer one loses its last axis
                change = "expand_dims" if shorter.ndim == 1 else "squeeze"
                changed = _hooks.hooks["operation"](change)(shorter if shorter.ndim == 1 else longer, -1)
                if (shorter if shorter.ndim == 1 else longer) is y_true:
                    y_true = changed
                else:
                    y_pred = changed
        return self.fn(y_true, y_pred)
