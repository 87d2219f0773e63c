r"""Windows in depth as channels: so a convolution of volumes runs on the kernels of images, Winograd's included.

An output slice o of a volume sees the slices o sd + t dd - front for the taps t = 0 .. KD - 1. *Unfolded*, they lie
side by side in the channels of one image, group by group, zeros for slices beside the volume::

    x   | slice 3 | slice 4 | slice 5 |        unfolded, slice o:  pixel | x3: C | x4: C | x5: C |  next pixel ..
             \         |         /                                       tap 0   tap 1   tap 2
             `------ window of o --'

A filter bank (KD, KH, KW, C, K) becomes (KH, KW, KD C, K). *Folding* is the gradient of unfolding: it adds a slice's
parts where they came from. Slices are processed in chunks that stay in the caches, so that the copy takes a few percent
of the time, and memory for one chunk.

A unit of work is a row of pixels of one slice of the result.
"""

import numpy as np

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.cpu.simd.memory import accumulate, accumulate_apart, clear, copy, copy_apart, rectify

_CHUNKS = 64
FEW = 8  #: channels of a group up to which a loop runs over the pixels of a row, not over channels


@kernel
def unfold_depth(y, x, first, geometry):
    """Write what output slices first .. first + len(y) see, of all slices of all volumes, a tap beside the other.

    Parameters
    ----------
    y : (slices, H, W, KD * C) array
        Written; the channels are (groups, KD, C // groups).
    x : (N, D, H, W, C) array
    first : int
        A slice of the output, n OD + o.
    geometry : CONV3D
    """
    rows = y.shape[0] * geometry[0]["h"]
    chunks = max(1, min(rows, chunks_for(y.size, _CHUNKS)))
    parallel(_unfold_rows, chunks, (chunks, rows, y.reshape(-1), x.reshape(-1), first, geometry))


@inlined
def _unfold_rows(chunk, chunks, rows, y, x, first, geometry):
    g = geometry[0]
    h, w, c, kd, groups = g["h"], g["w"], g["c"], g["kd"], g["groups"]
    cg = c // groups
    begin, end = chunk_of(chunk, chunks, rows)
    for row in range(begin, end):
        volume, o = (first + row // h) // g["od"], (first + row // h) % g["od"]
        for t in range(kd):
            d = o * g["sd"] + t * g["dd"] - g["front"]
            inside = 0 <= d < g["d"]
            source = ((volume * g["d"] + d) * h + row % h) * w * c
            for group in range(groups):
                at = row * w * kd * c + (group * kd + t) * cg
                if inside and cg <= FEW:
                    for k in range(cg):
                        copy_apart(y, at + k, kd * c, x, source + group * cg + k, c, w)
                elif inside:
                    for j in range(w):
                        copy(y, at + j * kd * c, x, source + j * c + group * cg, cg)
                else:
                    for j in range(w):
                        clear(y, at + j * kd * c, cg)


@kernel
def fold_depth(dx, dy, bias, relu, first, geometry):
    """Add what output slices first .. first + len(dy) have for the slices of the input that they see.

    Calls in the order of `first`, from 0 to the last slice, write all of dx. The first call that adds to a slice starts
    from the bias, and the last one applies ReLU.

    Parameters
    ----------
    dx : (N, D, H, W, C) array
        Written.
    dy : (slices, H, W, KD * C) array
        The channels are (groups, KD, C // groups).
    bias : (C,) or (0,) array
    relu : int
        1 for the rectified result.
    first : int
        A slice of the output, n OD + o.
    geometry : CONV3D
    """
    g = geometry[0]
    # Volumes that these slices belong to.
    low, high = first // g["od"], -(-(first + dy.shape[0]) // g["od"])
    rows = (high - low) * g["d"] * g["h"]
    chunks = max(1, min(rows, chunks_for(dy.size, _CHUNKS)))
    parallel(_fold_rows, chunks, (chunks, (rows, low), dx.reshape(-1), dy.reshape(-1), (bias, relu),
                                  (first, first + dy.shape[0]), geometry))


@inlined
def _fold_rows(chunk, chunks, place, dx, dy, ends, slices, geometry):
    g, (rows, low), (bias, relu), (first, beyond) = geometry[0], place, ends, slices
    h, w, c, kd, od, groups = g["h"], g["w"], g["c"], g["kd"], g["od"], g["groups"]
    cg = c // groups
    begin, end = chunk_of(chunk, chunks, rows)
    for row in range(begin, end):
        volume, d, at = low + row // (g["d"] * h), row // h % g["d"], (low * g["d"] * h + row) * w * c
        seen, last = np.int64(volume * od), np.int64(volume * od)  # slices that see this one; none: as if the first did
        known = False
        for t in range(kd - 1, -1, -1):
            place = d + g["front"] - t * g["dd"]
            if place >= 0 and place % g["sd"] == 0 and place // g["sd"] < od:
                last = volume * od + place // g["sd"]
                seen, known = seen if known else last, True
        if first <= seen < beyond:
            for j in range(w):
                if bias.size > 0:
                    copy(dx, at + j * c, bias, 0, c)
                else:
                    clear(dx, at + j * c, c)
        for t in range(kd - 1, -1, -1):
            place = d + g["front"] - t * g["dd"]
            o = volume * od + place // g["sd"]
            if place >= 0 and place % g["sd"] == 0 and place // g["sd"] < od and first <= o < beyond:
                source = ((o - first) * h + row % h) * w * kd * c
                for group in range(groups):
                    of = source + (group * kd + t) * cg
                    if cg <= FEW:
                        for k in range(cg):
                            accumulate_apart(dx, at + group * cg + k, c, dy, of + k, kd * c, w)
                    else:
                        for j in range(w):
                            accumulate(dx, at + j * c + group * cg, dy, of + j * kd * c, cg)
        if relu and first <= last < beyond:
            rectify(dx, at, w * c)
