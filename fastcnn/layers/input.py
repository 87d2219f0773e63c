"""Where a model begins: the shape of what it is given."""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import is_integer
from fastcnn.layers.base import Backward, Call, Layer
from fastcnn.symbolic import LayerCall, Tensor


class InputLayer(Layer):
    """The layer behind `Input`. It returns its input.

    Parameters
    ----------
    shape : tuple of int
        Without the batch: (H, W, C). None leaves a size open: (None, None, C).
    batch_size : int, optional
        What a batch will be; one may be of any size all the same.
    dtype : str or DTypePolicy, optional
    sparse, ragged, optional : False
        Not offered.
    batch_shape : tuple, optional
        (None, H, W, C), in the place of `shape` and `batch_size`.
    input_tensor : Tensor, optional
        An input, whose shape and type are taken in the place of all others.
    name : str, optional

    Examples
    --------
    >>> model = fc.Sequential([layers.InputLayer((28, 28, 1)), layers.Flatten()])
    >>> model.output_shape
    (None, 784)
    """

    def __init__(self, shape: tuple[int | None, ...] | None = None, batch_size: int | None = None, dtype: Any = None,
                 sparse: Any = None, ragged: Any = None, batch_shape: Any = None, input_tensor: Any = None,
                 optional: bool = False, name: str | None = None, **kwargs: Any) -> None:
        who = f'Input "{name or "input"}"'
        if input_tensor is not None:
            if not isinstance(input_tensor, Tensor):
                raise ArgumentError(f"{who}: expected input_tensor to be a tensor of fc.Input or of a layer, "
                                    f"got {type(input_tensor).__name__}")
            shape, dtype = input_tensor.shape[1:], input_tensor.dtype if dtype is None else dtype
        for argument, value in (("sparse", sparse), ("optional", optional), ("ragged", ragged)):
            if value:
                raise ArgumentError(f"{who}: {argument}={value!r} is not offered; leave it out")
        if batch_shape is not None:
            if shape is not None or batch_size is not None or not isinstance(batch_shape, (tuple, list)) \
                    or not batch_shape:
                raise ArgumentError(f"{who}: expected either shape or a batch_shape such as (None, 28, 28, 1), "
                                    f"got shape={shape!r}, batch_size={batch_size!r} and batch_shape={batch_shape!r}")
            batch_size, shape = batch_shape[0], tuple(batch_shape[1:])
        if shape is None:
            raise ArgumentError(f"{who}: expected a shape such as (28, 28, 1), got none")
        super().__init__(name=name, dtype=dtype, **kwargs)
        if batch_size is not None and not (is_integer(batch_size) and batch_size >= 0):
            raise ArgumentError(f"{self}: expected batch_size to be an integer or None, got {batch_size!r}")
        if not isinstance(shape, (tuple, list)) or not all(n is None or (is_integer(n) and n > 0) for n in shape):
            raise ArgumentError(f"{self}: expected a shape of positive integers, and None for sizes left open, such "
                                f"as (28, 28, 1) or (None, None, 3), got {shape!r}")
        self._arguments = {"shape": tuple(shape)} | {
            key: value for key, value in self._arguments.items() if key in ("dtype", "trainable")}
        self.batch_size = batch_size
        if batch_size is not None:
            self._arguments["batch_size"] = batch_size
        self.build((None, *shape))

    @property
    def batch_shape(self) -> tuple[int | None, ...]:
        """The shape with the batch, as it was told."""
        return self.batch_size, *self.input_shape[1:]

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        return self.checked(x), lambda dy: dy

    def tensor(self) -> Tensor:
        """Return the symbolic tensor that stands for what the model will be given; the same at each call."""
        if not self.nodes:
            self.nodes.append(LayerCall(self, (), (self.output_shape,), None))
        return self.nodes[0].outputs[0]


def Input(shape: tuple[int | None, ...] | None = None, batch_size: int | None = None,  # noqa: N802  (Keras's name)
          dtype: Any = None, sparse: Any = None, batch_shape: Any = None, name: str | None = None,
          tensor: Any = None, optional: bool = False, ragged: Any = None) -> Tensor:
    """Return a symbolic tensor: the input of a model.

    Parameters
    ----------
    shape : tuple of int
        Of one sample: (H, W, C). None leaves a size open: a model of (None, None, C) takes images of any size, all of
        a batch of one size.
    batch_size : int, optional
        What a batch will be. One may be of any size all the same, and shapes tell None of it.
    dtype : str or DTypePolicy, optional
        float32, float64 or mixed_bfloat16; that of `fastcnn.config.dtype_policy` if absent.
    batch_shape : tuple, optional
        (None, H, W, C), in the place of `shape`.
    name : str, optional
    tensor : Tensor, optional
        An input, whose shape and type are taken.
    sparse, optional, ragged : False
        Not offered.

    Raises
    ------
    ArgumentError
        If the shape has other entries than positive integers and None, or an argument is not offered.

    Examples
    --------
    >>> x = fc.Input((28, 28, 1))
    >>> x.shape
    (None, 28, 28, 1)
    >>> layers.Conv2D(8, 3)(x).shape
    (None, 26, 26, 8)
    >>> layers.Conv2D(8, 3)(fc.Input((None, None, 1))).shape
    (None, None, None, 8)
    """
    return InputLayer(shape, batch_size, dtype, sparse, ragged, batch_shape, tensor, optional, name).tensor()
