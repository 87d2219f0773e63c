"""Products of rows with rows, all of some with all of others: vectors lie along the rows, and nothing is broadcast.

Where a product has few rows on either side, a tile of `gemm` has empty lanes. Here a vector is a piece of a row, and a
tile has the sums of up to 4 filters with some taps, in registers; at the end the lanes of each are added up::

    taps q, q + 1, ..   | x x x x x x .. |   *   filters k, k + 1, ..  | d d d d d d .. |   ->   Q x K sums
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from fastcnn.kernels.cpu.simd.vectors import Vectors, chosen, loop
from fastcnn.kernels.cpu.simd.width import features

_I64 = ir.IntType(64)

#: Taps of a tile of 1 to 4 filters: the sums, the pieces of the filters' rows and one of a tap in registers.
TAPS = {1: 12, 2: 12, 3: 8, 4: 6} if features()[2] == 32 else {1: 8, 2: 5, 3: 3, 4: 2}

#: Filters of a tile.
FILTERS = len(TAPS)


class _RowTile(Vectors):
    """Emits the sums of some filters and taps."""

    def emit(self, shape, pointers, places, rows, steps):
        """Write the products of ``shape`` filters and taps: `places` are where the taps begin and their sums go."""
        b, (few, taps), (out, x, d), (count, length) = self.b, shape, pointers, rows
        (x_at, out_at), (x_row, d_row, d_filter) = places, steps
        sums = self.slots(few * taps, self.zero)
        whole = b.sdiv(length, _I64(self.L))
        done = b.mul(whole, _I64(self.L))

        def piece(x_at_row, d_at_row, mask):
            pieces = [self.load(b.gep(d_at_row, [b.mul(d_filter, _I64(k))]), mask=mask) for k in range(few)]
            for q in range(taps):
                one = self.load(b.gep(x_at_row, [x_at[q]]), mask=mask)
                for k in range(few):
                    self.add_product(sums[q * few + k], one, pieces[k])

        with loop(b, count) as i:
            one, other = b.gep(x, [b.mul(i, x_row)]), b.gep(d, [b.mul(i, d_row)])
            with loop(b, whole) as t:
                at = b.mul(t, _I64(self.L))
                piece(b.gep(one, [at]), b.gep(other, [at]), None)
            with b.if_then(b.icmp_signed("<", done, length)):
                piece(b.gep(one, [done]), b.gep(other, [done]), self.mask(b.sub(length, done)))
        at = 0
        while at < len(sums):
            some = min(self.L, 1 << (len(sums) - at).bit_length() - 1)  # a power of 2
            totals = self.sums_of_lanes([b.load(total) for total in sums[at:at + some]])
            for k in range(some):
                q, filter_ = divmod(at + k, few)
                b.store(b.extract_element(totals, ir.IntType(32)(k)), b.gep(out, [b.add(out_at[q], _I64(filter_))]))
            at += some


@intrinsic
def row_products(typingctx, arrays, offsets, taps, filters, rows, steps):
    """Write the products of 1 to FILTERS filters with TAPS[filters] taps, summed over some rows.

    Parameters
    ----------
    arrays : (array, array, array, int64 array)
        The results, the rows of the taps, those of the filters, and where each tap begins.
    offsets : (int, int, int, int)
        Where each begins; in the last the first tap of all.
    taps : (int, int)
        The first tap, and how many there are of all: beyond them the last one is written again.
    filters : int
    rows : (int, int)
        How many, and the numbers of each.
    steps : (int, int, int, int)
        From row to row of taps and of filters, from filter to filter, and from the results of a tap to the next's.
    """
    def codegen(context, builder, signature, args):
        b, v = builder, _RowTile(builder, arrays.types[0].dtype)
        *pointers, table = (b.gep(context.make_array(kind)(context, b, b.extract_value(args[0], k)).data,
                                  [b.extract_value(args[1], k)]) for k, kind in enumerate(arrays.types))
        first, last = b.extract_value(args[2], 0), b.sub(b.extract_value(args[2], 1), _I64(1))
        counts = [b.extract_value(args[4], k) for k in range(2)]
        *walk, apart = (b.extract_value(args[5], k) for k in range(4))
        for few in chosen(b, args[3], {k: k for k in TAPS}):
            numbers = [b.add(first, _I64(q)) for q in range(TAPS[few])]
            numbers = [b.select(b.icmp_signed("<", q, last), q, last) for q in numbers]
            places = [b.load(b.gep(table, [q])) for q in numbers], [b.mul(q, apart) for q in numbers]
            v.emit((few, TAPS[few]), pointers, places, counts, walk)
        return context.get_dummy_value()

    two, four = (types.UniTuple(types.int64, n) for n in (2, 4))
    return types.void(arrays, four, two, types.int64, two, four), codegen
