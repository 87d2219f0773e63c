"""A callback of functions."""

from collections.abc import Callable
from typing import Any

from fastcnn.callbacks.callback import Callback
from fastcnn.errors import ArgumentError, UnknownArgumentError, unknown

_HOOKS = tuple(name for name in vars(Callback) if name.startswith("on_"))


class LambdaCallback(Callback):
    """A callback whose hooks are the functions it is given.

    Parameters
    ----------
    on_epoch_begin, on_epoch_end : callable, optional
        (epoch, logs)
    on_train_begin, on_train_end : callable, optional
        (logs)
    on_train_batch_begin, on_train_batch_end : callable, optional
        (batch, logs)
    **others : callable
        Any other hook of `Callback`, by its name.

    Examples
    --------
    >>> model = fc.Sequential([layers.Dense(1, kernel_initializer="zeros")])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> x, y = np.ones((8, 2)), np.ones((8, 1))
    >>> rising = fc.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, round(logs["loss"], 3)))
    >>> history = model.fit(x, y, epochs=2, verbose=0, callbacks=rising)
    0 1.0
    1 0.884
    """

    def __init__(self, on_epoch_begin: Callable[..., Any] | None = None, on_epoch_end: Callable[..., Any] | None = None,
                 on_train_begin: Callable[..., Any] | None = None, on_train_end: Callable[..., Any] | None = None,
                 on_train_batch_begin: Callable[..., Any] | None = None,
                 on_train_batch_end: Callable[..., Any] | None = None, **others: Callable[..., Any]) -> None:
        hooks = others | {"on_epoch_begin": on_epoch_begin, "on_epoch_end": on_epoch_end,
                          "on_train_begin": on_train_begin, "on_train_end": on_train_end,
                          "on_train_batch_begin": on_train_batch_begin, "on_train_batch_end": on_train_batch_end}
        for name, hook in hooks.items():
            if name not in _HOOKS:
                raise UnknownArgumentError(unknown("LambdaCallback: hook", name, _HOOKS))
            if hook is None:
                continue
            if not callable(hook):
                raise ArgumentError(f"LambdaCallback: expected {name} to be a function, got {hook!r}")
            setattr(self, name, hook)
