"""What the machine can do at most: multiply-adds from registers, and bytes from each level of memory.

`fastcnn bench` holds layers against these. They are kernels like the others, through the same compiler and the same
threads, so what they reach is what a kernel of the package could.

Each row of an array is one task. `multiply_add_chain` keeps a block of a row in registers for all its steps; 12
accumulators hide the latency of a multiply-add (4 or 5 cycles, of which up to two begin in each)::

    x row  | block | block | ... rest      registers  v0 v1 ... v11   scale   shift
              |                                       v = v * scale + shift, 12 at a time, `steps` times
    y row  | block | block | ... rest

`triad` and `repeated_copy` walk the whole row again and again: it stays in the level of cache it fits in.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastcnn.kernels.cpu.compile.policy import inlined, kernel, parallel
from fastcnn.kernels.cpu.simd.vectors import Vectors
from fastcnn.kernels.cpu.simd.width import lanes

_I64 = ir.IntType(64)
_ACCUMULATORS = 12


@kernel
def multiply_add_chain(y, x, scale, shift, steps):
    """y = f(f(...f(x))), `steps` times f(v) = v * scale + shift; a row is a task.

    Parameters
    ----------
    y : (T, L) float array
        Written.
    x : (T, L) array of its type
    scale, shift : float of its type
    steps : int
    """
    parallel(_chain_row, y.shape[0], (y, x, scale, shift, steps))


@inlined
def _chain_row(row, y, x, scale, shift, steps):
    to, of = y[row], x[row]
    block = _block(y)
    whole = to.size // block * block
    for begin in range(0, whole, block):
        _chain(to, of, begin, scale, shift, steps)
    for i in range(whole, to.size):
        value = of[i]
        for _ in range(steps):
            value = value * scale + shift
        to[i] = value


@kernel
def triad(y, a, b, scale, repeats):
    """y = a + scale * b, written `repeats` times (at least once); a row is a task.

    Parameters
    ----------
    y : (T, L) float array
        Written.
    a, b : (T, L) arrays of its type
    scale : float of its type
    repeats : int
    """
    parallel(_triad_row, y.shape[0], (y, a, b, scale, repeats))


@inlined
def _triad_row(row, y, a, b, scale, repeats):
    to, one, other = y[row], a[row], b[row]
    for _ in range(repeats):
        for i in range(to.size):
            to[i] = one[i] + scale * other[i]


@kernel
def repeated_copy(y, x, repeats):
    """y = x, copied `repeats` times (at least once); a row is a task.

    Parameters
    ----------
    y : (T, L) float array
        Written.
    x : (T, L) array of its type
    repeats : int
    """
    parallel(_copy_row, y.shape[0], (y, x, repeats))


@inlined
def _copy_row(row, y, x, repeats):
    to, of = y[row], x[row]
    for _ in range(repeats):
        for i in range(to.size):
            to[i] = of[i]


# --- vectors ----------------------------------------------------------------------------------------------------------


@intrinsic
def _block(typingctx, y):
    """Return how many elements one block of accumulators holds."""
    def codegen(context, builder, signature, args):
        return _I64(_ACCUMULATORS * lanes(y.dtype))

    return types.intp(y), codegen


@intrinsic
def _chain(typingctx, y, x, at, scale, shift, steps):
    """Take one block through all steps."""
    signature = types.void(y, x, types.intp, y.dtype, y.dtype, types.intp)

    def codegen(context, builder, sig, args):
        v = Vectors(builder, y.dtype)
        to, of = (builder.gep(context.make_array(sig.args[k])(context, builder, args[k]).data, [args[2]])
                  for k in range(2))
        factor, summand = v.broadcast(args[3]), v.broadcast(args[4])
        slots = v.slots(_ACCUMULATORS, v.zero)
        for u, slot in enumerate(slots):
            builder.store(v.load(of, u), slot)
        with cgutils.for_range(builder, args[5]):
            for slot in slots:
                builder.store(v.fmuladd(builder.load(slot), factor, summand), slot)
        for u, slot in enumerate(slots):
            v.store(builder.load(slot), to, u)
        return context.get_dummy_value()

    return signature, codegen
