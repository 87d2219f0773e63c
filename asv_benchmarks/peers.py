"""fastcnn beside PyTorch: ``python asv_benchmarks/peers.py [NAME ...] [--rounds N] [--json]``.

A ratio above 1 says that fastcnn is faster. Each side runs in a process of its own: the environment of PyTorch's is
this one's, with nothing set in it, and neither sees the other's libraries (with Numba imported they would share
OpenMP). The two are timed in turn, round by round, changing who begins; a round gives the median seconds of a call of
either side and their ratio, and the table tells the medians of all rounds. Before anything is timed both do the same
work from the same numbers; their results must agree to the tolerance that the table names, else the comparison stops.

A machine that is busy with other things flatters fastcnn, since PyTorch's threads wait spinning and suffer more. On
Linux a round in which other processes took more than a tenth of a CPU is therefore timed again, while --patience lasts;
then the quietest rounds are taken, the column "others" tells how many CPUs they lost at worst, and whether a goal is
reached is unsure.

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
_QUIET = 0.1  # CPUs that others may take in a round
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
            busy, own, start = _busy_seconds(), time.process_time(), time.perf_counter()
            median = statistics.median(_timed(job.run, order["seconds"]))
            taken = _busy_seconds() - busy - (time.process_time() - own)
            answer = {"median": median, "others": max(0.0, taken / (time.perf_counter() - start))}
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


def _busy_seconds() -> float:
    """Return the seconds that all CPUs have worked for anybody since the machine was started; 0 where nobody counts."""
    try:
        user, nice, system, _, _, *interrupts_and_stolen = Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
        return sum(map(int, (user, nice, system, *interrupts_and_stolen))) / os.sysconf("SC_CLK_TCK")
    except OSError:
        return 0.0


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


def quiet_rounds(sides: dict[str, Side], rounds: int, seconds: float, patience: float) -> list[dict[str, float]]:
    """Return rounds, each the median seconds of either side and the CPUs that others took, as undisturbed as can be."""
    found: list[dict[str, float]] = []
    end = time.perf_counter() + patience
    while len(found) < rounds or (sum(r["others"] <= _QUIET for r in found) < rounds and time.perf_counter() < end):
        one = {"others": 0.0}
        for name in sorted(sides, reverse=bool(len(found) % 2)):
            time.sleep(_PAUSE)
            timing = sides[name].ask(seconds=seconds)
            one |= {name: timing["median"], "others": max(one["others"], timing["others"])}
        found.append(one)
    return sorted(found, key=lambda r: r["others"])[:rounds]


def compare(sides: dict[str, Side], work: Work, rounds: int, seconds: float, patience: float) -> dict[str, Any]:
    """Return the row of one work: medians of both sides in seconds, and the ratio of each round."""
    with tempfile.TemporaryDirectory() as folder:
        difference = agree(sides, work, Path(folder))
    quiet = quiet_rounds(sides, rounds, seconds, patience)
    ratios = [one["torch"] / one["fastcnn"] for one in quiet]
    ratio = statistics.median(ratios)
    others = quiet[-1]["others"]
    reached = None if work.goal is None or others > _QUIET else ratio >= work.goal
    return {"name": work.name, "what": work.what, "ratio": ratio, "ratios": ratios, "goal": work.goal,
            "reached": reached, "others": others, "difference": difference, "tolerance": work.tolerance,
            } | {name: statistics.median(one[name] for one in quiet) for name in sides}


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} CPUs"


def _line(row: dict[str, Any]) -> str:
    verdict = {True: "reached", False: "missed", None: "unsure"}[row["reached"]]
    goal = "" if row["goal"] is None else f"{row['goal']:.2f} {verdict}"
    own, peer = (f"{1e3 * row[side]:.3f} ms" for side in SIDES)
    spread = f"{min(row['ratios']):.2f}-{max(row['ratios']):.2f}"
    return (f"{row['what']:<46}{own:>12}{peer:>12}{row['ratio']:>8.2f}  {spread:<12}{goal:<14}"
            f"{row['others']:>6.2f}    {row['difference']:.0e} of {row['tolerance']:.0e}")


def main() -> None:
    """Parse the command line, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--rounds", type=int, default=7, help="timings of each (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=0.3, help="of one timing (default: %(default)s)")
    parser.add_argument("--patience", type=float, default=20.0, metavar="SECONDS",
                        help="how long to look for quiet rounds of one work (default: %(default)s)")
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
        about = {"cpu": _cpu()} | {name: side.ask(about=True) for name, side in sides.items()}
        if not given.json:
            print("\n".join(about.values()))
            print(f"medians of {given.rounds} rounds; a ratio above 1 says that fastcnn is faster\n")
            print(f"{'work':<46}{'fastcnn':>12}{'PyTorch':>12}{'ratio':>8}  "
                  f"{'rounds':<12}{'goal':<14}others    difference")
        rows = []
        for work in works:
            rows.append(compare(sides, work, given.rounds, given.seconds, given.patience))
            if not given.json:
                print(_line(rows[-1]), flush=True)
        if given.json:
            print(json.dumps(about | {"rounds": given.rounds, "works": rows}, indent=1))
    return None


if __name__ == "__main__":
    main()
