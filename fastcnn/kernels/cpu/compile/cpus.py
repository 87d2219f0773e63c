"""How many CPUs this process may use: those it may run on, and the quotas of its control groups.

A container whose quota is one CPU of sixty-four still sees sixty-four. With sixty-four threads it would use up its
quota early in each period, and then all threads would stand still until the next one.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


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

    Groups are nested, and the quota of every enclosing group counts. Both versions of control groups may be in use at
    once.

    Parameters
    ----------
    root : Path
        Where ``proc`` and ``sys`` are.
    """
    try:
        mine = dict(_groups((root / "proc/self/cgroup").read_text()))
        mounts = list(_mounts((root / "proc/self/mountinfo").read_text()))
    except (OSError, ValueError):
        return  # no Linux, or one that hides them
    for version, inside, mounted in mounts:
        if version in mine:
            place = root / mounted.lstrip("/")
            for folder in _upwards(place, _within(mine[version], inside)):
                if (quota := _quota(folder, version)) is not None:
                    yield quota


def _groups(text: str) -> Iterator[tuple[int, str]]:
    """Yield version and path of this process's groups that may limit CPUs; a line is number:controllers:path."""
    for line in text.splitlines():
        number, controllers, path = line.split(":", 2)
        if number == "0" and not controllers:
            yield 2, path
        elif "cpu" in controllers.split(","):
            yield 1, path


def _mounts(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield for each tree of groups its version, which group is mounted, and where."""
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        fields, (kind, _, options) = before.split(), after.split()[:3]
        if kind == "cgroup2":
            yield 2, fields[3], fields[4]
        elif kind == "cgroup" and "cpu" in options.split(","):
            yield 1, fields[3], fields[4]


def _within(path: str, inside: str) -> str:
    """Return a group's path below the one that is mounted: in a container the group itself may be."""
    inside = inside.rstrip("/")
    if path == inside or path.startswith(inside + "/"):
        return path[len(inside) :].strip("/")
    return ""


def _upwards(place: Path, below: str) -> Iterator[Path]:
    """Yield a group's folder and those around it, up to where the tree is mounted."""
    parts = [part for part in below.split("/") if part not in ("", "..")]
    for end in range(len(parts), -1, -1):
        yield place.joinpath(*parts[:end])


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
