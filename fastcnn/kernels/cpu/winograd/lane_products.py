"""Winograd's 36 products of tiles in the lanes of vectors (`lanes.py`), emitted: sums of few steps, kept in registers.

Forward, a row of a product is a filter, and a step one of the channels: a vector of tiles of V, times a number of the
transformed filters for each row. Back, a step is a group of tiles::

    M 36 x (K, tiles) = U^T V, 24 filters at once        m 36 x (C, K) += V W^T, 24 sums at once, of each lane by itself
                                                         for some groups, and then over lanes
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastcnn.kernels.cpu.compile.policy import inlined
from fastcnn.kernels.cpu.compile.shared import Shared
from fastcnn.kernels.cpu.gemm.walk_tiles import moved
from fastcnn.kernels.cpu.simd.vectors import Vectors, chosen, loop
from fastcnn.kernels.cpu.simd.width import lanes_of

_I64 = ir.IntType(64)
HEIGHTS = 24, 16, 12, 8, 4, 2, 1  #: filters that are computed together
TALL = 24  # sums that are kept in registers


def _winograd_lane_products(m, v, u, steps, sizes):
    """M = U^T V of a group of tiles, for one block of filters: `steps` are from matrix to matrix of m, v and u.

    `sizes` are the filters, the channels, and the filters of a row of u.
    """
    (m_step, v_step, u_step), (filters, channels, width), one = steps, sizes, lanes_of(m)
    for i in range(36):
        begin = filters - filters
        while begin < filters:
            begin += _rows(moved(m, i * m_step + begin * one), moved(v, i * v_step), moved(u, i * u_step + begin),
                           width, channels, _height(filters - begin))


@inlined(always=True)
def _height(rows):
    """Return how many of some filters are computed next."""
    height = HEIGHTS[0]
    for other in HEIGHTS[1:]:
        if height > rows:
            height = other
    return height


@intrinsic
def _rows(typingctx, m, v, u, width, channels, height):
    """Compute `height` rows of a product; return how many."""
    dtype, i = m.dtype, types.int64

    def codegen(context, builder, signature, args):
        m, v, u, width, channels, height = args
        for rows in chosen(builder, height, {rows: rows for rows in HEIGHTS}):
            vectors = Vectors(builder, dtype)
            sums = vectors.slots(rows, vectors.zero)
            with loop(builder, channels) as c:
                one = vectors.load(builder.gep(v, [builder.mul(c, _I64(vectors.L))]))
                filters = builder.gep(u, [builder.mul(c, width)])
                for row, total in enumerate(sums):
                    vectors.add_product(total, vectors.load_one(builder.gep(filters, [_I64(row)])), one)
            for row, total in enumerate(sums):
                vectors.store(builder.load(total), builder.gep(m, [_I64(row * vectors.L)]))
        return height

    return i(m, v, u, i, i, i), codegen


def _winograd_lane_sums(m, v, w, steps, sizes):
    """Add V W^T of some groups, summed over their tiles, to m (36, C, row of filters).

    `steps` are from matrix to matrix of m, v and w, and from group to group of v and w; `sizes` the channels, the
    filters, those of a row of m, and the groups.
    """
    (m_step, v_step, w_step, v_group, w_group), (channels, filters, row, groups) = steps, sizes
    one = lanes_of(m)
    for i in range(36):
        k = filters - filters
        while k < filters:
            columns = _columns(filters - k)
            c = channels - channels
            while c < channels:
                c += _block(moved(m, i * m_step + c * row + k), moved(v, i * v_step + c * one),
                            moved(w, i * w_step + k * one), (row, v_group, w_group, groups), columns, channels - c)
            k += columns


@inlined(always=True)
def _columns(left):
    """Return how many of some filters a block of sums has."""
    return 8 if left >= 8 else 4 if left >= 4 else 2 if left >= 2 else 1


@intrinsic
def _block(typingctx, m, v, w, steps, columns, left):
    """Add the sums of some channels, of which `left` are there, and of `columns` filters; return how many channels."""
    dtype, i = m.dtype, types.int64

    def codegen(context, builder, signature, args):
        m, v, w, steps, columns, left = args
        row, v_group, w_group, groups = cgutils.unpack_tuple(builder, steps)
        done = cgutils.alloca_once_value(builder, _I64(1))
        for count in chosen(builder, columns, {count: count for count in (8, 4, 2, 1)}):
            tall = TALL // count
            vectors = Vectors(builder, dtype)
            with builder.if_else(builder.icmp_signed(">=", left, _I64(tall))) as (several, single):
                for rows, branch in ((tall, several), (1, single)):
                    with branch:
                        _emit_block(vectors, (rows, count), (m, row), (v, v_group), (w, w_group), groups)
                        builder.store(_I64(rows), done)
        return builder.load(done)

    return i(m, v, w, steps, i, i), codegen


def _emit_block(v, shape, to, channels, filters, groups):
    """Emit `_block` for one shape of it; operands are pointers with the step of rows, or of groups."""
    b_, (rows, columns), (m, row), (one, one_step), (other, other_step) = v.b, shape, to, channels, filters
    sums = v.slots(rows * columns, v.zero)
    with loop(b_, groups) as group:
        left, right = b_.gep(one, [b_.mul(group, one_step)]), b_.gep(other, [b_.mul(group, other_step)])
        held = [v.load(left, c) for c in range(rows)]
        for k in range(columns):
            number = v.load(right, k)
            for c, channel in enumerate(held):
                v.add_product(sums[c * columns + k], channel, number)
    there = v.mask(_I64(columns))
    for c in range(rows):
        total = v.sums_of_lanes([b_.load(slot) for slot in sums[c * columns:(c + 1) * columns]])
        place = b_.gep(m, [b_.mul(row, _I64(c))])
        v.store(b_.fadd(v.load(place, mask=there), total), place, mask=there)


def _products_arguments(dtype):
    pointer, three = types.CPointer(dtype), types.UniTuple(types.int64, 3)
    return pointer, pointer, pointer, three, three


def _sums_arguments(dtype):
    pointer, i = types.CPointer(dtype), types.int64
    return pointer, pointer, pointer, types.UniTuple(i, 5), types.UniTuple(i, 4)


_products = Shared(_winograd_lane_products, _products_arguments)
_sums = Shared(_winograd_lane_sums, _sums_arguments)


@intrinsic
def lane_products(typingctx, m, v, u, steps, sizes):
    """As `_winograd_lane_products`: every pointer is (array, offset)."""
    return _products.intrinsic(m, v, u, steps, sizes)


@intrinsic
def lane_sums(typingctx, m, v, w, steps, sizes):
    """As `_winograd_lane_sums`: every pointer is (array, offset)."""
    return _sums.intrinsic(m, v, w, steps, sizes)
