"""The memory of a process that runs hundreds of files of tests: what they leave goes back to the system.

A model is a circle of references, so its weights stay until garbage is collected, the pool keeps free blocks for the
next step, and the C library keeps what was freed. Each is right for a program, and together they are gigabytes here.
"""

import ctypes
import gc
import resource
import sys
from pathlib import Path

#: Megabytes that a process may grow by before it gives back what nobody uses.
GROWTH = 256

#: Other C libraries than glibc give back by themselves.
_trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
_floor = 0.0


def give_back() -> bool:
    """Give what nobody uses back to the system, if this process has grown since the last time, and return whether."""
    global _floor
    if resident() < _floor + GROWTH:
        return False
    gc.collect()
    if (device := sys.modules.get("fastcnn.device")) is not None:
        device.cpu.release()
    if _trim is not None:
        _trim(0)
    _floor = resident()
    return True


def resident() -> float:
    """Return the megabytes that this process has in memory; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * resource.getpagesize() / 2**20


def peak() -> float:
    """Return the most megabytes that this process has had."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size / (2**20 if sys.platform == "darwin" else 2**10)
