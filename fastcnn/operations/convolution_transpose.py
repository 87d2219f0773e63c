"""Transposed convolutions, computed by the kernels of convolutions with forward and backward exchanged.

Let g be the geometry of the convolution from y to x. Then y is that convolution's gradient of its input, given x; dx is
its output, given dy; and the gradient of the weights is its own, with x and dy exchanged.
"""

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
)
from fastcnn.operations.algorithms import algorithm_of
from fastcnn.operations.bfloat16 import multiplied
from fastcnn.operations.bias import add_bias_gradient
from fastcnn.operations.kernel_call import NOTHING
from fastcnn.operations.packed_weights import bias_array, run_kept
from fastcnn.operations.saved import saved
from fastcnn.parameters import Parameter

Shape = tuple[int, ...]


def convolution_transpose(x: np.ndarray, weights: Parameter, bias: Parameter | None, activation: Function | None,
                          g: np.ndarray, shape: Shape, learns: bool = True,
                          wants_dx: bool = True) -> tuple[np.ndarray, Backward]:
    """Return y of `shape`, and dy -> dx, as `fastcnn.operations.convolution.convolution`.

    Parameters
    ----------
    x, weights, bias, activation, shape, learns, wants_dx
        As there; the weights are (KH, KW, filters // groups, C).
    g : CONV2D or CONV3D
        Of the convolution from y to x.
    """
    of_volume = g.dtype == CONV3D
    clamp = convolution_3d.clamp_of_volume(activation) if of_volume else clamp_of(activation)
    run = convolution_3d.product_transpose if of_volume else product
    weights.derived.clear()
    y, product_backward = run(x, weights, bias, clamp or LINEAR, g, shape, learns, wants_dx)
    if activation is None:
        return y, product_backward
    if clamp is not None:
        y_again = saved(y)
        return y, lambda dy: product_backward(activation.backward(y_again())(dy))  # type: ignore[union-attr]
    y, back = activate(y, activation)
    return y, lambda dy: product_backward(back(dy))


def product(x: np.ndarray, weights: Parameter, bias: Parameter | None, clamp: Clamp, g: np.ndarray, shape: Shape,
            learns: bool, wants_dx: bool) -> tuple[np.ndarray, Backward]:
    """As `convolution_transpose` of a CONV2D with a clamp. The caller applies the clamp's backward pass to dy first."""
    d, dtype = device.of(x), x.dtype
    of_input, call, backward_weights = algorithm_of(g, d, dtype, False, weights.rounds)
    y = d.empty(shape, dtype)
    filters, start = multiplied(weights, call, True), bias_array(weights, bias)
    call.run(d, y, x, call.arguments(d, filters, start, clamp_array(clamp, dtype)))
    x_shape, x_again = x.shape, saved(x) if learns else None

    def backward(dy: np.ndarray) -> np.ndarray | None:
        if x_again is not None:
            backward_weights.run(d, weights.gradient, NOTHING[dtype], dy, x_again())
            add_bias_gradient(bias, dy)
        if not wants_dx:
            return None
        dx = d.empty(x_shape, dtype)
        filters = multiplied(weights, of_input, True)
        of_input.run(d, dx, dy, of_input.arguments(d, filters, NOTHING[dtype], clamp_array(LINEAR, dtype)))
        return dx

    return y, backward


def predict_convolution_transpose(x: np.ndarray, weights: Parameter, bias: Parameter | None,
                                  activation: Function | None, g: np.ndarray, shape: Shape) -> np.ndarray:
    """Return y of `shape`, as `convolution_transpose`, and keep the packed weights until the parameters change."""
    if g.dtype == CONV3D:
        return convolution_3d.predict(x, weights, bias, activation, g, shape, transposed=True)
    d, clamp = device.of(x), clamp_of(activation)
    y = d.empty(shape, x.dtype)
    run_kept(algorithm_of(g, d, x.dtype, True, weights.rounds).backward_input, d, y, x, weights, bias,
             clamp_array(clamp or LINEAR, x.dtype))
    return y if clamp is not None else activate_only(y, activation)
