"""Winograd's kernels for two images whose channels stand side by side, as after a concatenation, without joining them.

    x       |c c c c|                     V  36 x (tiles, |c c c c|b b b|)      both are transformed into one V
    beside  |b b b|            -->

A tile's transform reads pixels, and where its channels come from does not matter to the products. The gradient of the
input is written to two arrays in the same way. The sums, and so the bits, are those of the joined image.
"""

import numpy as np

from fastcnn.kernels.cpu.compile.policy import inlined, kernel
from fastcnn.kernels.cpu.gemm.packing import blocks_of
from fastcnn.kernels.cpu.winograd.backward_weights import add_gradients
from fastcnn.kernels.cpu.winograd.forward import (
    convolve,
    winograd_backward_input_packed,
    winograd_backward_input_scratch,
    winograd_forward_packed,
    winograd_forward_scratch,
)
from fastcnn.kernels.cpu.winograd.plan import streams, u_step
from fastcnn.kernels.cpu.winograd.problem import backward_bank, backward_problem, forward_bank, forward_problem


def joined_winograd_forward_scratch(geometry, dtype):
    """Return how many elements of scratch `joined_winograd_forward` wants: the transformed filters lie in it, too."""
    return winograd_forward_packed(geometry, dtype, False) + winograd_forward_scratch(geometry, dtype)


def joined_winograd_backward_input_scratch(geometry, dtype):
    """Return how many elements of scratch `joined_winograd_backward_input` wants."""
    return winograd_backward_input_packed(geometry, dtype, False) + winograd_backward_input_scratch(geometry, dtype)


@inlined
def _apart(scratch, p):
    """Return the memory for transformed filters, and the rest of the scratch."""
    width, blocks = blocks_of(scratch, p[6])
    size = np.int64(0) if streams(p, width) else blocks * 36 * u_step(p[3], width)
    return scratch[:size], scratch[size:]


@kernel
def joined_winograd_forward(y, scratch, x, beside, kernel, bias, bounds, geometry):
    """As `winograd_forward`, of x (N, H, W, C1) and `beside` (N, H, W, C - C1) side by side.

    Parameters
    ----------
    y : (N, OH, OW, K) array
        Written.
    scratch : (joined_winograd_forward_scratch(geometry, dtype),) array
    x, beside : (N, H, W, channels) arrays
        C channels in all.
    kernel, bias, bounds, geometry
        As of `winograd_forward`.
    """
    p = forward_problem(geometry[0])
    packed, rest = _apart(scratch, p)
    convolve((y.reshape(-1), scratch[:0]), rest, (packed, 0), (x.reshape(-1), beside.reshape(-1)),
             forward_bank(kernel), (bias, scratch[:0], bounds), (p[6], x.shape[3]), p)


@kernel
def joined_winograd_backward_input(dx, dbeside, scratch, dy, kernel, bounds, geometry):
    """As `winograd_backward_input`, into two arrays.

    Parameters
    ----------
    dx, dbeside : (N, H, W, channels) arrays
        Written; C channels in all.
    scratch : (joined_winograd_backward_input_scratch(geometry, dtype),) array
    dy, kernel, bounds, geometry
        As of `winograd_backward_input`.
    """
    p = backward_problem(geometry[0])
    packed, rest = _apart(scratch, p)
    convolve((dx.reshape(-1), dbeside.reshape(-1)), rest, (packed, 0), (dy.reshape(-1), scratch[:0]),
             backward_bank(kernel), (scratch[:0], scratch[:0], bounds), (dx.shape[3], p[3]), p)


@kernel
def joined_winograd_backward_weights(dkernel, dbias, scratch, x, beside, dy, geometry):
    """As `winograd_backward_weights`, of x and `beside` side by side.

    Parameters
    ----------
    dkernel, dbias, scratch
        As of `winograd_backward_weights`.
    x, beside : (N, H, W, channels) arrays
        C channels in all.
    dy, geometry
        As of `winograd_backward_weights`.
    """
    add_gradients(dkernel, dbias, scratch, (x.reshape(-1), beside.reshape(-1)), dy, x.shape[3],
                  forward_problem(geometry[0]))
