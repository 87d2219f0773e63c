"""The sums that tasks made by themselves, added over the threads: element by element in one order, hence the same bits.

Of many tasks or weights one thread would take a tenth of the kernel's time for it, while the others wait.
"""

from fastcnn.kernels.cpu.compile.policy import chunk_of, inlined, parallel
from fastcnn.kernels.cpu.gemm.shares import even
from fastcnn.kernels.cpu.simd.memory import accumulate
from fastcnn.kernels.cpu.simd.sums import add_pairwise

LEAST = 1 << 16  # numbers that are worth waking a thread: 20 microseconds of one
LINE = 16  # numbers that stay together


@inlined
def add_parts(to, scratch, places, parts, count):
    """Add `parts` rows of `count` numbers of the scratch, two by two, and the sum to the first numbers of `to`.

    `places` are where the first row begins, and from one to the next. The rows are written.
    """
    tasks = 1 if parts * count < LEAST else even(max(1, min(8, parts * count // (LEAST // 4))))
    parallel(_add_task, tasks, (tasks, to, scratch, places, (parts, count)))


@inlined
def _add_task(task, tasks, to, scratch, places, sizes):
    """Some of the numbers of all rows."""
    (at, step), (parts, count) = places, sizes
    begin, end = chunk_of(task, tasks, -(-count // LINE))
    begin, end = begin * LINE, min(count, end * LINE)
    add_pairwise(scratch, at + begin, step, parts, end - begin)
    accumulate(to, begin, scratch, at + begin, end - begin)
