"""How many CPUs this process may use: those it may run on, and the quotas of its control groups.

A container whose quota is one CPU of sixty-four still sees sixty-four. With sixty-four threads it would use up its
quota early in each period, and then all threads would stand still until the next one.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from fastcnn import control_groups


class Usable(NamedTuple):
    """What a process may use.

    Attributes
    ----------
    cpus : float
        A quota may be a fraction.
    limit : str
        What it comes from, in words.
    """

    cpus: float
    limit: str

    @property
    def threads(self) -> int:
        """How many threads can run all the time: whole CPUs, but at least one."""
        return max(1, int(self.cpus))


def usable(root: Path = Path("/")) -> Usable:
    """Return what this process may use, and which limit holds: the least of them.

    Parameters
    ----------
    root : Path
        Where ``proc`` and ``sys`` are.
    """
    total = os.cpu_count() or 1
    found = [Usable(total, "as many as there are")]
    if hasattr(os, "sched_getaffinity") and (bound := len(os.sched_getaffinity(0))) < total:
        found.append(Usable(bound, "as many as the process is bound to"))
    found += [Usable(cpus, f"a quota of {cpus:g} in {file}") for file, cpus in quotas(root)]
    return min(found, key=lambda one: one.cpus)


def quotas(root: Path = Path("/")) -> Iterator[tuple[Path, float]]:
    """Yield each quota that holds for this process, as the file that says so and a number of CPUs.

    Parameters
    ----------
    root : Path
        Where ``proc`` and ``sys`` are.
    """
    for version, folder in control_groups.folders("cpu", root):
        if (quota := _quota(folder, version)) is not None:
            yield quota


def _quota(folder: Path, version: int) -> tuple[Path, float] | None:
    """Return the file of a group's quota and the CPUs it allows; None if it sets none."""
    file = folder / ("cpu.max" if version == 2 else "cpu.cfs_quota_us")
    try:
        if version == 2:
            quota, period = file.read_text().split()
        else:
            quota, period = file.read_text().strip(), (folder / "cpu.cfs_period_us").read_text()
        return (file, int(quota) / int(period)) if quota != "max" and int(quota) > 0 and int(period) > 0 else None
    except (OSError, ValueError):
        return None
