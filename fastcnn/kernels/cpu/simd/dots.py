"""Products of windows with few filters: vectors lie along the window, where a tile's lie along the filters.

A tile of a product has a lane for each filter, of which three fill 3 of 16. Here a vector is a piece of a window's row,
whose pixels and channels lie side by side, and so do the filter's::

    window p     | x x x x x x .. |   *   filter k  | w w w w w w .. |   ->   P x K sums of a lane each, in registers
    window p+1     | x x x x x x .. |                                         added up at the end of the window
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from fastcnn.kernels.cpu.simd.vectors import Vectors, chosen, loop
from fastcnn.kernels.cpu.simd.width import features

_I64 = ir.IntType(64)

#: Windows that are multiplied together, for 1 to 6 filters: the sums, the filters and a piece of a window in registers.
_WINDOWS = {1: 8, 2: 8, 3: 8, 4: 6, 5: 4, 6: 4} if features()[2] == 32 else {1: 8, 2: 5, 3: 4, 4: 2, 5: 2, 6: 1}

#: How many filters are few.
FEW = len(_WINDOWS)


class _Dots(Vectors):
    """Emits the sums of some windows."""

    def tile(self, pointers, windows, first, count):
        """Write the sums of `count` windows from the first on."""
        b, (y, x, w, start) = self.b, pointers
        (rows, length), (step, x_row, w_row, w_filter), filters = windows
        x = b.gep(x, [b.mul(first, step)])
        sums = self.slots(count * filters, self.zero)
        begin = [self.with_first(self.zero, b.load(b.gep(start, [_I64(k)]))) for k in range(filters)]
        for at, total in enumerate(sums):
            b.store(begin[at % filters], total)
        whole = b.sdiv(length, _I64(self.L))
        done = b.mul(whole, _I64(self.L))

        def piece(one, other, mask):
            pieces = [self.load(b.gep(other, [b.mul(w_filter, _I64(k))]), mask=mask) for k in range(filters)]
            for p in range(count):
                pixels = self.load(b.gep(one, [b.mul(step, _I64(p))]), mask=mask)
                for k in range(filters):
                    self.add_product(sums[p * filters + k], pixels, pieces[k])

        with loop(b, rows) as r:
            one, other = b.gep(x, [b.mul(r, x_row)]), b.gep(w, [b.mul(r, w_row)])
            with loop(b, whole) as t:
                at = b.mul(t, _I64(self.L))
                piece(b.gep(one, [at]), b.gep(other, [at]), None)
            with b.if_then(b.icmp_signed("<", done, length)):
                piece(b.gep(one, [done]), b.gep(other, [done]), self.mask(b.sub(length, done)))
        out, at = b.gep(y, [b.mul(first, _I64(filters))]), 0
        while at < len(sums):
            some = min(self.L, 1 << (len(sums) - at).bit_length() - 1)  # a power of 2
            totals = self.sums_of_lanes([b.load(total) for total in sums[at:at + some]])
            totals = self.shuffled(totals, totals, range(some))
            place = b.bitcast(b.gep(out, [_I64(at)]), totals.type.as_pointer())
            b.store(totals, place, align=self.bits // 8)
            at += some


@intrinsic
def dot_windows(typingctx, arrays, offsets, filters, counts, steps):
    """Write the products of windows with 1 to FEW filters: a number for each window and filter, windows first.

    Parameters
    ----------
    arrays : (array, array, array, array)
        The results, what the windows lie on, the filters, and what the sums of each filter begin with.
    offsets : (int, int, int, int)
        Where the first of each begins.
    filters : int
    counts : (int, int, int)
        Windows, their rows, and the numbers of a row.
    steps : (int, int, int, int)
        From window to window, from row to row of a window and of a filter, and from filter to filter.
    """
    def codegen(context, builder, signature, args):
        b, v = builder, _Dots(builder, arrays.types[0].dtype)
        places = [b.gep(context.make_array(kind)(context, b, b.extract_value(args[0], k)).data,
                        [b.extract_value(args[1], k)]) for k, kind in enumerate(arrays.types)]
        windows, rows, length = (b.extract_value(args[3], k) for k in range(3))
        walk = [b.extract_value(args[4], k) for k in range(4)]
        for few in chosen(b, args[2], {k: k for k in _WINDOWS}):
            shape, together = ((rows, length), walk, few), _WINDOWS[few]
            # A single window takes as long as a tile of them: the last tile begins where it ends with the last window.
            last = b.sub(windows, _I64(together))
            enough = b.icmp_signed(">=", last, _I64(0))
            blocks = b.sdiv(b.add(windows, _I64(together - 1)), _I64(together))
            with loop(b, b.select(enough, blocks, _I64(0))) as block:
                first = b.mul(block, _I64(together))
                v.tile(places, shape, b.select(b.icmp_signed("<", first, last), first, last), together)
            with loop(b, b.select(enough, _I64(0), windows)) as index:
                v.tile(places, shape, index, 1)
        return context.get_dummy_value()

    four = types.UniTuple(types.int64, 4)
    return types.void(arrays, four, types.int64, types.UniTuple(types.int64, 3), four), codegen
