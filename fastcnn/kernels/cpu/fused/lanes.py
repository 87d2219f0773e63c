"""A run of narrow layers with an image in each lane of a vector: convolutions, activations, poolings, and back.

A block of 16 images (the lanes of a vector) goes through all stages of the run in one task, so that what one stage
writes is still in L2 when the next reads it. One channel of one pixel, of all 16 images, is a vector::

    x (16, H, W, C)  ->  saved, (H, W, C, 16)       a row of the convolution   its activation   its pooling
       image 0 . . .        | c=0: 16 images |      | j, k: 16 images | ...
       image 1 . . .        | c=1: 16 images |         in L1, from tiles of 8 channels x 2 positions
                              in L2

Backward, a block's gradients run through the same stages in reverse. The gradients of the weights are vectors, one sum
a lane, until a chunk of blocks is done; chunks are cut by the batch alone and added in pairs. A last block with
fewer images has lanes of zeros, whose gradients are zeros.

All sizes and offsets stand in the geometry, one row of LANES a stage (`fastcnn.geometry.lanes`). ONNX: Conv, then
Relu, Tanh, ..., then MaxPool or AveragePool.
"""

from numba import config

from fastcnn.geometry import AVERAGE_POOL, MAX_POOL, NO_POOL
from fastcnn.kernels.cpu.compile.policy import inlined, kernel, parallel
from fastcnn.kernels.cpu.elementwise.activate import activate
from fastcnn.kernels.cpu.fused.lane_backward import StageOffsets, backward_stage
from fastcnn.kernels.cpu.fused.lane_pool import PoolRow, average_row, max_row
from fastcnn.kernels.cpu.fused.lane_tile import ROWS, ZERO, lane_scalars
from fastcnn.kernels.cpu.simd.memory import accumulate, aligned, clear
from fastcnn.kernels.cpu.simd.sums import TERMS, add_pairwise
from fastcnn.kernels.cpu.simd.transpose import transpose_block
from fastcnn.kernels.cpu.simd.width import lanes, lanes_of

_CHUNKS = 16  # partial sums of the weights' gradients in a launch at most, unless these would be long


def lanes_of_block(dtype):
    """Return how many images a block has: the lanes of a vector."""
    return lanes(dtype)


def lanes_saved(geometry, dtype):
    """Return how many elements `lanes_forward` saves."""
    return int(-(-geometry[0]["n"] // lanes(dtype)) * geometry[0]["saved"] * lanes(dtype))


def lanes_forward_scratch(geometry, dtype):
    """Return how many elements of scratch `lanes_forward` wants: rows of a convolution for each thread."""
    return int(config.NUMBA_NUM_THREADS * _rows_size(geometry) * lanes(dtype))


@inlined
def _rows_size(geometry):
    most = 0
    for g in geometry:
        most = max(most, g["ph"] * g["ow"] * g["k"])
    return most


@kernel
def lanes_forward(y, saved, scratch, x, weights, geometry):
    """y = the last stage's output, in the order of images again.

    Parameters
    ----------
    y : (N, QH, QW, K) array
        Written.
    saved : (lanes_saved(geometry, dtype),) array
        Written: all that `lanes_backward` needs.
    scratch : (lanes_forward_scratch(geometry, dtype),) array
    x : (N, H, W, C) array
    weights : (weights,) array
        Kernels (KH, KW, C, K) and biases (K,) of the stages, one after the other.
    geometry : (stages,) array of LANES
    """
    blocks = -(-x.shape[0] // lanes_of(saved))
    parallel(_forward_block, blocks, (y.reshape(-1), saved, scratch, x.reshape(-1), weights, geometry))


@inlined
def _forward_block(block, thread, y, saved, scratch, x, weights, geometry):
    lane = lanes_of(x)
    base = block * geometry[0]["saved"] * lane
    images = min(lane, geometry[0]["n"] - block * lane)
    _to_lanes(saved, base, x, block * lane, images, geometry[0])
    rows = thread * _rows_size(geometry) * lane
    for stage in range(geometry.size):
        if stage + 1 < geometry.size:
            after = geometry[stage + 1]
            if after["in_size"] > after["h"] * after["w"] * after["c"]:  # its border; the rest is written over
                clear(saved, base + after["in_at"] * lane, after["in_size"] * lane)
        _forward_stage(saved, base, scratch, rows, weights, geometry[stage])
    last = geometry[geometry.size - 1]
    from_lanes(y, block * lane, images, saved, base + last["out_at"] * lane, last["qh"] * last["qw"] * last["k"])


@inlined
def _to_lanes(saved, base, x, first, images, g):
    """Put images side by side: saved (H, W, C, LANES) within its border of zeros, from x (images, H, W, C)."""
    lane, row = lanes_of(x), g["w"] * g["c"]
    if images < lane or g["in_size"] > g["h"] * row:
        clear(saved, base, g["in_size"] * lane)
    for i in range(g["h"]):
        at = base + ((g["top"] + i) * g["in_row"] + g["left"] * g["c"]) * lane
        interleave(saved, at, x, (first * g["h"] + i) * row, g["h"] * row, images, row)


@inlined
def interleave(out, at, source, source_at, step, images, count):
    """out[at:] (count, LANES) = images side by side, from `count` numbers of each of them, a `step` apart."""
    lane = lanes_of(out)
    if images == lane and count >= lane:
        for k in range(0, count, lane):
            begin = min(k, count - lane)  # the last block overlaps the one before
            transpose_block(out, at + begin * lane, lane, source, source_at + begin, step)
    else:
        for image in range(images):
            for k in range(count):
                out[at + k * lane + image] = source[source_at + image * step + k]


@inlined
def from_lanes(out, first, images, source, source_at, count):
    """Put images one after the other: out[first * count:] as (images, count), from (count, LANES)."""
    lane = lanes_of(out)
    if images == lane and count >= lane:
        for k in range(0, count, lane):
            begin = min(k, count - lane)
            transpose_block(out, first * count + begin, count, source, source_at + begin * lane, lane)
    else:
        for image in range(images):
            for k in range(count):
                out[(first + image) * count + k] = source[source_at + k * lane + image]


@inlined
def _forward_stage(saved, base, scratch, rows, weights, g):
    """One stage of one block: ph rows of the convolution, their activation, and one row of the pooling, in turn."""
    lane = lanes_of(saved)
    k, c = g["k"], g["c"]
    width = g["ow"] * k * lane
    out, pool = base + g["out_at"] * lane, PoolRow(g["ph"], g["pw"], g["qw"], k * lane)
    bias, mode = (g["bias_at"], ROWS) if g["bias_at"] >= 0 else (0, ZERO)
    for q in range(g["qh"]):
        for r in range(g["ph"]):
            i = q * g["ph"] + r
            if g["pool"] == NO_POOL:
                to, at = saved, out + i * g["out_row"] * lane
            elif g["pool"] == AVERAGE_POOL:
                to, at = saved, base + g["map_at"] * lane + i * width
            else:
                to, at = scratch, rows + r * width
            lane_scalars((to, (at, lane, k * lane)), (weights, (g["kernel_at"], 1, g["kw"] * c * k, 0, k)),
                         (saved, (base + (g["in_at"] + i * g["in_row"]) * lane, c * lane, g["in_row"] * lane, 0, lane)),
                         (weights, (bias, 1)), (g["kh"], 1, g["kw"] * c), mode, (k, g["ow"]))
            if g["pool"] != MAX_POOL:
                activate(to, at, width, g["code"], g["alpha"])
        to_row = out + q * g["out_row"] * lane
        if g["pool"] == MAX_POOL:
            index = base + (g["map_at"] + q * g["qw"] * k) * lane
            max_row(saved, to_row, index, scratch, rows, pool)
            # The activations of a stage never decrease, so that of the largest is the largest of theirs.
            activate(saved, to_row, g["qw"] * k * lane, g["code"], g["alpha"])
        elif g["pool"] == AVERAGE_POOL:
            average_row(saved, to_row, base + g["map_at"] * lane + q * g["ph"] * width, pool)


def lanes_backward_scratch(geometry, dtype):
    """Return how many elements of scratch `lanes_backward` wants."""
    chunks = _chunks(-(-geometry[0]["n"] // lanes(dtype)), geometry)
    return int(chunks * aligned(geometry[0]["weights"])
               + config.NUMBA_NUM_THREADS * _backward_local(geometry) * lanes(dtype))


@inlined
def _chunks(blocks, geometry):
    """Return the number of chunks: some, or so many that to a sum of one no more than about TERMS are added."""
    terms = 0
    for g in geometry:
        terms = max(terms, -(-g["oh"] * g["ow"] // TERMS))
    return min(blocks, max(_CHUNKS, -(-blocks * terms // TERMS)))


@inlined
def _gradient_size(geometry):
    """Vectors of the largest gradient at the border of a stage."""
    most = geometry[0]["h"] * geometry[0]["w"] * geometry[0]["c"]
    for g in geometry:
        most = max(most, g["qh"] * g["qw"] * g["k"])
    return most


@inlined
def _backward_local(geometry):
    """Vectors of scratch a thread needs: sums, two gradients between stages, one before the pooling, that of a bias."""
    most = 0
    for g in geometry:
        most = max(most, g["oh"] * g["ow"] * (g["k"] + 2) + g["k"])
    return geometry[0]["weights"] + 2 * _gradient_size(geometry) + most


@kernel
def lanes_backward(dx, dweights, scratch, dy, saved, weights, geometry):
    """Add the gradients of the weights, and write that of the input.

    Parameters
    ----------
    dx : (N, H, W, C) array, or one of size 0
        Written; with size 0 it is not computed.
    dweights : (weights,) array
        Added to.
    scratch : (lanes_backward_scratch(geometry, dtype),) array
    dy : (N, QH, QW, K) array
    saved, weights, geometry
        As in `lanes_forward`.
    """
    blocks = -(-dy.shape[0] // lanes_of(scratch))
    chunks = _chunks(blocks, geometry)
    parallel(_backward_chunk, chunks,
             (dx.reshape(-1), scratch, dy.reshape(-1), (saved, weights), (chunks, blocks), geometry))
    add_pairwise(scratch, 0, aligned(geometry[0]["weights"]), chunks, dweights.size)
    accumulate(dweights, 0, scratch, 0, dweights.size if chunks > 0 else 0)


@inlined
def _backward_chunk(chunk, thread, dx, scratch, dy, given, cuts, geometry):
    """Some blocks, one after the other, into one sum of the weights' gradients."""
    (saved, weights), (chunks, blocks) = given, cuts
    lane, size = lanes_of(dy), geometry[0]["weights"]
    partial = aligned(size)
    sums = chunks * partial + thread * _backward_local(geometry) * lane
    one = sums + size * lane
    other = one + _gradient_size(geometry) * lane
    before_pool = other + _gradient_size(geometry) * lane
    clear(scratch, sums, size * lane)
    last = geometry[geometry.size - 1]
    for block in range(chunk * blocks // chunks, (chunk + 1) * blocks // chunks):
        base, images = block * geometry[0]["saved"] * lane, min(lane, geometry[0]["n"] - block * lane)
        outputs = last["qh"] * last["qw"] * last["k"]
        if images < lane:
            clear(scratch, one, outputs * lane)
        interleave(scratch, one, dy, block * lane * outputs, outputs, images, outputs)
        for step in range(geometry.size):
            stage = geometry.size - 1 - step
            wants = stage > 0 or dx.size > 0
            places = StageOffsets(sums, other, one, before_pool, base)
            backward_stage(scratch, places, saved, weights, geometry[stage], wants)
            one, other = other, one
        if dx.size > 0:
            inputs = geometry[0]["h"] * geometry[0]["w"] * geometry[0]["c"]
            from_lanes(dx, block * lane, images, scratch, one, inputs)
    for k in range(size):
        total = 0.0
        for image in range(lane):
            total += scratch[sums + k * lane + image]
        scratch[chunk * partial + k] = total
