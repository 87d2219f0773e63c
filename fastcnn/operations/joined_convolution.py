"""A convolution of two arrays whose channels stand side by side, as after a concatenation, without joining them.

    y = activation([x0 x1] * weights + bias)

Copies of the halves take a concatenation forward, and its two gradients back: where all three kernels of a convolution
read and write two arrays, none is made.
"""

from collections.abc import Sequence

import numpy as np

from fastcnn import device
from fastcnn.operations import Backward
from fastcnn.operations.activation import LINEAR, Function, clamp_array, clamp_of
from fastcnn.operations.algorithms import algorithm_of
from fastcnn.operations.kernel_call import NOTHING
from fastcnn.parameters import Parameter


def joins(weights: Parameter, activation: Function | None, g: np.ndarray) -> bool:
    """Return whether `joined_convolution` can compute a convolution.

    Parameters
    ----------
    weights : Parameter
    activation : Function, optional
    g : CONV2D
    """
    if weights.rounds or clamp_of(activation) is None:
        return False
    calls = algorithm_of(g, device.of(weights.array), weights.dtype, False)
    return all(call.joined is not None for call in calls)


def joined_convolution(xs: Sequence[np.ndarray], weights: Parameter, bias: Parameter | None,
                       activation: Function | None, g: np.ndarray, shape: tuple[int, ...], learns: bool = True,
                       wants_dx: bool = True) -> tuple[np.ndarray, Backward]:
    """Return y of `shape`, and dy -> (dx0, dx1), which adds to the gradients of weights and bias.

    Parameters
    ----------
    xs : two (N, H, W, channels) arrays
        With as many channels in all as the geometry says; `joins` answers yes.
    weights, bias, activation, g, shape, learns, wants_dx
        As of `convolution`; the activation is a clamp.
    """
    weights.derived.clear()  # as in `product`
    d, dtype = device.of(xs[0]), xs[0].dtype
    nothing, linear = NOTHING[dtype], clamp_array(LINEAR, dtype)
    call, backward_input, backward_weights = (each.joined for each in algorithm_of(g, d, dtype, False))
    assert call is not None
    assert backward_input is not None
    assert backward_weights is not None
    y, start = d.empty(shape, dtype), nothing if bias is None else bias.array
    clamp = clamp_array(clamp_of(activation) or LINEAR, dtype)
    call.run(d, [y], xs, [weights.array, start, clamp])

    def backward(dy: np.ndarray) -> tuple[np.ndarray | None, ...]:
        dy = dy if activation is None else activation.backward(y)(dy)  # type: ignore[union-attr]
        if learns:
            gradients = weights.gradient, nothing if bias is None else bias.gradient
            backward_weights.run(d, gradients, [*xs, dy])
        if not wants_dx:
            return None, None
        dxs = [d.empty(x.shape, dtype) for x in xs]
        backward_input.run(d, dxs, [dy], [weights.array, linear])
        return tuple(dxs)

    return y, backward
