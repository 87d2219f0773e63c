"""Convolutions of images and signals, depthwise ones and dense layers among them: forward, backward, prediction.

    y = activation(x * weights + bias + residual)

A dense layer is a convolution of one row of pixels with windows of one pixel (`fastcnn.geometry.dense`).
"""

from typing import Any

import numpy as np

from fastcnn import device
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
from fastcnn.operations.bfloat16 import multiplied
from fastcnn.operations.kernel_call import NOTHING
from fastcnn.operations.packed_weights import run_kept, state_of
from fastcnn.operations.saved import saved
from fastcnn.parameters import Parameter

Shape = tuple[int, ...]


def convolution(x: np.ndarray, weights: Parameter, bias: Parameter | None, activation: Function | None, g: np.ndarray,
                shape: Shape, learns: bool = True, wants_dx: bool = True) -> tuple[np.ndarray, Backward]:
    """Return y of `shape`, and dy -> dx, which adds to the gradients of weights and bias.

    Parameters
    ----------
    x : array
        With as many numbers as the geometry says.
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
    y, product_backward = product(x, weights, bias, clamp or LINEAR, g, shape, learns, wants_dx)
    if activation is None:
        return y, product_backward
    if clamp is not None:
        y_again = saved(y) if weights.rounds else lambda: y
        return y, lambda dy: product_backward(activation.backward(y_again())(dy))  # type: ignore[union-attr]
    y, back = activate(y, activation)
    return y, lambda dy: product_backward(back(dy))


def product(x: np.ndarray, weights: Parameter, bias: Parameter | None, clamp: Clamp, g: np.ndarray, shape: Shape,
            learns: bool, wants_dx: bool) -> tuple[np.ndarray, Backward]:
    """As `convolution` with a clamp as activation. The caller applies the clamp's backward pass to dy first."""
    weights.derived.clear()  # training changes the weights: what predictions packed of them is stale
    if g.dtype == CONV3D:
        return convolution_3d.product(x, weights, bias, clamp, g, shape, learns, wants_dx)
    d, dtype, nothing = device.of(x), x.dtype, NOTHING[x.dtype]
    call, backward_input, backward_weights = algorithm_of(g, d, dtype, False, weights.rounds)
    y, start = d.empty(shape, dtype), nothing if bias is None else bias.array
    array, x_shape, x_again = weights.array, x.shape, (lambda: x) if learns else None
    if weights.rounds:  # two calls less where nothing is rounded
        array, x_again = multiplied(weights, call, True), saved(x) if learns else None
    call.run(d, y, x, call.arguments(d, array, start, clamp_array(clamp, dtype)))

    def backward(dy: np.ndarray) -> np.ndarray | None:
        if x_again is not None:
            backward_weights.run(d, weights.gradient, nothing if bias is None else bias.gradient, x_again(), dy)
        if not wants_dx:
            return None
        dx = d.empty(x_shape, dtype)
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
    """
    key = x.shape, id(g) if place is None else place, id(activation), id(bias)  # ids: hashing takes longer
    known = weights.derived.get(key)
    if known is not None and residual is None and known.state == state_of(weights, bias):
        y: np.ndarray = known.run(x)
        return y
    if g.dtype == CONV3D:
        return convolution_3d.predict(x, weights, bias, activation, g, shape)
    d = device.of(x)
    call = algorithm_of(g, d, x.dtype, True, weights.rounds).forward
    if residual is not None and not call.adds:
        return _added(predict_convolution(x, weights, bias, None, g, shape), residual, activation)
    y, ends = d.empty(shape, x.dtype), ends_of(activation, d, g, x.dtype) if call.activates else clamp_of(activation)
    found = run_kept(call, d, y, x, weights, bias, clamp_array(ends or LINEAR, x.dtype), residual)
    if ends is None:
        return activate_only(y, activation)
    if found is not None:
        found.keep(weights, key, (g, activation, bias))
    return y


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
    known = weights.derived.get((x.shape, place, id(activation), id(bias)))
    if known is None or x.dtype != weights.dtype or known.state != state_of(weights, bias):
        return None
    flags = x.flags
    return known.run(x) if flags.c_contiguous and flags.writeable else None


def _added(y: np.ndarray, residual: np.ndarray, activation: Function | None) -> np.ndarray:
    d = device.of(y)
    z = d.empty(y.shape, y.dtype)
    d.kernels.add(z.reshape(-1), y.reshape(-1), residual.reshape(-1))
    return activate_only(z, activation)

