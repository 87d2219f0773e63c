"""fastcnn beside others: ``python asv_benchmarks/peers.py [NAME ...] [--quick] [--one-core] ...``.

Prints a line for each work, then the goals beside what was reached. A ratio above 1 says that fastcnn is faster. A NAME
is a goal's, a work's or a part of one between dots: lenet5, forward, vgg16, gradients.resnet50.conv2_2.b8; --list shows
all; without names everything is measured, which takes most of an hour, and a quarter of it with --quick. --json prints
one object.

Each side runs in a process of its own: the environment of a peer's is this one's, with nothing set in it, and neither
sees the other's libraries (with Numba imported they would share OpenMP). The two are timed in turn, round by round,
changing who begins; a round gives the median seconds of a call of either side and their ratio, and the table tells the
medians of all rounds. Before anything is timed both do the same work from the same numbers; their results must agree to
the tolerance that the table names, else the comparison stops.

A machine that is busy with other things flatters fastcnn, since PyTorch's threads wait spinning and suffer more. On
Linux a round in which other processes took more than a tenth of a CPU is therefore timed again, while --patience lasts;
then the quietest rounds are taken, the column "others" tells how many CPUs they lost at worst, and whether a goal is
reached is unsure. --one-core gives each side one thread and counts the CPU's time instead of the clock's: ratios that
a busy machine can give, of another question than most goals ask.

bf16 is compared where the CPU has a unit for it, and torch.compile where a compiler of C++ is installed; else those
works are skipped, and it is said why. --emulate compares bf16 without a unit, too.
"""

import argparse
import importlib.util
import json
import os
import platform
import shutil
import sys
import time
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # asv imports this file as a part of the package; a script is none yet
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from asv_benchmarks.comparison import alone
from asv_benchmarks.comparison.goals import select, summaries
from asv_benchmarks.comparison.process import Side, all_sides, stop, work_for_parent
from asv_benchmarks.comparison.rounds import compare
from asv_benchmarks.comparison.sides import ITSELF, NAMES, PEERS
from asv_benchmarks.comparison.works import ALONE, WORKS


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} CPUs"


def _line(row: dict[str, Any]) -> str:
    own, peer = (f"{1e3 * row[side]:.3f} ms" for side in ("fastcnn", row["peer"]))
    spread = f"{min(row['ratios']):.2f}-{max(row['ratios']):.2f}"
    return (f"{row['name']:<48}{own:>12}{peer:>12}{row['ratio']:>8.2f}  {spread:<12}"
            f"{row['others']:>6.2f}    {row['difference']:.0e} of {row['tolerance']:.0e}")


def _goal_line(row: dict[str, Any], one_core: bool) -> str:
    wanted = f"{row['goal']:.2f}" + (f", none under {row['least_goal']:.2f}" if row["least_goal"] else "")
    verdict = {True: "reached", False: "missed", None: "one core" if one_core else "unsure"}[row["reached"]]
    if not row["whole"]:
        verdict = "in part"
    least = f"{row['least']:.2f} {row['least_work']}" if row["works"] > 1 else ""
    return f"{row['what']:<52}{wanted:<22}{row['mean']:>6.2f}  {verdict:<10}{row['works']:>4}   {least}"


def _missing(sides: dict[str, Side], given: argparse.Namespace) -> dict[str, str]:
    """Return what a work of those given may need and this machine lacks, with the reason in words."""
    found = {}
    if any("bf16" in work.needs for work in given.works) and not given.emulate:
        reason = sides["fastcnn"].ask(no_bf16=True)
        if reason is not None:
            found["bf16"] = f"no unit for bfloat16 here ({reason}); --emulate compares without"
    if not any(map(shutil.which, ("c++", "g++", "clang++"))):
        found["compiler"] = "torch.compile needs a compiler of C++, and none is installed"
    return found


def main() -> None:
    """Parse the command line, compare, print."""
    given = _parsed()
    if given.worker:
        return work_for_parent(given.worker)
    if given.list:
        return print("\n".join([*WORKS, *ALONE]))
    begin, rows, about = time.perf_counter(), [], {"cpu": _cpu()}
    skipped: dict[str, str] = {}
    if given.works:
        with all_sides(dict.fromkeys(["fastcnn", *(work.peer for work in given.works)])) as sides:
            if given.one_core:
                about["mode"] = "one core: each side with one thread, times are the CPU's, not the goals' two threads"
                for side in sides.values():
                    side.ask(one_core=True)
            about |= {name: side.ask(about=True) for name, side in sides.items()}
            if not given.json:
                print("\n".join(about.values()))
                print(f"medians of {given.rounds} rounds; a ratio above 1 says that fastcnn is faster\n")
                print(f"{'work':<48}{'fastcnn':>12}{'peer':>12}{'ratio':>8}  {'rounds':<12}others    difference")
            missing = _missing(sides, given)
            for work in given.works:
                why = [missing[what] for what in sorted(work.needs) if what in missing]
                if why:
                    skipped[work.name] = why[0]
                    continue
                rows.append(compare(sides, work, given))
                if not given.json:
                    print(_line(rows[-1]), flush=True)
    for name in given.alone:
        rows.append(alone.measure(name, given.one_core))
        if not given.json:
            print(f"{name:<48}{rows[-1]['words']}", flush=True)
    if not given.json:
        for why in dict.fromkeys(skipped.values()):
            names = [name for name, other in skipped.items() if other == why]
            print(f"\nskipped: {names[0]}{f' and {len(names) - 1} more' * (len(names) > 1)}: {why}")
    goals, seconds = summaries(rows, given.one_core), time.perf_counter() - begin
    if given.json:
        return print(json.dumps(about | {"one_core": given.one_core, "rounds": given.rounds, "seconds": seconds,
                                         "works": rows, "skipped": skipped, "goals": goals}, indent=1))
    if goals:
        what = "goal (one core each)" if given.one_core else "goal"
        print(f"\n{what:<52}{'wanted':<22}reached{'works':>15}   least")
        print("\n".join(_goal_line(goal, given.one_core) for goal in goals))
    return print(f"\n{seconds:.0f} seconds in all")


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--rounds", type=int, help="timings of each (default: 5, or 3 if quick)")
    parser.add_argument("--seconds", type=float, help="of one timing, a third of it for single layers (default: 0.3, "
                                                      "or 0.06 if quick)")
    parser.add_argument("--patience", type=float, metavar="SECONDS",
                        help="how long to look for quiet rounds of one work, a tenth of it for single layers (default: "
                             "20, or 5 if quick)")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--one-core", action="store_true", help="one thread a side, times are the CPU's")
    parser.add_argument("--emulate", action="store_true", help="compare bf16 where there is no unit for it, too")
    parser.add_argument("--json", action="store_true", help="print one JSON object, times in seconds")
    parser.add_argument("--list", action="store_true", help="print the names of all works")
    parser.add_argument("--worker", choices=NAMES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    for name, usual, quick in (("rounds", 5, 3), ("seconds", 0.3, 0.06), ("patience", 20.0, 5.0)):
        if getattr(given, name) is None:
            setattr(given, name, quick if given.quick else usual)
    if given.rounds < 1:
        parser.error(f"expected at least one round, got {given.rounds}")
    try:
        given.works, given.alone = select(given.names)
    except ValueError as error:
        parser.error(str(error))
    needed = {work.peer for work in given.works} | {peer for name in given.alone for peer in ALONE[name]}
    for peer in sorted(needed - {ITSELF} if not (given.worker or given.list) else ()):
        if importlib.util.find_spec(peer) is None:
            stop(f'{PEERS[peer]}, the peer, is not installed; get it with: pip install "fastcnn[judges]"')
    return given


if __name__ == "__main__":
    main()
