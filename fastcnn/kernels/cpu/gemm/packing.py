"""Filters packed for the tile, over the threads.

    packed   group 0                                group 1 ..     start
             +-----------+-----------+-----------+--------------+---------+
             | block 0   | block 1   | ..        |              | bias, 0 |   a block: (taps, depth of a tap) rows of
             +-----------+-----------+-----------+--------------+---------+   `width` columns; zeros fill the last one

Forward, the columns are filters and lie side by side in the filter bank; a row of it is cut into the blocks. For the
gradient of the input the columns are channels, K apart: square blocks are transposed in registers, and the taps are
turned round, so that a window reads forward as it does in the forward pass.
"""

from fastcnn.kernels.cpu.compile.policy import WORK_THRESHOLD, chunk_of, inlined, parallel
from fastcnn.kernels.cpu.gemm.shares import TASKS
from fastcnn.kernels.cpu.simd.memory import aligned, clear, copy
from fastcnn.kernels.cpu.simd.transpose import move_part, move_vector, transpose_block
from fastcnn.kernels.cpu.simd.width import block_width, lanes, lanes_of

ROWS = 16  # of the bank that are cut into blocks together: its pages stay known, and writes are long


def width_of(columns, dtype):
    one = lanes(dtype)
    return one if columns <= one else 2 * one


def packed_size(groups, columns, depth, dtype):
    """Elements of packed filters and of the start values: `groups` times blocks of `columns`, `depth` steps each."""
    width = width_of(columns, dtype)
    columns = -(-columns // width) * width * groups
    return aligned(columns * depth) + aligned(columns)


@inlined
def blocks_of(array, columns):
    """Return the width of a block and how many hold `columns`."""
    width = block_width(array, columns)
    return width, -(-columns // width)


@inlined
def start_of(array, groups, columns, depth):
    """Return where the start values lie in packed filters."""
    width, blocks = blocks_of(array, columns)
    return aligned(groups * blocks * depth * width)


@inlined
def pack_start(packed, at, bias, groups, columns):
    """packed[at:] = the bias, padded with zeros as the columns are; zeros if there is none."""
    width, blocks = blocks_of(packed, columns)
    clear(packed, at, groups * blocks * width)
    if bias.size > 0:
        for group in range(groups):
            copy(packed, at + group * blocks * width, bias, group * columns, columns)


@inlined
def pack_filters(packed, kernel, groups, columns, depth):
    """Pack a bank, flat (depth, groups, columns), for the forward pass."""
    chunks = max(1, min(TASKS, kernel.size // WORK_THRESHOLD))
    parallel(_pack_rows, chunks, (packed, kernel, groups, columns, depth, chunks))


@inlined
def _pack_rows(task, packed, kernel, groups, columns, depth, chunks):
    begin, end = chunk_of(task, chunks, depth)
    width, blocks = blocks_of(packed, columns)
    one = lanes_of(packed)
    for first in range(begin, end, ROWS):
        rows = min(ROWS, end - first)
        for group in range(groups):
            for b in range(blocks):
                there = min(width, columns - b * width)
                at = ((group * blocks + b) * depth + first) * width
                source = (first * groups + group) * columns + b * width
                for vector in range(0, width, one):
                    if there - vector >= one:
                        for row in range(rows):
                            move_vector(packed, at + vector + row * width, kernel,
                                        source + vector + row * groups * columns)
                    else:
                        for row in range(rows):
                            move_part(packed, at + vector + row * width, kernel,
                                      source + min(there, vector) + row * groups * columns, max(0, there - vector))


@inlined
def pack_transposed(packed, kernel, groups, columns, depth, taps):
    """Pack a bank, flat (taps, columns, groups, depth), with its taps in reverse: blocks of (taps, depth, width)."""
    units = groups * blocks_of(packed, columns)[1] * taps
    chunks = max(1, min(TASKS, units, kernel.size // WORK_THRESHOLD))
    parallel(_transpose_units, chunks, (packed, kernel, groups, columns, depth, taps, chunks))


@inlined
def _transpose_units(task, packed, kernel, groups, columns, depth, taps, chunks):
    width, blocks = blocks_of(packed, columns)
    one, step = lanes_of(packed), groups * depth
    begin, end = chunk_of(task, chunks, groups * blocks * taps)
    for unit in range(begin, end):
        block, tap = unit // taps, unit % taps
        group, b = block // blocks, block % blocks
        at = unit * depth * width
        for column in range(0, width, one):
            there = min(one, columns - b * width - column)
            of = ((taps - 1 - tap) * columns + b * width + column) * step + group * depth
            k = 0
            if there == one:
                while k + one <= depth:
                    transpose_block(packed, at + column + k * width, width, kernel, of + k, step)
                    k += one
            for rest in range(k, depth):
                for c in range(one):
                    packed[at + column + rest * width + c] = kernel[of + c * step + rest] if c < there else 0
