"""How busy the machine is with other things (Linux; elsewhere nothing is known, and nothing is said)."""

import os
import time
from pathlib import Path
from typing import NamedTuple

#: CPUs that others may take before a timing is doubtful.
QUIET = 0.1


class Load(NamedTuple):
    """What other processes took of the machine.

    Attributes
    ----------
    cpus : float
        How many CPUs they kept busy, and the host of a virtual machine with them.
    name : str
        The process that took most, "python (process 7839)"; empty where it is not known.
    """

    cpus: float
    name: str


class Watch:
    """Counts from its making on."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._busy, self._own, self._others = _busy(), time.process_time(), _processes()

    def load(self) -> Load:
        """Return what others took since."""
        elapsed = time.perf_counter() - self._start
        busy, own = _busy() - self._busy, time.process_time() - self._own
        now = _processes()
        taken = {pid: ticks - self._others.get(pid, (0, ""))[0] for pid, (ticks, _) in now.items()}
        most = max(taken, key=lambda pid: taken[pid], default=None)
        name = "" if most is None or not taken[most] else f"{now[most][1]} (process {most})"
        return Load(max(0.0, (busy - own) / elapsed), name)


def others(interval: float) -> Load:
    """Return what others take during so many seconds.

    Parameters
    ----------
    interval : float
    """
    watch = Watch()
    time.sleep(interval)
    return watch.load()


def _busy() -> float:
    """Return the seconds that all CPUs have worked for anybody, or were stolen by a host."""
    try:
        fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
    except OSError:
        return 0.0
    user, nice, system, _, _, *interrupts_and_stolen = map(int, fields)
    return sum((user, nice, system, *interrupts_and_stolen)) / os.sysconf("SC_CLK_TCK")


def _processes() -> dict[int, tuple[int, str]]:
    """Return the ticks that each process has worked, and its name, without this process."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            text = (folder / "stat").read_text()
        except OSError:
            continue  # it has ended
        name, fields = text[text.index("(") + 1 : text.rindex(")")], text[text.rindex(")") + 2 :].split()
        if int(folder.name) != os.getpid():
            found[int(folder.name)] = int(fields[11]) + int(fields[12]), name
    return found
