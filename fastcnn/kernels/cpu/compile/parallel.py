"""``parallel(task, n, args)``: run task(0, *args) .. task(n - 1, *args) over the threads.

Numba's ``prange`` compiles the body of its loop four times over (once a wrapper), 0.3 to 3 seconds for each region and
type. Here the body is a compiled function of its own and the package has one ``prange``, in `_launch`, whose body
calls a function through its address. A kernel's own code is a few lines, and one call of a task costs nanoseconds.

A single task runs where it is called, without waking a thread. A task whose second parameter is called ``thread``
gets the number of the thread it runs on, 0 <= thread < NUMBA_NUM_THREADS, and may use that thread's part of the
scratch.

Launches on several threads are timed, and go to one while other work makes that faster (`crowd`).

A forked process may not start threads under GNU OpenMP: Numba would end it. There the tasks run one after the other
(`alone`), which changes no result, since results do not depend on the number of threads.
"""

import ctypes
import inspect

import llvmlite.binding as llvm
from llvmlite import ir
from numba import config, get_num_threads, get_thread_id, njit, prange, types
from numba.core import cgutils
from numba.extending import intrinsic

from fastcnn.kernels.cpu.compile import crowd

_I64 = ir.IntType(64)
_THUNK = ir.FunctionType(ir.VoidType(), [_I64, _I64, _I64])  # (address of the arguments, index of the task, thread)
_ONLY_PRANGE = {"prange": True, "reduction": False, "setitem": False, "numpy": False, "stencil": False,
                "fusion": False, "inplace_binop": False, "comprehension": False}

#: Not 0 where no threads can be started: every launch then runs its tasks one after the other.
alone = ctypes.c_int64(0)
llvm.add_symbol("fastcnn_alone", ctypes.addressof(alone))


@intrinsic
def _is_alone(typingctx):
    """Read `alone`."""
    def codegen(context, builder, signature, args):
        known = builder.module.globals.get("fastcnn_alone")
        return builder.load(known or ir.GlobalVariable(builder.module, _I64, "fastcnn_alone"))

    return types.int64(), codegen


@intrinsic
def _call_at(typingctx, address, arguments, index, thread):
    """Call the thunk at an address."""
    def codegen(context, builder, signature, args):
        builder.call(builder.inttoptr(args[0], _THUNK.as_pointer()), args[1:])
        return context.get_dummy_value()

    return types.void(*[types.intp] * 4), codegen


@intrinsic
def _threads_now(typingctx):
    """Call Numba's function by its name: `numba.get_num_threads` would leave its address in the kernel's cache."""
    def codegen(context, builder, signature, args):
        name = cgutils.get_or_insert_function(builder.module, ir.FunctionType(_I64, []), "get_num_threads")
        return builder.call(name, [])

    return types.intp(), codegen


@njit(parallel=_ONLY_PRANGE, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _launch(address, arguments, tasks, sizes):
    if tasks == 1:
        _call_at(address, arguments, 0, 0)  # outside a parallel region TBB has no number for the thread
    elif _is_alone() != 0 or _threads_now() == 1:
        for index in range(tasks):
            _call_at(address, arguments, index, 0)
    else:
        state, begin = crowd.memory_of_process(), crowd.now()
        if state[crowd.NARROW] != 0:
            for index in range(tasks):
                _call_at(address, arguments, index, 0)
        else:
            for index in prange(tasks):
                _call_at(address, arguments, index, get_thread_id())
        crowd.learn(state, address + 31 * (tasks + 31 * sizes), begin, crowd.now())


@intrinsic
def _parallel(typingctx, task, tasks, args):
    """Emit a thunk that unpacks the arguments and calls `task`, and a call of `_launch` with its address."""
    leading = 2 if _wants_thread(task.dispatcher.py_func) else 1
    task_signature = task.get_call_type(typingctx, (*[types.intp] * leading, *args.types), {})
    launch_signature = types.void(types.intp, types.intp, types.intp, types.intp)
    launch = typingctx.resolve_value_type(_launch)
    launch.get_call_type(typingctx, launch_signature.args, {})

    def codegen(context, builder, signature, values):
        slot = cgutils.alloca_once_value(builder, values[2])
        thunk = ir.Function(builder.module, _THUNK, builder.module.get_unique_name("fastcnn_task"))
        thunk.linkage = "internal"
        inside = ir.IRBuilder(thunk.append_basic_block("entry"))
        given = cgutils.unpack_tuple(inside, inside.load(inside.inttoptr(thunk.args[0], slot.type)))
        unpacked = [_borrowed(context, inside, *pair) for pair in zip(args.types, given, strict=True)]
        for dispatcher, called in ((task.dispatcher, task_signature), (launch.dispatcher, launch_signature)):
            context.add_linking_libs([dispatcher.get_compile_result(called).library])
        # A kernel raises nothing (its error model is NumPy's), so the status of the call need not be read.
        compiled = task.dispatcher.get_compile_result(task_signature)
        values_inside = [*thunk.args[1 : 1 + leading], *unpacked]
        context.call_internal_no_propagate(inside, compiled.fndesc, task_signature, values_inside)
        inside.ret_void()
        context.get_function(launch, launch_signature)(
            builder, [builder.ptrtoint(thunk, _I64), builder.ptrtoint(slot, _I64), values[1],
                      _sizes(context, builder, args, values[2])])
        return context.get_dummy_value()

    return types.void(task, types.intp, args), codegen


def _sizes(context, builder, kind, value):
    """Return a number that tells launches of one task apart, by how many elements the arrays have."""
    found = _I64(0)
    for part, given in zip(kind.types, cgutils.unpack_tuple(builder, value), strict=True):
        if isinstance(part, types.BaseTuple):
            more = _sizes(context, builder, part, given)
        elif isinstance(part, types.Array):
            more = context.make_array(part)(context, builder, given).nitems
        else:
            continue
        found = builder.add(builder.mul(found, _I64(31)), more)
    return found


def _borrowed(context, builder, kind, value):
    """Return arrays, also those in tuples, without an owner: they outlive the launch, and threads count nothing."""
    if isinstance(kind, types.BaseTuple):
        parts = zip(kind.types, cgutils.unpack_tuple(builder, value), strict=True)
        return context.make_tuple(builder, kind, [_borrowed(context, builder, *part) for part in parts])
    if not isinstance(kind, types.Array):
        return value
    array = context.make_array(kind)(context, builder, value)
    array.meminfo, array.parent = (cgutils.get_null_value(field.type) for field in (array.meminfo, array.parent))
    return array._getvalue()


def _wants_thread(task):
    return list(inspect.signature(task).parameters)[1:2] == ["thread"]


def _parallel_in_python(task, tasks, args):
    """As `_parallel`, for NUMBA_DISABLE_JIT: one after the other."""
    for index in range(tasks):
        task(index, *((0,) if _wants_thread(task) else ()), *args)


parallel = _parallel_in_python if config.DISABLE_JIT else _parallel

#: How many threads a launch from here has. Only for ways of cutting work that change no result.
threads_now = get_num_threads if config.DISABLE_JIT else _threads_now
