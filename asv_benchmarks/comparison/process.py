"""The processes of peers.py: one a side, that make works and time them when they are told to.

An order is a line of JSON on a process's standard input, its answer one on its standard output. The environment of a
peer's process is this one's, with nothing set in it; `one_core` is an order, not a variable.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from asv_benchmarks.comparison.sides import ROOT
from asv_benchmarks.comparison.works import WORKS

# --- a side's process -------------------------------------------------------------------------------------------------


def work_for_parent(side: str) -> None:
    """Obey the lines of JSON on standard input, and answer each with one on standard output."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    module, job, clock = import_module(f"asv_benchmarks.comparison.by_{side}"), None, time.perf_counter
    for line in sys.stdin:
        order = json.loads(line)
        if "about" in order:
            answer: Any = module.about()
        elif "no_bf16" in order:
            answer = module.no_bf16()
        elif "one_core" in order:
            module.use_one_thread()
            clock = time.process_time
            answer = "one thread"
        elif "make" in order:
            work = WORKS[order["make"]]
            job = None  # before the next takes its memory
            job = getattr(module, work.kind)(work.of)
            np.savez(order["results"], **job.check())
            answer = "made"
        else:
            assert job is not None
            answer = _timing(job.run, order["seconds"], clock)
        print(json.dumps(answer), file=answers, flush=True)


def _timing(run: Callable[[], Any], seconds: float, clock: Callable[[], float]) -> dict[str, float]:
    """Return the median seconds of a call, and how many CPUs other processes took meanwhile."""
    busy, own, start = busy_seconds(), time.process_time(), time.perf_counter()
    median = statistics.median(_timed(run, seconds, clock))
    taken = busy_seconds() - busy - (time.process_time() - own)
    return {"median": median, "others": max(0.0, taken / (time.perf_counter() - start))}


def _timed(run: Callable[[], Any], seconds: float, clock: Callable[[], float]) -> list[float]:
    """Return the times of single calls for so many seconds, after one or two that are not counted."""
    begin = time.perf_counter()
    run()
    long = time.perf_counter() - begin > seconds / 2
    if not long:
        run()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < (1 if long else 3) or time.perf_counter() < end:
        start = clock()
        run()
        times.append(clock() - start)
    return times


def busy_seconds() -> float:
    """Return the seconds that all CPUs have worked for anybody since the machine was started; 0 where nobody counts."""
    try:
        user, nice, system, _, _, *interrupts_and_stolen = Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
        return sum(map(int, (user, nice, system, *interrupts_and_stolen))) / os.sysconf("SC_CLK_TCK")
    except OSError:
        return 0.0


def resident(field: str = "VmRSS") -> int:
    """Return the bytes of this process that are in memory, or with "VmHWM" were at most (Linux).

    Not getrusage's, which a process inherits from the one that started it.
    """
    told = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return 1024 * int(told[field].split()[0])


# --- this process -----------------------------------------------------------------------------------------------------


class Side:
    """The process of one side."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.process = subprocess.Popen([sys.executable, str(ROOT / "asv_benchmarks" / "peers.py"), "--worker", name],
                                        text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, **order: Any) -> Any:
        """Send an order and return the answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            stop(f"the process of {self.name} ended; what it said stands above")
        return json.loads(line)


@contextmanager
def all_sides(names: Iterable[str]) -> Iterator[dict[str, Side]]:
    """Start the processes of some sides, and end them whatever happens."""
    sides = {name: Side(name) for name in names}
    try:
        yield sides
    finally:
        for side in sides.values():
            side.process.kill()
            side.process.wait()


def stop(message: str) -> NoReturn:
    """End with a sentence and exit code 1."""
    sys.exit(f"peers.py: {message}")
