"""Kernels that other processes compile, while this one compiles those that it needs first.

Numba compiles one function at a time in a process, and a first prediction or training wants ten or twenty of them. So
whoever begins one says so (`expect`). If a kernel is then missing in the cache, further processes start, one for each
further thread up to three. They are told what is to be done, find out which kernels that takes, and compile those that
nobody has claimed (`claims`), the largest first. The first of them tells which they are. This process compiles others
while it waits for one of theirs::

    this process    import, conv forward ......, batch norm, loss, optimizer, conv backward (a file by now), ...
    a second one              import, gradient of weights ......., conv backward .........., end

That takes a little more computing, and little more than half of the time on two cores. FASTCNN_COMPILE_AHEAD=0, or one
thread, forbids it.
"""

import base64
import contextlib
import json
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from numba import config

from fastcnn.available_memory import available_memory
from fastcnn.formats.locks import FileLock
from fastcnn.kernels.cpu.compile import cache, claims
from fastcnn.kernels.cpu.compile.policy import registry

_MOST = 3  # processes
_MEMORY = 1 << 29  # bytes that are to be left for each: one that compiled all of ResNet-50's prediction took 475 MB
_ROOT = Path(__file__).parents[4]  # where the package lies
_TELLS = b"kernels: "  # begins the line of a process that names kernels; another line is of what ran there besides
# What a process is told is more than arguments hold. Its modules are found where this process found its own.
_SCRIPT = ("import json, sys; told = json.load(sys.stdin); sys.path[:] = told['path']; "
           "from importlib import import_module; import_module(told['module']).work(told)")

Describe = Callable[[], dict[str, Any] | None]

#: A kernel, and Numba's types of its arguments.
Kernel = tuple[Any, tuple[Any, ...]]

_expected: Describe | None = None
_wanted: list[Kernel] = []  # what the other processes compile, and this one while it waits for them


def expect(describe: Describe) -> None:
    """Tell what this process begins.

    Parameters
    ----------
    describe : callable
        Is called if a kernel is missing. It returns what JSON can hold, among it ``module``, whose ``work`` gets all of
        it in another process; None if nobody else can find out which kernels that takes.
    """
    global _expected
    _expected = describe


def processes() -> int:
    """Return how many further processes may compile."""
    # A process inherits a lock nowhere else. An interpreter within another program has that one's name, or none.
    may_be = os.name == "posix" and "py" in Path(sys.executable or "").name
    if not may_be or os.environ.get("FASTCNN_COMPILE_AHEAD", "1") == "0":
        return 0
    return min(_MOST, config.NUMBA_NUM_THREADS - 1)


def begin() -> None:
    """Start the processes that compile what is expected, if something is. A kernel is missing."""
    global _expected
    describe, _expected = _expected, None
    count = 0 if describe is None else processes()
    if count and (left := available_memory()) is not None:
        count = min(count, left // _MEMORY)
    if describe is None or not count or (told := describe()) is None:
        return
    task = json.dumps(told | {"path": _path(), "parent": os.getpid()}).encode()
    heard = list[bytes]()
    # No memory, no more processes or threads, an interpreter that ends, a folder that cannot be written: all is
    # compiled here.
    with contextlib.suppress(OSError, RuntimeError):
        for number in range(count):
            if (process := _started(number)) is not None:
                _follow(process, task, heard)


def _path() -> list[str]:
    """Return where a process finds its modules: in folders of this one that stay the same when the working one changes.

    There a file of the user's might have the name of a module that this process has imported from elsewhere.
    """
    return [*(entry for entry in sys.path if isinstance(entry, str) and os.path.isabs(entry)), str(_ROOT)]


def _started(number: int) -> "subprocess.Popen[bytes] | None":
    """Start a process, unless somebody else's of this number compiles for the same cache."""
    cache.folder().mkdir(parents=True, exist_ok=True)
    lock = FileLock(cache.folder() / f"ahead-{number}.lock")
    if not lock.take():
        return None
    environment = os.environ | {"FASTCNN_COMPILE_AHEAD": "0", "FASTCNN_DEVICE": "cpu", "NUMBA_NUM_THREADS": "1"}
    with lock.hand_over() as held:
        # Without -P a file of the user's in the working folder would be taken for the module json.
        return subprocess.Popen([sys.executable, "-P", "-c", _SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, env=environment, pass_fds=[held.fileno()])


def _follow(process: "subprocess.Popen[bytes]", task: bytes, heard: list[bytes]) -> None:
    """Let a thread accompany a process, so that nobody waits for it, and it goes from the system's table at its end."""
    try:
        threading.Thread(target=_accompany, args=(process, task, heard), daemon=True).start()
    except RuntimeError:
        process.kill()
        process.communicate()
        raise


def _accompany(process: "subprocess.Popen[bytes]", task: bytes, heard: list[bytes]) -> None:
    """Tell a process its task, note which kernels it names if nobody was heard before, and wait for its end."""
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(OSError), process.stdin as pipe:  # it may have ended
        pipe.write(task)
    with process.stdout as lines:
        for line in lines:
            if not heard and line.startswith(_TELLS):
                heard.append(line)
                _wanted[:0] = _named(line)
    process.wait()


def _named(line: bytes) -> list[Kernel]:
    """Return the kernels that a line tells of: none if the process was killed half-way, or is of another fastcnn."""
    try:
        return [(registry[name], types) for name, types in pickle.loads(base64.b64decode(line[len(_TELLS):]))]
    except Exception:
        return []


def compile_missing(wanted: Iterable[Kernel], parent: int) -> None:
    """Tell the process that has started this one which kernels it is to compile, and compile them.

    Parameters
    ----------
    wanted : iterable of (kernel, Numba types of its arguments)
        In the order in which that process needs them.
    parent : int
        Its number. When it has ended, nobody needs them.
    """
    # The largest first; of equals, what is needed last.
    _wanted[:] = sorted(wanted, key=lambda one: _size(one[0]))
    told = [(cache.name_of(kernel.py_func), types) for kernel, types in _wanted]
    print(_TELLS.decode() + base64.b64encode(pickle.dumps(told)).decode(), flush=True)
    while os.getppid() == parent and compile_another():
        pass


def compile_another() -> bool:
    """Compile a kernel that is expected, in no file, and claimed by nobody; return whether there is a new file."""
    while _wanted:
        kernel, types = _wanted.pop()
        path = kernel._cache.path_of(types, kernel.targetctx)
        if not path.exists() and not claims.is_claimed(path):
            kernel.compile(types)
            return bool(path.exists())  # a folder that is full takes no other one either
    return False


def _size(kernel: Any) -> int:
    """Return the number of files that a kernel is made of: the time to compile it grows with that."""
    return len(cache.sources(Path(kernel.py_func.__code__.co_filename).resolve()))


cache.hooks |= {"missed": begin, "meanwhile": compile_another}
