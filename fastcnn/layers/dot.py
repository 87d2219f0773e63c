"""The dot product of two tensors, sample by sample."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn import device, geometry
from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import integers
from fastcnn.layers.base import Backward, Call, Layer, Shape
from fastcnn.layers.kept import NO_BIAS
from fastcnn.layers.product import Step, last_of, memory_of, plan_of
from fastcnn.layers.reshape import permuted

_EPSILON = 1e-7  # Keras's


class Dot(Layer):
    """y[n, i, k] = sum over c of a[n, i, c] b[n, k, c], c being one axis of each of two inputs. ONNX: MatMul.

    The output has the first input's other axes and then the second's; (N, 1) where there are none.

    Parameters
    ----------
    axes : int or (int, int)
        The axis that is summed over, one for both inputs or one for each; not 0, the batch.
    normalize : bool
        Scale both inputs to length 1 along their axis first, which makes the result the cosine of an angle.
    """

    many_inputs = True

    def __init__(self, axes: int | Sequence[int], normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        given = integers(axes, self, "axes")
        if len(given) > 2 or not given or 0 in given:
            raise ArgumentError(f"{self}: expected axes to be an integer or two, and not 0, the batch, got {axes!r}")
        self.axes, self.normalize = (given[0], given[-1]), normalize

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        a, b = self._places(input_shape)
        first, second = input_shape
        if first[a] != second[b]:
            raise ArgumentError(f"{self}: expected as many numbers along both axes, got {first[a]} of {first} along "
                                f"{self.axes[0]} and {second[b]} of {second} along {self.axes[1]}")
        rest = (*first[1:a], *first[a + 1:], *second[1:b], *second[b + 1:])
        return first[0], *(rest or (1,))

    def _places(self, shapes: Shape) -> tuple[int, int]:
        if len(shapes) != 2:
            raise ArgumentError(f"{self}: expected 2 inputs, got {len(shapes)}")
        places = []
        for axis, shape in zip(self.axes, shapes, strict=True):
            places.append(axis + len(shape) if axis < 0 else axis)
            if not 1 <= places[-1] < len(shape):
                raise ArgumentError(f"{self}: expected axes in 1..{len(shape) - 1}, or counted from the end, for input "
                                    f"{shape}, got {axis}")
        return places[0], places[1]

    def multiply_adds(self) -> int:
        return math.prod(self.output_shape[1:]) * self.input_shape[0][self._places(self.input_shape)[0]]

    def forward(self, x: Any, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        first, second = self.checked(x)
        d, dtype, n = device.of(first), self.dtype, first.shape[0]
        (a, b), who = self._places(self.input_shape), str(self)
        left, left_back = _rows(first, a, self.normalize, who)
        right, right_back = _rows(second, b, self.normalize, who)
        (rows, c), columns = left.shape[1:], right.shape[1]
        # Every sample has a filter bank of its own: a 1x1 convolution of (rows, N C) in N groups.
        images = permuted(left, (1, 0, 2), who).reshape(1, 1, rows, n * c)
        bank = permuted(right, (2, 0, 1), who).reshape(1, 1, c, n * columns)
        y = d.empty((1, 1, rows, n * columns), dtype)
        g = geometry.conv2d(images.shape, n * columns, (1, 1), groups=n) if n else None
        plan = None if g is None else plan_of(g.tobytes(), dtype, False, False)

        def run(step: Step, out: np.ndarray, given: np.ndarray) -> None:
            ready = () if step.packed is None else (0,)
            last = last_of(step, bank, NO_BIAS[dtype])
            getattr(d.kernels, step.kernel)(out, *memory_of(step, d, dtype), given, *last, *ready, g)

        if plan is not None:
            run(plan.forward, y, images)

        def backward(dy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            dz = permuted(dy.reshape(n, rows, columns), (1, 0, 2), who).reshape(y.shape)
            dimages, dbank = d.empty(images.shape, dtype), d.zeros(bank.shape, dtype)
            if plan is not None:
                run(plan.backward_input, dimages, dz)
                step = plan.backward_weights
                getattr(d.kernels, step.kernel)(dbank, NO_BIAS[dtype], *memory_of(step, d, dtype), images, dz, g)
            return (left_back(permuted(dimages.reshape(rows, n, c), (1, 0, 2), who)),
                    right_back(permuted(dbank.reshape(c, n, columns), (1, 2, 0), who)))

        product = permuted(y.reshape(rows, n, columns), (1, 0, 2), who)
        return product.reshape(n, *self.output_shape[1:]), backward


def _rows(x: np.ndarray, axis: int, normalize: bool, who: str) -> tuple[np.ndarray, Backward]:
    """Return an input as (N, rows, C), C being `axis`, scaled to length 1 if so asked, and its gradient's way back."""
    d = device.of(x)
    order = (*(k for k in range(x.ndim) if k != axis), axis)
    inverse = tuple(order.index(k) for k in range(x.ndim))
    last = permuted(x, order, who)
    whole = (x.shape[0], math.prod(last.shape[1:-1]), last.shape[-1])
    rows = last.reshape(whole[0] * whole[1], whole[2])
    if not normalize:
        return rows.reshape(whole), lambda dz: permuted(dz.reshape(last.shape), inverse, who)
    z, scale = d.empty(rows.shape, x.dtype), d.empty(rows.shape[:1], x.dtype)
    d.kernels.unit_rows_forward(z, scale, rows, _EPSILON, 0.0)

    def backward(dz: np.ndarray) -> np.ndarray:
        dx = d.empty(rows.shape, x.dtype)
        d.kernels.unit_rows_backward(dx, dz.reshape(rows.shape), z, scale, _EPSILON)
        return permuted(dx.reshape(last.shape), inverse, who)

    return z.reshape(whole), backward


def dot(inputs: Sequence[Any], axes: int | Sequence[int] = -1, **kwargs: Any) -> Any:
    """Return `Dot` of two inputs."""
    return Dot(axes=axes, **kwargs)(inputs)
