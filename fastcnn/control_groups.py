"""The control groups of Linux that this process is in: containers and services set limits by them."""

from collections.abc import Iterator
from pathlib import Path


def folders(controller: str, root: Path = Path("/")) -> Iterator[tuple[int, Path]]:
    """Yield the version and the folder of each group that may limit this process, the innermost of a tree first.

    Groups are nested, and every enclosing one has a say. Both versions of control groups may be in use at once.

    Parameters
    ----------
    controller : str
        What limits: "cpu", "memory".
    root : Path
        Where ``proc`` and ``sys`` are.
    """
    try:
        mine = dict(_groups((root / "proc/self/cgroup").read_text(), controller))
        mounts = list(_mounts((root / "proc/self/mountinfo").read_text(), controller))
    except (OSError, ValueError):
        return  # no Linux, or one that hides them
    for version, inside, mounted in mounts:
        if version in mine:
            place = root / mounted.lstrip("/")
            for folder in _upwards(place, _within(mine[version], inside)):
                yield version, folder


def _groups(text: str, controller: str) -> Iterator[tuple[int, str]]:
    """Yield version and path of this process's groups that may set limits; a line is number:controllers:path."""
    for line in text.splitlines():
        number, controllers, path = line.split(":", 2)
        if number == "0" and not controllers:
            yield 2, path
        elif controller in controllers.split(","):
            yield 1, path


def _mounts(text: str, controller: str) -> Iterator[tuple[int, str, str]]:
    """Yield for each tree of groups its version, which group is mounted, and where."""
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        fields, (kind, _, options) = before.split(), after.split()[:3]
        if kind == "cgroup2":
            yield 2, fields[3], fields[4]
        elif kind == "cgroup" and controller in options.split(","):
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
