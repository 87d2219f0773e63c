"""A kernel of a convolution, for one geometry: the function, its memory, and how it is called.

The order of a kernel's arguments is written here and nowhere else::

    ProductCall   y, [scratch], [packed], x, weights, bias, [residual], clamp, [is packed], geometry
    GradientCall  dweights, dbias, scratch, x, dy, geometry
    JoinedCall    outputs, scratch, inputs, [weights, [bias], clamp], geometry
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastcnn.device import Device

#: Arrays of size 0, which kernels take for an absent bias or other array.
NOTHING = {np.dtype(kind): np.empty(0, kind) for kind in (np.float32, np.float64)}
_NO_BANK = {dtype: np.empty((1, 1, 1, 1), dtype) for dtype in NOTHING}  # what nobody reads

Shape = tuple[int, ...]
Shapes = tuple[Shape, Shape, Shape]
Arguments = tuple[tuple[Any, ...], tuple[Any, ...]]  # those between y and x, and those after x


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
        Elements of memory: for scratch, for packed weights that are kept, and for those that are not. None: the kernel
        has no such argument.
    adds : bool
        Whether it takes a residual.
    rounds : bool
        Whether the kernel itself rounds what it multiplies to bfloat16.
    joined : JoinedCall, optional
        What does the same for two arrays with channels side by side, in the place of x or, of gradients of it, of y.
    pixels : int
        How many pixels of y are one to the kernel, side by side: so often it sees the bias.

    Attributes
    ----------
    activates : bool
        Whether the clamp may have the code of an activation behind it.
    border : (Shape, (int, int)), optional
        For a kernel that reads zeros around x: the shape of x with them, and how many are above and on the left.
    """

    __slots__ = ("activates", "adds", "border", "geometry", "joined", "kernel", "packed", "pixels", "rounds", "scratch",
                 "shapes", "unkept")

    def __init__(self, kernel: Callable[..., None], geometry: np.ndarray, shapes: Shapes, scratch: int | None = None,
                 packed: int | None = None, unkept: int | None = None, adds: bool = False,
                 rounds: bool = False, *, joined: "JoinedCall | None" = None, pixels: int = 1) -> None:
        self.kernel, self.geometry, self.shapes, self.joined, self.pixels = kernel, geometry, shapes, joined, pixels
        self.scratch, self.packed, self.unkept = scratch, packed, packed if unkept is None else unkept
        self.adds, self.rounds = adds, rounds
        self.activates = False
        self.border: tuple[Shape, tuple[int, int]] | None = None

    def arguments(self, d: Device, weights: np.ndarray | None, bias: np.ndarray, clamp: np.ndarray,
                  residual: np.ndarray | None = None, packed: tuple[np.ndarray, int] | None = None) -> Arguments:
        """Return what the kernel takes between y and x, and after x.

        Parameters
        ----------
        d : Device
            Where the arrays live.
        weights, bias : array
            The bias may be of size 0. No weights are needed where they are packed already.
        clamp : (2,) array
            The lowest and the highest result.
        residual : array, optional
            Lies as y does; added before the clamp.
        packed : (array, int), optional
            Memory for packed weights, and 1 if they are in it already. If absent, memory for this call alone.
        """
        dtype, shape = clamp.dtype, self.shapes[2]  # a clamp has the type in which the kernel computes
        if self.pixels > 1 and bias.size:
            repeated = d.empty((self.pixels, bias.size), dtype)
            d.copy(repeated, bias)
            bias = repeated.reshape(-1)
        # Comparing shapes takes a third of the time of a view.
        bank = (_NO_BANK[dtype] if weights is None else
                weights if weights.shape == shape else weights.reshape(shape))
        scratch = () if self.scratch is None else (d.empty((self.scratch,), dtype),)
        adding = () if not self.adds else (NOTHING[dtype] if residual is None else residual.reshape(-1),)
        if self.unkept is None:
            return scratch, (bank, bias, *adding, clamp, self.geometry)
        memory, is_packed = (d.empty((self.unkept,), dtype), 0) if packed is None else packed
        return (*scratch, memory), (bank, bias, *adding, clamp, is_packed, self.geometry)

    def run(self, d: Device, y: np.ndarray, x: np.ndarray, arguments: Arguments) -> None:
        """Compute y from x and from what `arguments` returned. y and x may have any shape of the right size."""
        (y_shape, x_shape, _), (between, after) = self.shapes, arguments
        images = x if x.shape == x_shape else x.reshape(x_shape)
        # Some kernels read no zeros beyond an image: they get one with its border.
        if self.border is not None:
            images = self._with_border(d, images)
        # While a prediction is captured, each call is written down, too.
        kernel = self.kernel if d.recorder is None else d.recorder.of(self.kernel)
        kernel(y if y.shape == y_shape else y.reshape(y_shape), *between, images, *after)

    def _with_border(self, d: Device, images: np.ndarray) -> np.ndarray:
        assert self.border is not None
        shape, corner = self.border
        padded = d.empty(shape, images.dtype)
        d.kernels.pad2d(padded, images, *corner)
        return padded


class GradientCall:
    """A kernel that computes the gradients of weights and bias from x and dy, and adds them.

    Parameters
    ----------
    kernel : callable
    geometry : (1,) array
    shapes : (tuple, tuple, tuple)
        Of dy, x and the weights, as the kernel sees them.
    scratch : int
        Elements of memory.
    joined : JoinedCall, optional
        As of `ProductCall`.
    """

    __slots__ = ("geometry", "joined", "kernel", "scratch", "shapes")

    def __init__(self, kernel: Callable[..., None], geometry: np.ndarray, shapes: Shapes, scratch: int,
                 joined: "JoinedCall | None" = None) -> None:
        self.kernel, self.geometry, self.shapes, self.scratch = kernel, geometry, shapes, scratch
        self.joined = joined

    def run(self, d: Device, dweights: np.ndarray, dbias: np.ndarray, x: np.ndarray, dy: np.ndarray) -> None:
        """Add to `dweights` and, unless it is of size 0, to `dbias`; the arrays live on `d`."""
        dy_shape, x_shape, weights_shape = self.shapes
        kernel = self.kernel if d.recorder is None else d.recorder.of(self.kernel)
        kernel(dweights.reshape(weights_shape), dbias, d.empty((self.scratch,), x.dtype), x.reshape(x_shape),
               dy.reshape(dy_shape), self.geometry)


class JoinedCall:
    """A kernel of a convolution that reads or writes two arrays whose channels stand side by side.

    Parameters
    ----------
    kernel : callable
    geometry : (1,) array
    scratch : int
        Elements of memory.
    """

    __slots__ = ("geometry", "kernel", "scratch")

    def __init__(self, kernel: Callable[..., None], geometry: np.ndarray, scratch: int) -> None:
        self.kernel, self.geometry, self.scratch = kernel, geometry, scratch

    def run(self, d: Device, outputs: Sequence[np.ndarray], inputs: Sequence[np.ndarray],
            others: Sequence[np.ndarray] = ()) -> None:
        """Compute the outputs of images or gradients, and of `others`: weights, bias and clamp, as the kernel has them.

        Arrays have the shapes that the kernel names, and live on `d`.
        """
        kernel = self.kernel if d.recorder is None else d.recorder.of(self.kernel)
        kernel(*outputs, d.empty((self.scratch,), outputs[0].dtype), *inputs, *others, self.geometry)
