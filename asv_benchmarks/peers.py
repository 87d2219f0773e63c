"""fastcnn beside PyTorch: ``python asv_benchmarks/peers.py [NAME ...] [--rounds N] [--json]``.

A ratio above 1 says that fastcnn is faster. Each side runs in a process of its own: the environment of PyTorch's is
this one's, with nothing set in it, and neither sees the other's libraries (with Numba imported they would share
OpenMP). The two are timed in turn, round by round, changing who begins; a round gives the median seconds of a call of
either side and their ratio, and the table tells the medians of all rounds. Before anything is timed both do the same
work from the same numbers; their results must agree to the tolerance that the table names, else the comparison stops.

Run it on a machine that does nothing else: PyTorch's threads wait spinning, and suffer more than fastcnn's from every
other process, so that a busy machine flatters fastcnn.

A NAME is a work's or a part of it between dots: lenet5, forward, vgg16, gradients.resnet50.conv2_2; --list shows all.
"""

import argparse
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

if __name__ == "__main__":  # asv imports this file as a part of the package; a script is none yet
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from asv_benchmarks import peer_fastcnn, peer_torch
from asv_benchmarks.peer_works import DEFAULT, WORKS, Work, select

SIDES = {"fastcnn": peer_fastcnn, "torch": peer_torch}
_PAUSE = 0.05  # seconds between two timings, in which the other side's threads stop to spin


# --- a side's process -------------------------------------------------------------------------------------------------


def work_for_parent(side: str) -> None:
    """Obey the lines of JSON on standard input, and answer each with one on standard output."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    module, job = SIDES[side], None
    for line in sys.stdin:
        order = json.loads(line)
        if "about" in order:
            answer: Any = module.about()
        elif "make" in order:
            work = WORKS[order["make"]]
            job = getattr(module, work.kind)(work.of)
            np.savez(order["results"], **job.check())
            answer = "made"
        else:
            answer = statistics.median(_timed(job.run, order["seconds"]))
        print(json.dumps(answer), file=answers, flush=True)


def _timed(run: Any, seconds: float) -> list[float]:
    """Return the seconds of single calls: at least three, after two that are not counted."""
    run()
    run()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return times


# --- this process -----------------------------------------------------------------------------------------------------


class Side:
    """The process of one side."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.process = subprocess.Popen([sys.executable, __file__, "--worker", name], text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)

    def ask(self, **order: Any) -> Any:
        """Send an order and return the answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            _stop(f"the process of {self.name} ended; what it said stands above")
        return json.loads(line)


@contextmanager
def both_sides() -> Iterator[dict[str, Side]]:
    """Start the processes, and end them whatever happens."""
    sides = {name: Side(name) for name in SIDES}
    try:
        yield sides
    finally:
        for side in sides.values():
            side.process.kill()
            side.process.wait()


def _stop(message: str) -> NoReturn:
    sys.exit(f"peers.py: {message}")


def agree(sides: dict[str, Side], work: Work, folder: Path) -> float:
    """Let both make the job, and return by how much their results differ, relative to the largest; stop if too much."""
    results = {}
    for name, side in sides.items():
        side.ask(make=work.name, results=str(folder / f"{name}.npz"))
        with np.load(folder / f"{name}.npz") as file:
            results[name] = dict(file)
    worst = 0.0
    for name, peers in results["torch"].items():
        own = results["fastcnn"][name]
        if own.shape != peers.shape:
            _stop(f"{work.name}: expected {name} of PyTorch's shape {peers.shape}, got {own.shape}")
        difference = np.abs(own.astype(np.float64) - peers).max() / max(1e-30, np.abs(peers).max())
        if not difference <= work.tolerance:
            _stop(f"{work.name}: {name} differs from PyTorch's by {difference:.1e} of the largest, where "
                  f"{work.tolerance:.0e} is allowed: a comparison of times would mean nothing")
        worst = max(worst, float(difference))
    return worst


def compare(sides: dict[str, Side], work: Work, rounds: int, seconds: float) -> dict[str, Any]:
    """Return the row of one work: medians of both sides in seconds, and the ratio of each round."""
    with tempfile.TemporaryDirectory() as folder:
        difference = agree(sides, work, Path(folder))
    times: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds):
        for name in sorted(sides, reverse=bool(number % 2)):
            time.sleep(_PAUSE)
            times[name].append(sides[name].ask(seconds=seconds))
    ratios = [peer / own for own, peer in zip(times["fastcnn"], times["torch"], strict=True)]
    ratio = statistics.median(ratios)
    return {"name": work.name, "what": work.what, "fastcnn": statistics.median(times["fastcnn"]),
            "torch": statistics.median(times["torch"]), "ratio": ratio, "ratios": ratios, "goal": work.goal,
            "reached": None if work.goal is None else ratio >= work.goal,
            "difference": difference, "tolerance": work.tolerance}


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} CPUs"


def _load() -> str:
    """Return a warning if other processes were busy in the last minute, else nothing."""
    try:
        load = os.getloadavg()[0]
    except (AttributeError, OSError):  # not on Windows
        return ""
    return f"the machine is busy (load {load:.1f}): the ratios flatter fastcnn" if load > 0.5 else ""


def _line(row: dict[str, Any]) -> str:
    goal = "" if row["goal"] is None else f"{row['goal']:.2f} {'reached' if row['reached'] else 'missed'}"
    own, peer = (f"{1e3 * row[side]:.3f} ms" for side in SIDES)
    spread = f"{min(row['ratios']):.2f}-{max(row['ratios']):.2f}"
    return (f"{row['what']:<46}{own:>12}{peer:>12}{row['ratio']:>8.2f}  {spread:<12}{goal:<14}"
            f"{row['difference']:.0e} of {row['tolerance']:.0e}")


def main() -> None:
    """Parse the command line, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--rounds", type=int, default=7, help="timings of each (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=0.3, help="of one timing (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object, times in seconds")
    parser.add_argument("--list", action="store_true", help="print the names of all works")
    parser.add_argument("--worker", choices=SIDES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        return work_for_parent(given.worker)
    if given.list:
        return print("\n".join(WORKS))
    try:
        works = select(given.names or list(DEFAULT))
    except ValueError as error:
        parser.error(str(error))
    if given.rounds < 1:
        parser.error(f"expected at least one round, got {given.rounds}")
    if importlib.util.find_spec("torch") is None:
        _stop('PyTorch, the peer, is not installed; get it with: pip install "fastcnn[judges]"')
    with both_sides() as sides:
        about = {"cpu": _cpu()} | {name: side.ask(about=True) for name, side in sides.items()} | {"load": _load()}
        if not given.json:
            print("\n".join(filter(None, about.values())))
            print(f"medians of {given.rounds} rounds; a ratio above 1 says that fastcnn is faster\n")
            print(f"{'work':<46}{'fastcnn':>12}{'PyTorch':>12}{'ratio':>8}  {'rounds':<12}{'goal':<14}difference")
        rows = []
        for work in works:
            rows.append(compare(sides, work, given.rounds, given.seconds))
            if not given.json:
                print(_line(rows[-1]), flush=True)
        if given.json:
            print(json.dumps(about | {"rounds": given.rounds, "works": rows}, indent=1))
    return None


if __name__ == "__main__":
    main()
