"""How the gradient of a convolution's filters cuts its work and its memory: functions of the geometry alone."""

from typing import Any, NamedTuple

import numpy as np

from fastcnn.kernels.cpu.compile.policy import inlined
from fastcnn.kernels.cpu.conv.plan import PARTIAL, is_pointwise
from fastcnn.kernels.cpu.gemm.shares import GRAIN, TASKS
from fastcnn.kernels.cpu.simd.memory import aligned, at3
from fastcnn.kernels.cpu.simd.sums import FAR, TERMS
from fastcnn.kernels.cpu.simd.width import lanes

BAND = 448  # positions of a band: so many steps of a tile's sums hide what adding them costs; dy's block has 56 KB
CHANNELS = 112  # of a panel of x: 8 tiles of 14 rows, and pixels of 448 bytes, which begin in all lines of L1 in turn
MANY = 4096  # positions times blocks of dy that are packed together, 512 KB: what is copied of x serves them all
APART = 512  # elements from position to position of x: 2 KB, and multiples of it, meet in a few lines of L1
NEAR, FEW = 32, 1024  # elements from position to position that may be read in place, and positions of a batch
THIN, THICK = 24, 64  # channels: fewer do not fill tiles, of more the copies of a tap are as fast
WIDE = 48  # elements from position to position of x that may be read where they lie
EVEN = 64  # and multiples of it meet in a fourth of the lines of L1
WHOLE, ROOM = 150, 131072  # positions of an image; elements of a slab, 512 KB of float32
ALONE = 2 * lanes("float32")  # filters that one block holds
OFTEN = 16  # times that something is added to the sums of a chunk before its totals take them in, where they are more


class Cut(NamedTuple):
    """How the work is cut: chunks of bands, parts of the blocks, sides of the channels, a band's images and rows.

    `bands` is how many of them there are, `partial` how many elements of the scratch a chunk's sums and totals take, 0
    where there are none.
    """

    chunks: Any
    parts: Any
    sides: Any
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
    """Whether rows are (r, s, c) over a slab: where the channels of a tap alone would not fill tiles.

    Of more channels, too, where copying once what all taps see takes less time than copying it for each tap: in one
    group, if the slab stays in L2, and an image has so many positions that sums of one image are not too short.
    """
    tall, across = slab_size(g, max(1, min(g["oh"], BAND // max(1, g["ow"]))))
    once = g["groups"] == 1 and g["c"] <= THICK and g["oh"] * g["ow"] >= WHOLE and tall * across * g["c"] <= ROOM
    return not is_pointwise(g) and (g["c"] // g["groups"] < THIN or once)


@inlined
def slab_is_image(g):
    """Whether a slab is read where it lies, since no copy would serve two taps: windows side by side, in the image.

    Positions that are a power of two apart would meet in a few lines of L1; of those that are near, a copy comes from
    memory faster than the tile reads them.
    """
    beside = g["kh"] * g["dh"] <= g["sh"] and g["kw"] * g["dw"] <= g["sw"] and g["top"] == 0 and g["left"] == 0
    tall, across = slab_size(g, g["oh"])
    apart = g["sw"] * g["c"]
    return beside and tall <= g["h"] and across <= g["w"] and apart >= WIDE and apart % EVEN != 0


@inlined
def has_panel(g):
    """Whether pixels are copied, side by side, before they are multiplied: where they lie far apart, or in memory.

    A window of several taps copies as often. For one block of filters alone that takes longer than it saves.
    """
    apart, alone = g["sw"] * g["c"], g["kh"] * g["kw"] > 1 and g["k"] // g["groups"] <= ALONE
    many = apart >= NEAR and g["n"] * g["oh"] * g["ow"] >= FEW and not alone
    return not has_slab(g) and (apart % APART == 0 or many)


@inlined
def positions_of(g):
    """Return images, output rows and columns; to a pointwise convolution every pixel is a row."""
    if is_pointwise(g):
        return at3(1, g["n"] * g["oh"] * g["ow"], 1)
    return at3(g["n"], g["oh"], g["ow"])


@inlined
def plan(g, blocks, band):
    """Return images a band, rows a band, bands, chunks of them, parts of the blocks of a group, sides of its channels.

    `band` is how many positions a band has at most, unless a row has more.

    Where the weights are small beside the images a task does all blocks and channels of its bands, so that the images
    pass through the cache once. Else a task may have some of both.
    """
    n, oh, ow = positions_of(g)
    images, rows = 1, max(1, min(oh, band // max(1, ow)))
    if rows == oh and not has_slab(g):
        images = max(1, min(n, band // max(1, oh * ow)))
    bands = -(-n // images) * -(-oh // rows)
    weights = g["kh"] * g["kw"] * (g["c"] // g["groups"]) * g["k"]
    x, dy = g["n"] * g["h"] * g["w"] * g["c"], g["n"] * g["oh"] * g["ow"] * g["k"]
    parts, sides, wanted = 1, 1, TASKS // min(TASKS, g["groups"])
    if 2 * TASKS * weights >= x + dy:
        parts, sides, wanted = _shares(g, blocks, min(bands, PARTIAL // max(1, weights)), weights, dy)
    most = min(bands, PARTIAL // max(1, weights),
               n * oh * ow * weights // max(1, g["groups"] * parts * sides) // GRAIN)
    return images, rows, bands, max(1, min(wanted, most)), parts, sides


@inlined
def _shares(g, blocks, most, weights, dy):
    """Return parts of the blocks of filters, sides of the channels and chunks of the bands: enough tasks.

    Every part copies x, every side packs dy, and the sums of chunks are cleared, written and added: of what makes most
    tasks, up to those that are wanted, that which moves least. There are `most` chunks at most.
    """
    wanted = max(1, TASKS // 2 // g["groups"])
    pieces = np.int64(1) if has_slab(g) else -(-(g["c"] // g["groups"]) // CHANNELS)
    copied = g["n"] * g["oh"] * g["ow"] * g["c"] * (g["kh"] * g["kw"] if has_panel(g) else 1)
    found, tasks, least = at3(1, 1, 1), np.int64(0), np.int64(0)
    for parts in range(1, max(1, min(blocks, wanted)) + 1):
        for sides in range(1, max(1, min(pieces, wanted)) + 1):
            chunks = max(1, min(most, -(-wanted // (parts * sides))))
            enough = min(wanted, parts * sides * chunks)
            moves = parts * copied + sides * dy + (3 * chunks * weights if chunks > 1 else 0)
            if enough > tasks or (enough == tasks and moves < least):
                found, tasks, least = at3(parts, sides, chunks), enough, moves
    return found


@inlined
def slab_size(g, rows):
    """Return rows and columns of a slab."""
    return (rows - 1) * g["sh"] + (g["kh"] - 1) * g["dh"] + 1, (g["ow"] - 1) * g["sw"] + (g["kw"] - 1) * g["dw"] + 1


@inlined
def together(g, images, rows):
    """Return how many blocks of a band of dy are packed together."""
    return max(1, MANY // max(1, images * rows * positions_of(g)[2]))


@inlined
def local_sizes(g, width, images, rows, blocks):
    """Return elements of a thread's slab or panel of x, of a block of dy's band, and of all its scratch."""
    tall, across = slab_size(g, rows)
    ow = positions_of(g)[2]
    of_x = 0 if slab_is_image(g) else aligned(tall * across * g["c"])
    if not has_slab(g):
        of_x = aligned(images * rows * min(ow, band_size(g)) * CHANNELS) if has_panel(g) else 0
    of_dy = aligned(images * rows * ow * width)
    return of_x, of_dy, of_x + min(blocks, together(g, images, rows)) * of_dy + aligned(np.int64(1))


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
