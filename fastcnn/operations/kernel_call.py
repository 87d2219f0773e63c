"""A kernel that multiplies, for one geometry: the function, its memory, and how it is called.

The order of a kernel's arguments is spelled here and nowhere else::

    ProductCall   y, [scratch], [packed], x, weights, bias, [residual], clamp, [is packed], geometry
    GradientCall  dweights, dbias, scratch, x, dy, geometry
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastcnn import device

#: Of size 0: a bias that is not there, and whatever else is not.
NOTHING = {np.dtype(kind): np.empty(0, kind) for kind in (np.float32, np.float64)}

Shape = tuple[int, ...]
Shapes = tuple[Shape, Shape, Shape]


class ProductCall:
    """A kernel that makes y of x and weights.

    Parameters
    ----------
    kernel : callable
    geometry : (1,) array
        As the kernel sees it.
    shapes : (tuple, tuple, tuple)
        Of y, x and the weights, as the kernel sees them.
    scratch, packed, unkept : int, optional
        Elements of memory: scratch, the packed weights, and those that are not kept. None: not in its signature.
    adds : bool
        Whether it takes a residual.
    border : (Shape, (int, int)), optional
        The shape of x with its border of zeros, and how many are above and on the left, where the kernel wants them.
    """

    __slots__ = ("adds", "border", "geometry", "kernel", "packed", "scratch", "shapes", "unkept")

    def __init__(self, kernel: Callable[..., None], geometry: np.ndarray, shapes: Shapes, scratch: int | None = None,
                 packed: int | None = None, unkept: int | None = None, adds: bool = False) -> None:
        self.kernel, self.geometry, self.shapes = kernel, geometry, shapes
        self.scratch, self.packed, self.unkept = scratch, packed, packed if unkept is None else unkept
        self.adds = adds
        self.border: tuple[Shape, tuple[int, int]] | None = None

    def run(self, y: np.ndarray, x: np.ndarray, weights: np.ndarray, bias: np.ndarray, clamp: np.ndarray,
            residual: np.ndarray | None = None, packed: tuple[np.ndarray, int] | None = None) -> None:
        """Write y.

        Parameters
        ----------
        y, x : array
            Of as many elements as the kernel wants.
        weights, bias : array
            The bias may be of size 0.
        clamp : (2,) array
            The lowest and the highest result.
        residual : array, optional
            Lies as y does; added before the clamp.
        packed : (array, int), optional
            Memory for packed weights, and 1 if they are there; else memory for this call alone.
        """
        d, dtype, (y_shape, x_shape, weights_shape) = device.of(x), x.dtype, self.shapes
        images = x.reshape(x_shape)
        if self.border is not None:
            shape, corner = self.border
            padded = d.empty(shape, dtype)
            d.kernels.pad2d(padded, images, *corner)
            images = padded
        before: list[Any] = [y.reshape(y_shape)]
        after: list[Any] = [clamp]
        if self.scratch is not None:
            before.append(d.empty((self.scratch,), dtype))
        if self.unkept is not None:
            memory, is_packed = (d.empty((self.unkept,), dtype), 0) if packed is None else packed
            before.append(memory)
            after.append(is_packed)
        if self.adds:
            after.insert(0, NOTHING[dtype] if residual is None else residual.reshape(-1))
        kernel = self.kernel if d.recorder is None else d.recorder.of(self.kernel)
        kernel(*before, images, weights.reshape(weights_shape), bias, *after, self.geometry)


class GradientCall:
    """A kernel that adds to the gradients of weights and bias what x and dy have for them.

    Parameters
    ----------
    kernel : callable
    geometry : (1,) array
    shapes : (tuple, tuple, tuple)
        Of dy, x and the weights, as the kernel sees them.
    scratch : int
        Elements of memory.
    """

    __slots__ = ("geometry", "kernel", "scratch", "shapes")

    def __init__(self, kernel: Callable[..., None], geometry: np.ndarray, shapes: Shapes, scratch: int) -> None:
        self.kernel, self.geometry, self.shapes, self.scratch = kernel, geometry, shapes, scratch

    def run(self, dweights: np.ndarray, dbias: np.ndarray, x: np.ndarray, dy: np.ndarray) -> None:
        """Add to `dweights` and, unless it is of size 0, to `dbias`."""
        d, (dy_shape, x_shape, weights_shape) = device.of(x), self.shapes
        kernel = self.kernel if d.recorder is None else d.recorder.of(self.kernel)
        kernel(dweights.reshape(weights_shape), dbias, d.empty((self.scratch,), x.dtype), x.reshape(x_shape),
               dy.reshape(dy_shape), self.geometry)
