"""Where a model begins: the shape of what it is given."""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import is_integer
from fastcnn.layers.base import Backward, Call, Layer
from fastcnn.layers.building import VARYING
from fastcnn.symbolic import LayerCall, Tensor


class InputLayer(Layer):
    """The layer behind `Input`. It returns its input.

    Parameters
    ----------
    shape : tuple of int
        Without the batch: (H, W, C).

    Examples
    --------
    >>> model = fc.Sequential([layers.InputLayer((28, 28, 1)), layers.Flatten()])
    >>> model.output_shape
    (None, 784)
    """

    def __init__(self, shape: tuple[int, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        good = isinstance(shape, (tuple, list)) and all(is_integer(n) and n > 0 for n in shape)
        if not good:
            hint = VARYING if _has_none(shape) else ""
            raise ArgumentError(f"{self}: expected a shape of positive integers such as (28, 28, 1), "
                                f"got {shape!r}{hint}")
        self.build((None, *shape))

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        return self.checked(x), lambda dy: dy

    def tensor(self) -> Tensor:
        """Return the symbolic tensor that stands for what the model will be given; the same at each call."""
        if not self.nodes:
            self.nodes.append(LayerCall(self, (), (self.output_shape,), None))
        return self.nodes[0].outputs[0]


def Input(shape: tuple[int, ...] | None = None, batch_size: int | None = None,  # noqa: N802  (Keras's name)
          dtype: Any = None, sparse: Any = None, batch_shape: Any = None, name: str | None = None,
          tensor: Any = None, optional: bool = False, ragged: Any = None) -> Tensor:
    """Return a symbolic tensor: the input of a model.

    Parameters
    ----------
    shape : tuple of int
        Of one sample: (H, W, C).
    batch_size : int, optional
        A batch may be of any size: only None is offered.
    dtype : str or DTypePolicy, optional
        float32 or float64; that of `fastcnn.config.dtype_policy` if absent.
    batch_shape : tuple, optional
        (None, H, W, C), in the place of `shape`.
    name : str, optional
    sparse, tensor, optional, ragged
        Not offered.

    Raises
    ------
    ArgumentError
        If the shape has other entries than positive integers, or an argument is not offered.

    Examples
    --------
    >>> x = fc.Input((28, 28, 1))
    >>> x.shape
    (None, 28, 28, 1)
    >>> layers.Conv2D(8, 3)(x).shape
    (None, 26, 26, 8)
    """
    who = f'Input "{name or "input"}"'
    for argument, value in (("batch_size", batch_size), ("sparse", sparse), ("tensor", tensor),
                            ("optional", optional or None), ("ragged", ragged)):
        if value is not None:
            raise ArgumentError(f"{who}: {argument}={value!r} is not offered; leave it at None")
    if batch_shape is not None:
        if shape is not None or not batch_shape or batch_shape[0] is not None:
            raise ArgumentError(f"{who}: expected either shape or a batch_shape such as (None, 28, 28, 1), "
                                f"got shape={shape!r} and batch_shape={batch_shape!r}")
        shape = tuple(batch_shape[1:])
    if shape is None:
        raise ArgumentError(f"{who}: expected a shape such as (28, 28, 1), got none")
    return InputLayer(shape, name=name, dtype=dtype).tensor()


def _has_none(shape: Any) -> bool:
    return isinstance(shape, (tuple, list)) and None in shape
