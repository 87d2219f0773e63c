"""How the gradient of filters by Winograd cuts its work and its memory: functions of the problem alone."""

from fastcnn.kernels.cpu.compile.policy import inlined
from fastcnn.kernels.cpu.simd.memory import aligned
from fastcnn.kernels.cpu.simd.sums import FAR, TERMS
from fastcnn.kernels.cpu.winograd.plan import TILES, zeros_of

FUSED = 8192  # channels times filters up to which m stays in L2: 1.2 MB of float32
FUSED_RUN = 56  # tiles: of twice as many, V and W of 64 channels leave L2; of half as many, sums are short
MOST_RUN = 64  # tiles of a run where this makes them an even number
STEP = 3 << 20  # elements of V and W in a step: 12 MB of float32
CHANNELS = 128  # of a part
CHUNKS = 16
TASKS = 8
OFTEN = 16  # runs of a chunk whose products are one m, and steps whose gradients are one before dkernel takes it in


@inlined
def taps(p):
    """Elements of a filter bank."""
    return (7 - p[9]) ** 2 * p[3] * p[6]


@inlined
def is_fused(p, width):
    return p[3] * (-(-p[6] // width) * width) <= FUSED


@inlined
def row_of(channels):
    """Elements from tile to tile: rows a power of two apart would meet in the same lines of L1."""
    row = aligned(channels)
    return row + 16 if row >= 64 else row


@inlined
def plan(p, width):
    """Return tiles in all, in a run or step, runs, and from tile to tile and matrix to matrix of V and of W."""
    tiles = p[0] * -(-p[4] // p[9]) * -(-p[5] // p[9])
    v_tile, w_tile = row_of(p[3]), row_of(-(-p[6] // width) * width)
    run = FUSED_RUN if p[9] ** 2 * tiles < FAR else TERMS
    if not is_fused(p, width):
        most = max(TILES, STEP // (36 * (v_tile + w_tile)))
        run = -(-tiles // max(1, -(-tiles // most)))  # steps of equal length
    elif run == FUSED_RUN:  # an even number of nearly equal runs
        runs = -(-tiles // run)
        runs += 1 if runs > 1 and runs % 2 != 0 and -(-tiles // (runs - 1)) > MOST_RUN else 0
        run = -(-tiles // max(1, runs - runs % 2 if runs > 1 else runs))
    run = max(1, min(run, tiles))
    return tiles, run, -(-tiles // run), v_tile, run * v_tile + 16, w_tile, run * w_tile + 16


@inlined
def chunks_of(p, width):
    return max(1, min(CHUNKS, plan(p, width)[2])) if is_fused(p, width) else 0


@inlined
def parts_of(p, width):
    """Parts of the channels: so that a part's m fits into L2, and there are enough tasks."""
    blocks, least = max(1, -(-p[6] // width)), -(-p[3] // CHANNELS)
    parts = max(least, min(-(-p[3] // 32), -(-TASKS // blocks)))
    if parts > 1 and blocks * parts % 2 != 0:  # two threads have as many tasks each
        parts += -1 if parts > least else 1
    return parts


@inlined
def tiles_size(p, width):
    """Elements of V, and of V and W."""
    v_step, _, w_step = plan(p, width)[4:]
    return aligned(36 * v_step), aligned(36 * v_step) + aligned(37 * w_step)


@inlined
def sums_size(p, width):
    """Elements from matrix to matrix of m, and of m in all."""
    fused = is_fused(p, width)
    step = (p[3] if fused else -(-p[3] // parts_of(p, width))) * width + 16
    return step, aligned((-(-p[6] // width) if fused else 1) * 36 * step)


@inlined
def local_places(p, width):
    """Return where in a thread's scratch lie m and sums of dy; and the size of it all, after V and W."""
    m = tiles_size(p, width)[1] if is_fused(p, width) else 0
    bias = m + sums_size(p, width)[1]
    return m, bias, bias + aligned(-(-p[6] // width) * width)


@inlined
def shared_places(p, width):
    """Return where lie a one, the gradients of the chunks or V and W of all tasks, and the threads' parts.

    Behind V and W, where there are many steps, lies the gradient that some of them give.
    """
    one = zeros_of(max(p[3], p[6]), width)
    chunks, of_some = chunks_of(p, width), aligned(taps(p) + p[6])
    gradients = chunks * of_some
    if chunks == 0:
        gradients = tiles_size(p, width)[1] + (of_some if plan(p, width)[2] > OFTEN else 0)
    return one, one + 16, one + 16 + gradients
