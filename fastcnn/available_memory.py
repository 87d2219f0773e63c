"""How much memory this process may still take: what the system has left, within the limits of its control groups."""

import os
from collections.abc import Iterator
from pathlib import Path

from fastcnn import control_groups

_FILES = {1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
          2: ("memory.max", "memory.current", "inactive_file")}


def available_memory(root: Path = Path("/")) -> int | None:
    """Return the bytes that can be taken without anything being written to a disk for them; None if nothing tells.

    Where a system tells its whole memory alone, that is the number.

    Parameters
    ----------
    root : Path
        Where ``proc`` and ``sys`` are.
    """
    found = [*_of_system(root), *_of_groups(root)]
    return max(0, min(found)) if found else None


def _of_system(root: Path) -> Iterator[int]:
    try:
        lines = (root / "proc/meminfo").read_text().splitlines()
        yield 1024 * next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError, IndexError, StopIteration):  # no Linux
        if "SC_PHYS_PAGES" in getattr(os, "sysconf_names", ()):
            yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _of_groups(root: Path) -> Iterator[int]:
    for version, folder in control_groups.folders("memory", root):
        limit, usage, cached = _FILES[version]
        try:
            most = int((folder / limit).read_text())  # "max": there is none
            used = int((folder / usage).read_text())
            told = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        except (OSError, ValueError):
            continue
        yield most - used + int(told.get(cached, 0))  # what was read from files gives way
