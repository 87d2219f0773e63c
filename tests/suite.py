"""Which tests answer quickly, and which files begin: by the CPU seconds that test functions took.

``seconds.txt`` beside this file has a line for every function of tests that took a quarter of a second or more, all its
rows together, with kernels that were compiled before, and one for the rest of each file. ``pytest --record-seconds``
writes the lines of the files that it runs. What is new has no line: a test counts as quick, and a file begins.
"""

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

TESTS = Path(__file__).resolve().parent
TABLE = TESTS / "seconds.txt"
#: CPU seconds that ``pytest -m fast`` spends on tests; collecting takes 20 more, and 90 is what a person waits for.
FAST = 70.0
#: Below this many seconds a function has no line of its own.
LEAST = 0.25
#: Independent libraries take longer to import than the fast tests may take.
PEERS = "peers"


def function_of(nodeid: str) -> str:
    """Return the file and the function of a test, without its row: ``tests/layers/test_laws.py::test_a_law``."""
    return nodeid.partition("[")[0]


def file_of(nodeid: str) -> str:
    return nodeid.partition("::")[0]


def read(table: Path = TABLE) -> dict[str, float]:
    """Return the seconds of every function that has a line, and by the name of a file those of its others."""
    lines = table.read_text().splitlines() if table.exists() else []
    return {function: float(seconds) for seconds, function in map(str.split, lines)}


def write(measured: dict[str, float], table: Path = TABLE) -> None:
    """Write a table in which the files that were measured have new lines, and files that are gone have none.

    A figure that moved by less than a third stays, so that a change shows what changed.
    """
    known, sums = read(table), Counter[str]()
    for function, seconds in measured.items():
        sums[function if seconds >= LEAST else file_of(function)] += seconds
    files = set(map(file_of, sums))
    lines = {name: seconds for name, seconds in known.items()
             if file_of(name) not in files and (TESTS.parent / file_of(name)).exists()}
    for name, seconds in sums.items():
        before = known.get(name, 0.0)
        lines[name] = before if abs(seconds - before) < before / 3 else seconds
    table.write_text("".join(f"{seconds:8.2f} {name}\n" for name, seconds in sorted(lines.items())))


def fast(nodeids: Sequence[str], seconds: dict[str, float]) -> set[str]:
    """Return the tests that ``pytest -m fast`` runs: some rows of each function, evenly spaced, as `share` allows.

    Parameters
    ----------
    nodeids : sequence of str
        Of all tests, in their order.
    seconds : dict
        See `read`.
    """
    rows: dict[str, list[str]] = {}
    for nodeid in nodeids:
        if not file_of(nodeid).startswith(f"tests/{PEERS}/"):
            rows.setdefault(function_of(nodeid), []).append(nodeid)
    chosen, most = set[str](), share(seconds)
    for function, those in rows.items():
        many = int(len(those) * most / max(seconds.get(function, 0.0), most))
        chosen.update(those[index * len(those) // many] for index in range(many))
    return chosen


def too_slow(measured: dict[str, float], seconds: dict[str, float]) -> list[str]:
    """Return the functions that took far more than `share` in a run of the fast tests, the slowest first.

    Parameters
    ----------
    measured : dict
        By function.
    seconds : dict
        See `read`.
    """
    most = max(1.0, 3 * share(seconds))
    return sorted((name for name, took in measured.items() if took > most), key=lambda name: -measured[name])


def share(seconds: dict[str, float]) -> float:
    """Return the CPU seconds that one function may take, so that all of them together take no more than `FAST`."""
    ours = sorted(took for name, took in seconds.items() if not name.startswith(f"tests/{PEERS}/"))
    left = FAST
    for place, took in enumerate(ours):
        if took * (len(ours) - place) > left:
            return left / (len(ours) - place)
        left -= took
    return FAST


def slowest_first(nodeids: Iterable[str], seconds: dict[str, float]) -> dict[str, int]:
    """Return the place of each file: first those without a line, then by their seconds, so that none is left alone.

    Parameters
    ----------
    nodeids : iterable of str
    seconds : dict
        See `read`.
    """
    sums: Counter[str] = Counter()
    for name, took in seconds.items():
        sums[file_of(name)] += took
    files = dict.fromkeys(map(file_of, nodeids))
    return {file: place for place, file in enumerate(sorted(files, key=lambda file: (file in sums, -sums[file])))}


#: CPU seconds of processes that this one has waited for without being their parent.
elsewhere = 0.0


def cpu_seconds() -> float:
    """Return the CPU seconds of this process and of those it has waited for."""
    return sum(os.times()[:4]) + elsewhere


def rooms() -> dict[str, list[str]]:
    """Return the functions of tests in each folder, as the text of its files has them."""
    found: dict[str, list[str]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        file = path.relative_to(TESTS.parent).as_posix()
        names = re.findall(r"^def (test_\w+)", path.read_text(), re.M)
        found.setdefault(file.rpartition("/")[0], []).extend(f"{file}::{name}" for name in names)
    return found
