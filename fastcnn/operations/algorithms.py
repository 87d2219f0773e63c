"""Which kernels compute a convolution of images. It is decided here alone, once for each geometry.

==============  ====================================================================================================
depthwise       one filter a channel: kernels of its own
Winograd        windows of 3x3 and 5x5 where `winograd_*_suits` says that it is faster; it rounds in another way
few filters     1 to 6 of them, forward, or channels, back, where `few_filters_*_suits`: vectors along the window
narrow          the gradient of few filters, where `narrow_backward_weights_suits`: vectors along rows; along channels
                where these fill them (`few_filters_backward_weights_suits`)
direct          everything else, on the register tile
bfloat16        of layers that compute in it, where the CPU has a unit: tiles (`bfloat16_conv2d_suits`), or pairs of
                channels on the register tile (`pairs_conv2d_suits`, `pairs_conv2d_forward_suits`)
                where Winograd in float32 is not faster still
==============  ====================================================================================================

What is faster is told by the rates of the kind of CPU (`fastcnn.algorithm_tables`), or measured, where that is wanted.
"""

import functools
from types import ModuleType
from typing import NamedTuple

import numpy as np

from fastcnn import config, device
from fastcnn.device import Device
from fastcnn.geometry import CONV2D
from fastcnn.operations.kernel_call import GradientCall, JoinedCall, ProductCall, Shapes
from fastcnn.operations.measured_algorithms import faster
from fastcnn.operations.pairs_call import PairsCall, PairsGradientCall, WideGradientCall

_FEW = 64  # output positions of a batch, up to which a border of zeros may pay off, however large the images
_TALL = 8  # rows and columns from which Winograd makes gradients of filters faster than pairs of bfloat16 do
_NARROW = 4  # columns of a window up to which its pixels are put together
_SMALL = 1 << 15  # numbers in a batch of images, up to which copying them takes less time than many short runs


class Algorithm(NamedTuple):
    """The three kernels of a convolution.

    Attributes
    ----------
    forward : ProductCall
        y of x.
    backward_input : ProductCall
        dx of dy; y of x in a transposed convolution.
    backward_weights : GradientCall
    """

    forward: ProductCall
    backward_input: ProductCall
    backward_weights: GradientCall


def algorithm_of(g: np.ndarray, d: Device, dtype: np.dtype, kept: bool, rounds: bool = False) -> Algorithm:
    """Return the algorithm of a CONV2D.

    Parameters
    ----------
    dtype : dtype
    kept : bool
        Whether packed weights will be kept.
    rounds : bool
        Whether operands are rounded to bfloat16.
    """
    # By its bytes, since an array is no key. Asking kernels costs more than looking the answer up.
    switches = config.switches
    return _chosen(g.tobytes(), d.library, dtype, switches.winograd, switches.algorithm_choice, kept, rounds)


@functools.lru_cache(maxsize=4096)
def _chosen(fields: bytes, kernels: ModuleType, dtype: np.dtype, winograd: bool, choice: str, kept: bool, rounds: bool
            ) -> Algorithm:
    # Bytes, since arrays cannot be keys of a cache; a copy, since a read-only array is another type to Numba.
    g = np.frombuffer(fields, CONV2D).copy()
    f = {name: int(g[0][name]) for name in CONV2D.names or ()}
    x_shape, y_shape = (f["n"], f["h"], f["w"], f["c"]), (f["n"], f["oh"], f["ow"], f["k"])
    weights = f["kh"], f["kw"], f["c"] // f["groups"], f["k"]
    shapes, back = (y_shape, x_shape, weights), (x_shape, y_shape, weights)
    if f["c"] > 1 and f["groups"] == f["c"] == f["k"]:  # of one channel it is an ordinary convolution
        found = _depthwise(kernels, g, dtype, shapes, back)
    else:
        found = _direct(kernels, g, dtype, shapes, back)
    if dtype != np.float32:  # who asks for float64 wants the last bits, too
        return found
    if kernels.narrow_backward_weights_suits(g, dtype):
        scratch = kernels.narrow_backward_weights_scratch(g, dtype)
        found = found._replace(backward_weights=GradientCall(kernels.narrow_backward_weights, g, shapes, scratch))
    if kernels.few_filters_backward_weights_suits(g, dtype):
        scratch = kernels.few_filters_backward_weights_scratch(g, dtype)
        found = found._replace(backward_weights=GradientCall(kernels.few_filters_backward_weights, g, shapes, scratch))
    if winograd and kernels.winograd_possible(g):
        found = _or_winograd(kernels, g, kept, choice, found)
    if kernels.few_filters_forward_suits(g, dtype):
        packed = kernels.few_filters_forward_packed(g, dtype)
        found = found._replace(forward=ProductCall(kernels.few_filters_forward, g, shapes, packed=packed, adds=True))
    if kernels.few_filters_backward_input_suits(g, dtype):
        packed = kernels.few_filters_backward_input_packed(g, dtype)
        found = found._replace(backward_input=ProductCall(kernels.few_filters_backward_input, g, back, packed=packed))
    if rounds and kernels.bfloat16_conv2d_suits(g):
        return _on_tiles(kernels, g, dtype, found)
    if rounds and kernels.multiplies_pairs() and not (
            winograd and kernels.winograd_possible(g) and kernels.winograd_forward_suits(g, kept, True)):
        return _in_pairs(kernels, g, dtype, found)
    return found


def _depthwise(k: ModuleType, g: np.ndarray, dtype: np.dtype, shapes: Shapes, back: Shapes) -> Algorithm:
    forward = ProductCall(k.depthwise2d_forward, g, shapes, k.depthwise2d_forward_scratch(g, dtype))
    forward.activates = True
    return Algorithm(
        forward,
        ProductCall(k.depthwise2d_backward_input, g, back, k.depthwise2d_backward_input_scratch(g, dtype)),
        GradientCall(k.depthwise2d_backward_weights, g, shapes, k.depthwise2d_backward_weights_scratch(g, dtype)))


def _direct(k: ModuleType, g: np.ndarray, dtype: np.dtype, shapes: Shapes, back: Shapes) -> Algorithm:
    padded = _padded(g, k.conv2d_border_suits(g, dtype))
    seen = g if padded is None else padded
    forward = ProductCall(k.conv2d_forward, seen, shapes, packed=k.conv2d_forward_packed(seen, dtype),
                          unkept=k.conv2d_forward_packed(seen, dtype, False), adds=True)
    forward.activates = True
    if padded is not None:
        forward.border = _border(g, padded)
    of_input, pixels = _side_by_side(g)
    if pixels > 1:
        (n, h, w, c), y_shape, (kh, _, _, filters) = back
        back = (n, h, w // pixels, c * pixels), y_shape, (kh, 1, c * pixels, filters)
    return Algorithm(
        forward,
        ProductCall(k.conv2d_backward_input, of_input, back, k.conv2d_backward_input_scratch(of_input, dtype),
                    k.conv2d_backward_input_packed(of_input, dtype), pixels=pixels),
        GradientCall(k.conv2d_backward_weights, g, shapes, k.conv2d_backward_weights_scratch(g, dtype)))


def _side_by_side(g: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the geometry of the same sums where the pixels of a window's row are one, and how many these are.

    Where windows lie side by side along rows, the channels of their pixels do so, too. Then the gradient of the input
    of a 2x2 convolution with stride 2, which its transpose computes forward, has half as many taps, and twice the
    channels fill vectors. Large windows gain nothing: 16x16 on three channels takes 1.2 times as long then.
    """
    f = {name: int(g[0][name]) for name in ("w", "c", "ow", "kw", "sw", "dw", "left", "groups")}
    whole = f["sw"] == f["kw"] and f["left"] == 0 and f["w"] == f["ow"] * f["kw"]
    if not whole or f["kw"] > _NARROW or f["dw"] != 1 or f["groups"] != 1:
        return g, 1
    found = g.copy()
    found["w"], found["c"], found["kw"], found["sw"] = f["ow"], f["c"] * f["kw"], 1, 1
    return found, f["kw"]


def _border(g: np.ndarray, padded: np.ndarray) -> tuple[tuple[int, ...], tuple[int, int]]:
    """Return the shape of images with their border, and how many rows and columns are before them."""
    n, h, w, c = (int(padded[0][name]) for name in ("n", "h", "w", "c"))
    return (n, h, w, c), (int(g[0]["top"]), int(g[0]["left"]))


def _on_tiles(k: ModuleType, g: np.ndarray, dtype: np.dtype, other: Algorithm) -> Algorithm:
    """Return the kernels of bfloat16, of the shapes of others."""
    y_shape, x_shape, bank = other.forward.shapes
    return Algorithm(
        ProductCall(k.bfloat16_conv2d_forward, g, other.forward.shapes,
                    k.bfloat16_conv2d_forward_scratch(g, dtype), k.bfloat16_conv2d_forward_packed(g, dtype),
                    adds=True, rounds=True),
        ProductCall(k.bfloat16_conv2d_backward_input, g, (x_shape, y_shape, bank),
                    k.bfloat16_conv2d_backward_input_scratch(g, dtype),
                    k.bfloat16_conv2d_backward_input_packed(g, dtype), rounds=True),
        GradientCall(k.bfloat16_conv2d_backward_weights, g, other.backward_weights.shapes,
                     k.bfloat16_conv2d_backward_weights_scratch(g, dtype)))


def _in_pairs(k: ModuleType, g: np.ndarray, dtype: np.dtype, other: Algorithm) -> Algorithm:
    """Return the kernels of pairs of bfloat16 where they are faster, else others."""
    (y_shape, x_shape, bank), (halved_x, halved_y) = other.forward.shapes, (g.copy(), g.copy())
    halved_x["c"] = -(-x_shape[3] // 2)
    halved_y["k"] //= 2
    forward, back, of_weights = other
    if k.pairs_conv2d_forward_suits(g):
        shapes = y_shape, (*x_shape[:3], -(-x_shape[3] // 2)), bank
        padded = _padded(halved_x, True) if k.conv2d_border_suits(halved_x, dtype) else None
        forward = PairsCall(k.pairs_conv2d_forward, halved_x if padded is None else padded, shapes,
                            packed=k.pairs_conv2d_forward_packed(halved_x, dtype), adds=True, rounds=True)
        if padded is not None:
            forward.border = _border(halved_x, padded)
    if k.pairs_conv2d_suits(g):
        of_weights = PairsGradientCall(k.pairs_conv2d_backward_weights, g, of_weights.shapes,
                                       k.pairs_conv2d_backward_weights_scratch(g, dtype))
        if other.backward_weights.kernel is k.winograd_backward_weights and min(y_shape[1:3]) >= _TALL:
            found = other.backward_weights
            of_weights = WideGradientCall(found.kernel, g, found.shapes, found.scratch)
    if k.pairs_conv2d_suits(g) and y_shape[3] % 2 == 0:
        shapes = x_shape, (*y_shape[:3], y_shape[3] // 2), bank
        back = PairsCall(k.pairs_conv2d_backward_input, halved_y, shapes,
                         k.pairs_conv2d_backward_input_scratch(halved_y, dtype),
                         k.pairs_conv2d_backward_input_packed(halved_y, dtype), rounds=True)
    return Algorithm(forward, back, of_weights)


def _or_winograd(k: ModuleType, g: np.ndarray, kept: bool, choice: str, other: Algorithm) -> Algorithm:
    """Return Winograd's kernels where they are faster than the others."""
    dtype, d = np.dtype(np.float32), device.current()
    joined = JoinedCall(k.joined_winograd_forward, g, k.joined_winograd_forward_scratch(g, dtype))
    joined_back = JoinedCall(k.joined_winograd_backward_input, g, k.joined_winograd_backward_input_scratch(g, dtype))
    scratch = k.winograd_backward_weights_scratch(g, dtype)
    winograd = Algorithm(
        ProductCall(k.winograd_forward, g, other.forward.shapes, k.winograd_forward_scratch(g, dtype),
                    k.winograd_forward_packed(g, dtype), k.winograd_forward_packed(g, dtype, False), adds=True,
                    joined=joined),
        ProductCall(k.winograd_backward_input, g, other.backward_input.shapes,
                    k.winograd_backward_input_scratch(g, dtype), k.winograd_backward_input_packed(g, dtype),
                    k.winograd_backward_input_packed(g, dtype, False), joined=joined_back),
        GradientCall(k.winograd_backward_weights, g, other.backward_weights.shapes, scratch,
                     JoinedCall(k.joined_winograd_backward_weights, g, scratch)))
    if choice == "measured" and d.library is k:
        return Algorithm(*(faster(d, dtype, kept, *pair) for pair in zip(other, winograd, strict=True)))
    return Algorithm(winograd.forward if k.winograd_forward_suits(g, kept) else other.forward,
                     winograd.backward_input if k.winograd_backward_input_suits(g, kept) else other.backward_input,
                     winograd.backward_weights if k.winograd_backward_weights_suits(g) else other.backward_weights)


def _padded(g: np.ndarray, suits: bool = False) -> np.ndarray | None:
    """Return the geometry on an image with its border of zeros stored, if that is faster, or said to suit; else None.

    The direct kernel never multiplies the zeros of a border. For that it cuts the image into runs of positions that see
    the same part of the window. A large window on a small image makes many short runs, 25 for 5x5, and then multiplying
    zeros takes less time: 0.6 to 0.9 of it for 5x5 on 14x14x6 to 32x32x3, of one image or four. A window of 3x3 makes 9
    runs: there it pays off where multiplying takes longer than a call does (`conv2d_border_suits`).
    """
    top, bottom, left, right = (int(g[0][side]) for side in ("top", "bottom", "left", "right"))
    n, large = int(g[0]["n"]), g[0]["kh"] * g[0]["kw"] > 9
    small = n * g[0]["oh"] * g[0]["ow"] <= _FEW or n * g[0]["h"] * g[0]["w"] * g[0]["c"] <= _SMALL
    if not (suits or (small and large)) or min(top, bottom, left, right) < 0 or top + bottom + left + right == 0:
        return None
    padded = g.copy()
    padded["h"] += top + bottom
    padded["w"] += left + right
    for side in ("top", "bottom", "left", "right"):
        padded[side] = 0
    return padded
