"""The pixels of a Winograd tile in an image, of which some may not exist: what the transforms read and write."""

from llvmlite import ir

from fastcnn.kernels.cpu.simd.width import features

_I32, _I64 = ir.IntType(32), ir.IntType(64)
MASKED = features()[0] == "AVX-512"  # where a masked load or store takes no longer than another


class TilePixels:
    """The n x n pixels of a tile. Rows that do not exist lie `aside`; columns that do not are masked, or lie there.

    A mask for each column costs no more than loads and stores without one, and leaves addresses simple: a row's first
    pixel and a multiple of a step. Where the CPU has no masks, each pixel that may not exist has an address of its own.
    """

    def __init__(self, v, n, image, steps, bounds, aside):
        b_ = v.b
        self.v, self.step, self.aside, self.columns, self.lanes = v, steps[1], aside, None, None
        self.rows = [b_.gep(image, [b_.mul(_I64(i), steps[0])]) for i in range(n)]
        if bounds is not None:
            exists = lambda index, low, high: b_.and_(b_.icmp_signed(">=", _I64(index), low),
                                                      b_.icmp_signed("<", _I64(index), high))
            r0, r1, s0, s1 = bounds
            self.rows = [b_.select(exists(i, r0, r1), row, aside) for i, row in enumerate(self.rows)]
            self.columns = [exists(j, s0, s1) for j in range(n)]

    def begin(self, c, left):
        """Go to the channels from c on, of which `left` exist; None: all of a vector."""
        b_, self.c = self.v.b, c
        self.starts, self.masks, self.lanes = [b_.gep(row, [c]) for row in self.rows], None, None
        if left is not None:
            left = b_.trunc(left, _I32)
            self.lanes = self._first_lanes(left)
            columns = self.columns if MASKED and self.columns is not None else [None] * len(self.rows)
            self.masks = [self.lanes if one is None else self._first_lanes(b_.select(one, left, _I32(0)))
                          for one in columns]

    def fetch_next(self, write):
        """Ask for the pixels on the right, the next tile's: they come from memory while this one is transformed.

        The processor does not foresee them: a tile is six short runs of pixels, each a row of the image apart.
        """
        b_, side = self.v.b, len(self.rows)
        for start in self.starts:
            for j in range(min(side, 4)):
                self.v.prefetch(b_.gep(start, [b_.mul(_I64(side + j), self.step)]), write)

    def load(self, i, j):
        """Return pixel (i, j)."""
        return self.v.load(self._place(i, j), mask=None if self.masks is None else self.masks[j])

    def store(self, value, i, j):
        """Write pixel (i, j)."""
        self.v.store(value, self._place(i, j), mask=None if self.masks is None else self.masks[j])

    def _first_lanes(self, left):
        """Return the mask of the first `left` lanes, an i32: half as many instructions as of an i64."""
        numbers = ir.Constant(ir.VectorType(_I32, self.v.L), list(range(self.v.L)))
        return self.v.b.icmp_signed("<", numbers, self.v.broadcast(left))

    def _place(self, i, j):
        b_, along = self.v.b, self.v.b.mul(_I64(j), self.step)
        if self.columns is None or MASKED:
            return b_.gep(self.starts[i], [along])
        return b_.gep(b_.select(self.columns[j], b_.gep(self.rows[i], [along]), self.aside), [self.c])
