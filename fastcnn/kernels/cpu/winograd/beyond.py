"""Outputs beyond the tiles: those that see nothing but zeros."""

from fastcnn.kernels.cpu.compile.policy import inlined
from fastcnn.kernels.cpu.simd.memory import accumulate, clip, copy


@inlined
def fill_beyond(ys, size, scratch, finish, own, p):
    """Write the bias and the addend to rows and columns beyond those that tiles write.

    `ys` are two arrays whose channels stand side by side, of which the first has `own`; `size` rows and columns that
    tiles write; `finish` where in the scratch the bias is, the addend and the bounds.
    """
    (rows, columns), (start, addend, bounds), (oh, ow), (y, beside) = size, finish, p[4:6], ys
    for row in range(p[0] * oh if rows < oh or columns < ow else 0):
        for pixel in range(row * ow + (columns if row % oh < rows else 0), (row + 1) * ow):
            copy(y, pixel * own, scratch, start, own)
            if addend.size > 0:
                accumulate(y, pixel * own, addend, pixel * own, own)
            clip(y, pixel * own, own, bounds)
            if beside.size > 0:
                others = p[6] - own
                copy(beside, pixel * others, scratch, start + own, others)
                clip(beside, pixel * others, others, bounds)
