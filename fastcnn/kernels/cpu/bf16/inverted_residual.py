"""A block of MobileNet v2 on pairs of bfloat16, in one call: `fused.inverted_residual` with other products.

    x, words       e: float32                z: float32         z, words        y: 16 bits
      |c0 c1|..                                                   |e0 e1|..
      |c0 c1|.. --pairs-->  |e e e|  ---> window --->  |z| -->    |e0 e1|.. --pairs--> |k k|

What the window reads is not rounded, since it never leaves the core; what the projection reads is, as between layers.
Without a projection z is y.
"""

import numpy as np

from fastcnn.kernels.cpu.amx import unit
from fastcnn.kernels.cpu.bf16.convolution import pack_pairs
from fastcnn.kernels.cpu.compile.policy import kernel
from fastcnn.kernels.cpu.fused.inverted_residual import (
    inverted_residual_forward_packed,
    inverted_residual_forward_scratch,
    inverted_residual_suits,
    projection_at,
    run_block,
)
from fastcnn.kernels.cpu.gemm.packing import pack_start, start_of


def pairs_inverted_residual_suits(geometry):
    """Return whether a unit multiplies pairs, and the block is faster in one call than layer by layer.

    Parameters
    ----------
    geometry : CONV2D, shape (3,)
        As of `inverted_residual_suits`, with an expansion, and of whole pairs of channels.
    """
    first, last = geometry[0], geometry[2]
    whole = first["k"] > 0 and first["c"] % 2 == 0 and last["c"] % 2 == 0
    return bool(unit.has_pairs() and whole and inverted_residual_suits(geometry))


def pairs_inverted_residual_forward_scratch(geometry, dtype):
    """Return how many elements of float32 `scratch` of `pairs_inverted_residual_forward` has."""
    return inverted_residual_forward_scratch(geometry, dtype)


def pairs_inverted_residual_forward_packed(geometry, dtype):
    """Return how many elements of float32 `packed` of `pairs_inverted_residual_forward` has."""
    return inverted_residual_forward_packed(geometry, dtype)


@kernel(in_place=("addend",))
def pairs_inverted_residual_forward(y, scratch, packed, x, expand, expand_bias, window, window_bias, project,
                                    project_bias, addend, bounds, ready, geometry):
    """y = project(window(expand(x))) as `inverted_residual_forward`, of which the products are of bfloat16.

    Parameters
    ----------
    y : (N, OH, OW, K) or (N, OH, OW, E) uint16 array
        Written: the bits of bfloat16, to which sums are rounded.
    scratch : (pairs_inverted_residual_forward_scratch(geometry, dtype),) float32 array
    packed : (pairs_inverted_residual_forward_packed(geometry, dtype),) float32 array
        Both banks as the tile reads them: written, or read if `ready`.
    x : (N, H, W, C) uint32 array
        Pairs of channels.
    expand : (EH, EW, 2 C, E) float32 array
        Rounded to bfloat16.
    expand_bias : (E,) or (0,) float32 array
    window : (KH, KW, 1, E) float32 array
    window_bias : (E,) or (0,) float32 array
    project : (1, 1, E, K) float32 array, or of size 0
        Rounded to bfloat16.
    project_bias : (K,) or (0,) float32 array
    addend : (y.size,) or (0,) uint16 array
    bounds : (9,) float32 array
        As of `inverted_residual_forward`; a projection ends in no activation.
    ready : int
        1 if `packed` is what an earlier call with the same weights left.
    geometry : CONV2D, shape (3,)
        The channels of the first and the last are pairs: C and E / 2.
    """
    e, deep, k, one = geometry[1]["c"], geometry[2]["c"], geometry[2]["k"], np.int64(1)
    taps = geometry[0]["kh"] * geometry[0]["kw"]
    first, words = projection_at(packed, geometry), packed.view(np.uint32)
    if not ready:
        pack_start(packed, start_of(packed, one, e, taps * geometry[0]["c"]), expand_bias, one, e)
        pack_pairs(words, expand.reshape(-1).view(np.uint32), (taps, expand.shape[2], e))
        pack_start(packed[first:], start_of(packed, one, k, deep), project_bias, one, k)
        pack_pairs(words[first:], project.reshape(-1).view(np.uint32), (one, project.shape[2], k))
    memory = y.reshape(-1), scratch, scratch, scratch, scratch.view(np.uint32)
    run_block(memory, (words, packed, first), (window.reshape(-1), window_bias), x.reshape(-1), (addend, bounds),
              geometry)
