"""A function of tensors as a layer."""

from collections.abc import Callable
from typing import Any

from fastcnn.errors import ArgumentError
from fastcnn.layers.base import Layer


class Lambda(Layer):
    """y = function(x): what a function does with tensors, by layers, operators and `fastcnn.ops`.

    It is asked once for each shape. Models with it are copied, but no file holds a function: a layer of your own, with
    ``call``, can be saved.

    Parameters
    ----------
    function : callable
        Takes a tensor, or a list of them, and returns as much.
    output_shape : tuple, optional
        Not needed: it is known from what the function does.
    mask : None
        Not offered.
    arguments : dict, optional
        Further arguments of the function, by name.

    Examples
    --------
    >>> layers.Lambda(lambda x: x ** 2)(np.array([[1.0, 3.0]], "float32"))
    array([[1., 9.]], dtype=float32)
    """

    def __init__(self, function: Callable[..., Any], output_shape: Any = None, mask: Any = None,
                 arguments: dict[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.refuse(mask=(mask, None))
        if not callable(function):
            raise ArgumentError(f"{self}: expected a function of tensors, got {type(function).__name__}")
        self.function, self.arguments = function, dict(arguments or {})

    def call(self, x: Any) -> Any:
        """Return what the function makes of tensors."""
        return self.function(x, **self.arguments)
