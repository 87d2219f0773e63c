"""How the gradient of a convolution's filters cuts its work and its memory: functions of the geometry alone."""

from typing import Any, NamedTuple

import numpy as np

from fastcnn.kernels.cpu.compile.policy import inlined
from fastcnn.kernels.cpu.conv.plan import PARTIAL, is_pointwise
from fastcnn.kernels.cpu.gemm.shares import GRAIN, TASKS
from fastcnn.kernels.cpu.simd.memory import aligned, at3
from fastcnn.kernels.cpu.simd.sums import FAR, TERMS

BAND = 224  # positions of a band: dy's block of them, 28 KB, is read for every tile
OFTEN = 32  # times that something is added to the sums of a chunk before its totals take them in, where they are more


class Cut(NamedTuple):
    """How the work is cut: chunks of bands, parts of the blocks, a band's images and rows, bands.

    `partial` is how many elements of the scratch a chunk's sums and totals take, 0 where there are none.
    """

    chunks: Any
    parts: Any
    images: Any
    rows: Any
    bands: Any
    partial: Any


@inlined
def band_size(g):
    """Return the positions of a band."""
    return BAND if g["n"] * g["oh"] * g["ow"] < FAR else TERMS


@inlined
def has_slab(g):
    """Whether rows are (r, s, c) over a slab: where the channels of a tap alone would not fill tiles."""
    return not is_pointwise(g) and g["c"] // g["groups"] < 24


@inlined
def positions_of(g):
    """Return images, output rows and columns; to a pointwise convolution every pixel is a row."""
    if is_pointwise(g):
        return at3(1, g["n"] * g["oh"] * g["ow"], 1)
    return at3(g["n"], g["oh"], g["ow"])


@inlined
def plan(g, blocks):
    """Return images a band, rows a band, bands, chunks of them, and parts of the blocks of a group.

    Where the weights are small beside the images a task does all of its bands' blocks, so that the images pass through
    the cache once; else a block is a task, and bands are cut as far as tasks are missing.
    """
    n, oh, ow = positions_of(g)
    images, rows = 1, max(1, min(oh, band_size(g) // max(1, ow)))
    if rows == oh and not has_slab(g):
        images = max(1, min(n, band_size(g) // max(1, oh * ow)))
    bands = -(-n // images) * -(-oh // rows)
    weights = g["kh"] * g["kw"] * (g["c"] // g["groups"]) * g["k"]
    parts, wanted = blocks, -(-(TASKS // 2) // max(1, g["groups"] * blocks))
    if 2 * TASKS * weights < g["n"] * (g["h"] * g["w"] * g["c"] + g["oh"] * g["ow"] * g["k"]):
        parts, wanted = 1, TASKS // min(TASKS, g["groups"])
    most = min(bands, PARTIAL // max(1, weights), n * oh * ow * weights // max(1, g["groups"] * parts) // GRAIN)
    return images, rows, bands, max(1, min(wanted, most)), parts


@inlined
def slab_size(g, rows):
    """Return rows and columns of a slab."""
    return (rows - 1) * g["sh"] + (g["kh"] - 1) * g["dh"] + 1, (g["ow"] - 1) * g["sw"] + (g["kw"] - 1) * g["dw"] + 1


@inlined
def local_sizes(g, width, images, rows):
    """Return elements of a thread's slab, and of all its scratch: that, dy's band, and a one."""
    tall, across = slab_size(g, rows)
    slab = aligned(tall * across * g["c"]) if has_slab(g) else 0
    return slab, slab + aligned(images * rows * positions_of(g)[2] * width) + aligned(np.int64(1))


@inlined
def often_of(g, images, rows):
    """Return the bands after which a chunk's totals take in its sums: a row longer than a band adds to them often."""
    return max(1, OFTEN * band_size(g) // max(band_size(g), images * rows * positions_of(g)[2]))


@inlined
def segments_of(g):
    """Return into how many parts the rows of a band are cut, after each of which a chunk's totals take in its sums."""
    return -(-positions_of(g)[2] // (OFTEN * band_size(g)))


@inlined
def needs_totals(g, images, rows, bands, chunks):
    """Whether a chunk's sums would be long: then it has totals."""
    return bands * segments_of(g) > often_of(g, images, rows) * chunks


@inlined
def partial_sizes(g, has_totals, chunks):
    """Return elements of the sums of a chunk, and of these and its totals, which are two for each where it has any.

    None if there is one chunk of few bands, which adds straight into the gradients.
    """
    size = aligned((g["kh"] * g["kw"] * (g["c"] // g["groups"]) + 1) * g["k"])
    if has_totals:
        return size, 3 * size
    return (size, size) if chunks > 1 else (0, 0)
