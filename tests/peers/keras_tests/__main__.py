"""The table by area, and the failures by kind: ``python -m tests.peers.keras_tests [area or part of a path ...]``."""

import argparse
import json
import re
from collections import Counter
from pathlib import Path

from tests.peers.keras_tests import areas, names

KINDS = ("passed", "failed", "refused", "outside")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.peers.keras_tests", description=__doc__)
    parser.add_argument("words", nargs="*", help="areas, or parts of paths below keras/src; all if absent")
    parser.add_argument("-v", "--verbose", action="store_true", help="name every test that does not pass")
    parser.add_argument("-t", "--traceback", metavar="PART", help="show tracebacks of tests with this in their id")
    parser.add_argument("--json", metavar="FILE", help="write the outcomes")
    parser.add_argument("--kinds", type=int, default=40, help="so many kinds of failures are shown")
    given = parser.parse_args()
    names.install(areas.source().parent)
    from tests.peers.keras_tests import harness, running  # which import Keras's names

    assert harness.TestCase
    wanted = areas.chosen(given.words)
    watch, outcomes = running.Watch(), []
    for outcome in running.run(wanted):
        outcomes.append(outcome)
        if given.verbose and outcome.kind != "passed":
            print(f"{outcome.kind:8} {outcome.test}  {outcome.why[:200]}", flush=True)
        if given.traceback and given.traceback in outcome.test:
            print(outcome.kind, outcome.test, outcome.details, sep="\n", flush=True)
    print(table(outcomes))
    print()
    for (kind, why), count in kinds(outcomes).most_common(given.kinds):
        print(f"{count:5}  {kind:8} {why}")
    print(f"\n{watch.seconds():.0f} s of CPU time")
    if given.json:
        Path(given.json).write_text(json.dumps([outcome._asdict() for outcome in outcomes]))


def table(outcomes: list) -> str:
    """Return the counts by area; what is apart comes after the sums."""
    counts = Counter((one.area, one.kind) for one in outcomes)
    lines = [f"{'area':20}" + "".join(f"{kind:>9}" for kind in KINDS)]

    def line(name: str, among: list[str]) -> str:
        return f"{name:20}" + "".join(f"{sum(counts[area, kind] for area in among):9}" for kind in KINDS)

    told = [area for area in areas.AREAS if any(one.area == area for one in outcomes)]
    together = [area for area in told if area not in areas.APART]
    lines += [line(area, [area]) for area in together]
    lines += [line("together", together)] + [line(f"({area})", [area]) for area in told if area in areas.APART]
    return "\n".join(lines)


def kinds(outcomes: list) -> Counter:
    """Return how often what is the reason of a failure, numbers and names of objects left out."""
    found: Counter = Counter()
    for one in outcomes:
        if one.kind in ("failed", "refused"):
            text = re.sub(r'"[\w/]+"', '"..."', one.why.strip().split("\n")[0])
            found[one.kind, re.sub(r"\d+(\.\d+)?(e-?\d+)?", "N", text)[:150]] += 1
        elif one.kind == "outside":
            found["outside", one.why.partition(":")[0]] += 1
    return found


if __name__ == "__main__":
    main()
