"""Whether other work crowds the CPUs: then launches run on one thread, as long as that is faster.

With other processes on the cores a launch waits for the thread that was sent away in the middle of its tasks, and two
threads may take longer than one. The system could tell how busy it is, but not what that costs. So launches are timed::

    wide      every launch is compared with the least time that it ever took      quiet: nothing is tried
    suspicion a window of launches took SUSPICIOUS times the least                -> probe
    probe     a window on one thread; each launch against its mean on all         less: stay narrow, else go back
    narrow    now and then a window on all threads, the same way                  less: wide again

No result depends on the number of threads, so it may change at any launch. A launch is known by its task, the number of
tasks and the sizes of its arrays. Several Python threads write to one memory: a lost count does no harm.

The memory is int64: STATE fields, then SLOTS records of key, least time, mean on all threads, mean on one.
"""

import ctypes
import os
import sys

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

_I64 = ir.IntType(64)

#: Fields of the state.
NARROW, PROBING, BEGIN, TOOK, EXPECTED, LAUNCHES, NEXT, PAUSE = range(8)
STATE, SLOTS, RECORD = 8, 512, 4
SIZE = STATE + SLOTS * RECORD

WINDOW = 40_000_000  # nanoseconds
SUSPICIOUS = 150  # percent of the least times; on a quiet machine launches take 110 on the whole
FEWEST = 8  # launches of a window that decides
GAIN = 95  # percent of the other's time, below which a way is better
SOON, LATE = 200_000_000, 3_200_000_000  # nanoseconds between two probes: twice as long after each in vain

memory = np.zeros(SIZE, np.int64)
llvm.add_symbol("fastcnn_crowd", memory.ctypes.data)


def _clock() -> int:
    """Return the address of the C library's clock, 0 where there is none or no thread count may follow the machine."""
    if sys.platform == "win32" or os.environ.get("FASTCNN_STEADY_THREADS", "0") != "0":
        return 0
    return ctypes.cast(ctypes.CDLL(None).clock_gettime, ctypes.c_void_p).value or 0


_address = ctypes.c_int64(_clock())
llvm.add_symbol("fastcnn_clock", ctypes.addressof(_address))


def _global(builder, name, kind):
    return builder.module.globals.get(name) or ir.GlobalVariable(builder.module, kind, name)


@intrinsic
def memory_of_process(typingctx):
    """Return a pointer to `memory`."""
    def codegen(context, builder, signature, args):
        return builder.bitcast(_global(builder, "fastcnn_crowd", _I64), _I64.as_pointer())

    return types.CPointer(types.int64)(), codegen


@intrinsic
def now(typingctx):
    """Return nanoseconds of a clock that only runs forward; 0 where there is none."""
    def codegen(context, builder, signature, args):
        time = cgutils.alloca_once(builder, ir.ArrayType(_I64, 2))
        found = cgutils.alloca_once_value(builder, _I64(0))
        address = builder.load(_global(builder, "fastcnn_clock", _I64))
        with builder.if_then(builder.icmp_signed("!=", address, _I64(0))):
            kind = ir.FunctionType(ir.IntType(32), [ir.IntType(32), time.type])
            monotonic = 6 if sys.platform == "darwin" else 1
            builder.call(builder.inttoptr(address, kind.as_pointer()), [ir.IntType(32)(monotonic), time])
            seconds, rest = (builder.load(builder.gep(time, [_I64(0), _I64(k)])) for k in range(2))
            builder.store(builder.add(builder.mul(seconds, _I64(1_000_000_000)), rest), found)
        return builder.load(found)

    return types.int64(), codegen


@njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def learn(state, key, begin, end):
    """Learn from a launch on one thread or on all, as `state` says, from a time to another; 0 is none.

    One function, since each costs a tenth of a second of compiling in every process that compiles.

    Parameters
    ----------
    state : pointer or array
        As `memory`.
    key : int
        What tells one launch from others.
    begin, end : int
    """
    if begin == 0:
        return
    took, narrow = end - begin, state[NARROW]
    at = STATE + (key * 0x61C8864680B583EB >> 40 & SLOTS - 1) * RECORD  # the high bits: the product mixes all into them
    if state[at] != key:
        state[at], state[at + 1], state[at + 2], state[at + 3] = key, took, 0, 0
    mean, other = state[at + 2 + narrow], state[at + 3 - narrow]
    expected = other
    if state[PROBING] == 0:
        if narrow == 0 and took < state[at + 1]:
            state[at + 1] = took
        expected = state[at + 1]
    if expected != 0:
        state[EXPECTED] += expected
        state[TOOK] += took
        state[LAUNCHES] += 1
    state[at + 2 + narrow] = took if mean == 0 else mean + (took - mean >> 2)
    if end - state[BEGIN] <= WINDOW:
        return
    # A window is over: go on in the same way, begin a probe of the other, or end one.
    enough = state[LAUNCHES] >= FEWEST
    if state[PROBING] != 0:
        better = enough and 100 * state[TOOK] < GAIN * state[EXPECTED]
        if not better:
            state[NARROW] = 1 - narrow
        pause = SOON if better else 2 * state[PAUSE]
        pause = SOON if pause < SOON else LATE if pause > LATE else pause
        state[PROBING], state[PAUSE], state[NEXT] = 0, pause, end + pause
    elif enough and end >= state[NEXT] and (narrow == 1 or 100 * state[TOOK] > SUSPICIOUS * state[EXPECTED]):
        state[PROBING], state[NARROW] = 1, 1 - narrow
    state[BEGIN], state[TOOK], state[EXPECTED], state[LAUNCHES] = end, 0, 0, 0
