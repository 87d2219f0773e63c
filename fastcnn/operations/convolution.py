"""Convolutions of images and signals, depthwise ones and dense layers among them: forward, backward, prediction.

    y = activation(x * weights + bias + residual)

A dense layer is a convolution of one row of pixels with windows of one pixel (`fastcnn.geometry.dense`).
"""

from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.bfloat16 import is_bfloat16
from fastcnn.geometry.dimensions import CONV3D
from fastcnn.operations import Backward, convolution_3d
from fastcnn.operations.activation import (
    LINEAR,
    Clamp,
    Function,
    activate,
    activate_only,
    clamp_array,
    clamp_of,
    ends_of,
)
from fastcnn.operations.algorithms import algorithm_of
from fastcnn.operations.bfloat16 import in_float32, multiplied, narrowed, through_activation, widened
from fastcnn.operations.kernel_call import NOTHING, ProductCall
from fastcnn.operations.packed_weights import run_kept, state_of
from fastcnn.operations.pairs_call import PairsCall, are_of_pairs, operand
from fastcnn.operations.saved import saved
from fastcnn.parameters import Parameter

Shape = tuple[int, ...]


def convolution(x: np.ndarray, weights: Parameter, bias: Parameter | None, activation: Function | None, g: np.ndarray,
                shape: Shape, learns: bool = True, wants_dx: bool = True) -> tuple[np.ndarray, Backward]:
    """Return y of `shape`, and dy -> dx, which adds to the gradients of weights and bias.

    Parameters
    ----------
    x : array
        With as many numbers as the geometry says. Where the weights are rounded it may be of bfloat16; y and all
        gradients of arrays are of that type then.
    weights : Parameter
        (KH, KW, C // groups, K), in any shape of as many numbers.
    bias : (K,) Parameter, optional
    activation : Function, optional
        One that is a clamp happens in the kernel's registers.
    g : CONV2D or CONV3D
    shape : tuple of int
    learns : bool
        Whether the backward pass makes the gradients of the parameters.
    wants_dx : bool
        Whether it makes that of x; it returns None if not.
    """
    clamp = LINEAR if activation is None else activation.clamp
    if weights.rounds and is_bfloat16(x.dtype) and (clamp is None or not _multiplies_pairs(g, x)):
        return in_float32(lambda wide: convolution(wide, weights, bias, activation, g, shape, learns, wants_dx), x)
    y, product_backward = product(x, weights, bias, clamp or LINEAR, g, shape, learns, wants_dx)
    if activation is None:
        return y, product_backward
    if clamp is not None:
        y_again = saved(y) if weights.rounds else lambda: y
        return y, lambda dy: product_backward(through_activation(activation, y_again(), dy))
    y, back = activate(y, activation)
    return y, lambda dy: product_backward(back(dy))


def _multiplies_pairs(g: np.ndarray, x: np.ndarray) -> bool:
    """Return whether all kernels of a convolution read bfloat16 as it lies."""
    return g.dtype != CONV3D and are_of_pairs(*algorithm_of(g, device.of(x), np.dtype(np.float32), False, True))


def product(x: np.ndarray, weights: Parameter, bias: Parameter | None, clamp: Clamp, g: np.ndarray, shape: Shape,
            learns: bool, wants_dx: bool) -> tuple[np.ndarray, Backward]:
    """As `convolution` with a clamp as activation. The caller applies the clamp's backward pass to dy first."""
    weights.derived.clear()  # training changes the weights: what predictions packed of them is stale
    if g.dtype == CONV3D:
        return convolution_3d.product(x, weights, bias, clamp, g, shape, learns, wants_dx)
    d, kind = device.of(x), x.dtype
    dtype = weights.dtype if weights.rounds else kind
    nothing = NOTHING[dtype]
    call, backward_input, backward_weights = algorithm_of(g, d, dtype, False, weights.rounds)
    y, start = d.empty(shape, kind), nothing if bias is None else bias.array
    array, x_shape, x_again = weights.array, x.shape, (lambda: x) if learns else None
    if weights.rounds:  # some calls less where nothing is rounded
        array = multiplied(weights, call, True)
        x = operand(x, call, backward_weights)
        x_again = None if not learns else saved(x)
    call.run(d, y, x, call.arguments(d, array, start, clamp_array(clamp, dtype)))

    def backward(dy: np.ndarray) -> np.ndarray | None:
        if weights.rounds:
            dy = operand(dy, backward_input, backward_weights)
        if x_again is not None:
            backward_weights.run(d, weights.gradient, nothing if bias is None else bias.gradient, x_again(), dy)
        if not wants_dx:
            return None
        dx = d.empty(x_shape, kind)
        array = multiplied(weights, backward_input, True)
        backward_input.run(d, dx, dy, backward_input.arguments(d, array, nothing, clamp_array(LINEAR, dtype)))
        return dx

    return y, backward


def predict_convolution(x: np.ndarray, weights: Parameter, bias: Parameter | None, activation: Function | None,
                        g: np.ndarray, shape: Shape, residual: np.ndarray | None = None, place: Any = None
                        ) -> np.ndarray:
    """Return y of `shape`, as `convolution`, and keep the packed weights until the parameters change.

    Parameters
    ----------
    x, weights, bias, activation, g, shape
        As `convolution`.
    residual : array, optional
        Lies as y does; added before the activation.
    place : hashable, optional
        Names the geometry among those that these weights have for this shape of x, so that `repeated` finds it.

    x may be of bfloat16 where the weights are rounded to it; y, and a residual, are of that type then.
    """
    dtype, short = weights.dtype, weights.rounds and is_bfloat16(x.dtype)
    key = x.shape, id(g) if place is None else place, id(activation), id(bias), short  # ids: hashing takes longer
    known = weights.derived.get(key)
    if known is not None and residual is None and known.state == state_of(weights, bias):
        y: np.ndarray = known.run(x)
        return y
    d = device.of(x)
    call = None if g.dtype == CONV3D else algorithm_of(g, d, dtype, True, weights.rounds).forward
    if short and not (isinstance(call, PairsCall) and clamp_of(activation) is not None):
        wide = None if residual is None else widened(residual)
        return narrowed(predict_convolution(widened(x), weights, bias, activation, g, shape, wide, place))
    if call is None:
        return convolution_3d.predict(x, weights, bias, activation, g, shape)
    if residual is not None and not call.adds:
        return _added(predict_convolution(x, weights, bias, None, g, shape), residual, activation)
    ends = ends_of(activation, d, g, dtype) if call.activates else clamp_of(activation)
    if residual is not None and _may_take_place_of(residual, call, d, x):
        y = residual.reshape(shape)
    else:
        y = d.empty(shape, x.dtype)
    found = run_kept(call, d, y, x, weights, bias, clamp_array(ends or LINEAR, dtype), residual)
    if ends is None:
        return activate_only(y, activation)
    if found is not None:
        found.keep(weights, key, (g, activation, bias))
    return y


def _may_take_place_of(residual: np.ndarray, call: ProductCall, d: device.Device, x: np.ndarray) -> bool:
    """Return whether y may be written over a residual, to spare memory: nobody reads it afterwards."""
    return (d.is_sparing and bool(getattr(call.kernel, "in_place", ())) and residual.dtype == x.dtype
            and residual.base is not x.base and d.is_offered(residual))


def repeated(x: Any, weights: Parameter, bias: Parameter | None, activation: Function | None,
             place: Any) -> np.ndarray | None:
    """Return what `predict_convolution` would, reusing its last choices for this shape; None if one is stale.

    The kernel of a small layer takes a microsecond, and choosing what to do takes five.

    Parameters
    ----------
    x : object
        A layer's input, of which nothing has been checked yet.
    weights, bias, activation, place
        As `predict_convolution`.
    """
    if type(x) is not np.ndarray:
        return None
    known = weights.derived.get((x.shape, place, id(activation), id(bias), False))
    if known is None or x.dtype != weights.dtype or known.state != state_of(weights, bias):
        return None
    flags = x.flags
    return known.run(x) if flags.c_contiguous and flags.writeable else None


def _added(y: np.ndarray, residual: np.ndarray, activation: Function | None) -> np.ndarray:
    d = device.of(y)
    z = d.empty(y.shape, y.dtype)
    d.kernels.add(z.reshape(-1), y.reshape(-1), residual.reshape(-1))
    return activate_only(z, activation)

