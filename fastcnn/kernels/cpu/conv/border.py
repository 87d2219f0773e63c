"""Whether a convolution is faster on an image that is stored with its border of zeros.

The direct kernel never multiplies the zeros of a border. For that it cuts the image into runs of positions that see the
same part of the window (`gemm/taps.py`), and each run ends with a tile that is not full, or low, and reads as much of
the filters as a tall one. On a small image that takes longer than to copy it with its border and multiply the zeros::

    3x3 on 7x7, one image      runs of positions     tiles, a row and a tap each
    as it lies                 25; 5; 1              (14 + 8 + 5) 9 taps; four times 8 for 6; four times 5 for 4:   515
    with its border            49                    (14 + 14 + 14 + 8) 9 taps:                                     450
"""

from fastcnn.kernels.cpu.compile.policy import chunk_of
from fastcnn.kernels.cpu.conv.forward import tasks_of
from fastcnn.kernels.cpu.gemm.taps import dimension, run_of, seen
from fastcnn.kernels.cpu.gemm.tile import M0
from fastcnn.kernels.cpu.gemm.walk_tiles import TWO, height_of
from fastcnn.kernels.cpu.simd.width import lanes

# Times of tiles, in that of a row of a tall one for a step, which is 0.28 ns on AMD Zen 5:
_LOW = 5 if TWO else 3  # of a step of the lowest tile, which waits for its own sums
_ENDS = 12  # of a tile's beginning and end
_CALL = 16000  # of a call that copies, where two threads multiply
_NUMBER = 1 / 4  # of a number that is copied
_GAIN = 0.95  # below which it is worth a call more
_FEW = 256  # positions of all images beyond which runs are long


def conv2d_border_suits(geometry, dtype):
    """Return whether the direct forward kernel is faster on a copy of the images with their border of zeros.

    Parameters
    ----------
    geometry : CONV2D
    dtype : dtype
    """
    g = geometry[0]
    sides = [int(g[side]) for side in ("top", "bottom", "left", "right")]
    if min(sides) < 0 or sum(sides) == 0 or g["n"] * g["oh"] * g["ow"] > _FEW:
        return False
    blocks = -(-int(g["k"] // g["groups"]) // (2 * lanes(dtype)))
    taps, copies = int(g["kh"] * g["kw"]), int(g["n"] * (g["h"] + sum(sides[:2])) * (g["w"] + sum(sides[2:])) * g["c"])
    in_runs, whole = 0.0, 0.0
    _, images, bands, _ = tasks_of(g, blocks)
    for band in range(bands):
        low, high = chunk_of(band, bands, int(g["oh"]))
        in_runs += sum(_time(g, taps, images * rows) for rows, taps in _runs(g, low, high))
        whole += _time(g, taps, images * (high - low) * int(g["ow"]))
    times = -(-int(g["n"]) // images) * blocks * int(g["groups"])
    return bool(times * whole + _CALL + _NUMBER * copies < _GAIN * times * in_runs)


def _runs(g, low, high):
    """Return (positions, taps) of the runs of a band of rows."""
    rows = dimension(g["sh"], g["dh"], -g["top"], 1, g["kh"], g["h"])
    columns = dimension(g["sw"], g["dw"], -g["left"], 1, g["kw"], g["w"])
    tall, broad = ([*_along(*each)] for each in ((low, high, rows), (0, int(g["ow"]), columns)))
    return [(m * n, r * s) for m, r in tall for n, s in broad]


def _along(p, end, dimension):
    """Yield how long each run of positions p .. end - 1 is, and how many taps its positions see."""
    while p < end:
        length = int(run_of(p, end, dimension))
        yield length, int(seen(p, dimension)[1])
        p += length


def _time(g, taps, rows):
    """Return the time of one block of filters for rows that see some taps."""
    steps, time = taps * int(g["c"] // g["groups"]), 0.0
    while rows > 0:
        height = int(height_of(rows, M0))
        time += steps * (height if height == M0 else max(_LOW, height + 1)) + _ENDS
        rows -= height
    return time
