"""Mutants: the package with one small mistake in it, and whether a room's tests notice.

    python -m tests.mutants --count 100                       from all rooms of the table, by the number of their places
    python -m tests.mutants --rooms device.py --count 20      from one

cosmic-ray draws them (it changes text alone; mutmut calls every function through another, which the counts of
references in device.py do not survive). A place is drawn first, then what is done to it, so that an addition, which may
become eleven other things, counts no more than a comparison. Annotations are no places: none is ever run. Nor is the
number in ``reshape(-1)`` another negative one: NumPy takes any.

A mutant is killed by a test that fails, or by running for more than 30 seconds of CPU time; that the tests as they are
stay well below is looked at first. One that waits for something that does not come uses none, so the clock ends it; if
the tests as they are do not pass by that clock either, the machine is busy, and the mutant is tried again.
"""

import argparse
import ast
import compileall
import contextlib
import difflib
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from py_compile import PycInvalidationMode
from queue import SimpleQueue
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
#: The rooms, in the package, and the tests that each of them answers to.
ROOMS = {
    "device.py": ("tests/device/test_memory.py", "tests/device/test_arrays.py"),
    "memory_pool.py": ("tests/device/test_memory.py",),
    "kernel_recorder.py": ("tests/device/test_memory.py", "tests/device/test_arrays.py"),
    "operations": ("tests/operations", "tests/layers"),
    "graph": ("tests/graph",),
    "layers": ("tests/layers",),
    "models": ("tests/models", "tests/saving", "tests/training/test_streams.py"),
    "training": ("tests/training", "tests/callbacks", "tests/models/test_trainer.py"),
}
LIMIT = 30  # seconds of CPU time
_COPIED = ("fastcnn", "tests", "asv_benchmarks", "pyproject.toml")
#: What is no mistake for numbers, names and None: whether two are the same object instead of equal, and back.
_SAME = tuple(f"ReplaceComparisonOperator_{name}" for name in ("Eq_Is", "Is_Eq", "NotEq_IsNot", "IsNot_NotEq"))
_FAILED = (1, 2, 4)  # pytest: tests failed, could not be collected, or conftest.py could not be imported


class Mutant(NamedTuple):
    """A file of the package with one mistake."""

    room: str
    file: str
    line: int
    text: str

    def __str__(self) -> str:
        texts = ((ROOT / self.file).read_text(), self.text)
        lines = list(difflib.unified_diff(*(text.splitlines() for text in texts), n=0, lineterm=""))[3:]
        return "\n    ".join([f"{self.file}:{self.line}", *lines])


def places(file: str) -> dict[tuple[int, int], list[tuple[str, int]]]:
    """Return what may be done at each place (line, column) of a file: (operator of cosmic-ray, its how-manieth)."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.plugins import get_operator, operator_names

    nodes = list(ast_nodes(get_ast((ROOT / file).read_text())))
    found: dict[tuple[int, int], list[tuple[str, int]]] = {}
    for name in sorted(operator_names()):
        kind = get_operator(name)
        if kind.arguments() or name.endswith(_SAME):  # the former are told what to replace
            continue
        starts = [start for node in nodes for start, _ in kind().mutation_positions(node)]
        for number, start in enumerate(starts):
            found.setdefault(start, []).append((name, number))
    return found


def draw(rooms: Sequence[str], count: int, seed: int) -> list[Mutant]:
    """Return so many mutants of some rooms, no place twice; one seed draws the same from the same text."""
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    package, drawn = ROOT / "fastcnn", random.Random(seed)
    files = [(room, str(path.relative_to(ROOT))) for room in rooms for path in sorted(
        (package / room).rglob("*.py") if (package / room).is_dir() else [package / room])]
    every = [(room, file, place, kinds) for room, file in files for place, kinds in sorted(places(file).items())]
    drawn.shuffle(every)
    mutants: list[Mutant] = []
    for room, file, place, kinds in every:
        name, number = drawn.choice(kinds)
        text = (ROOT / file).read_text()
        mutated = mutate_code(text, get_operator(name)(), number)
        if mutated is not None and _runs_otherwise(text, mutated):
            mutants.append(Mutant(room, file, place[0], mutated))
        if len(mutants) == count:
            break
    return mutants


def _runs_otherwise(text: str, mutated: str) -> bool:
    """Return whether a mutated text runs, and differs in more than annotations and what is the same to NumPy."""
    try:
        return _that_runs(text) != _that_runs(mutated)
    except SyntaxError:  # ``n != -1`` has become ``n != not 1``
        return False


def _that_runs(text: str) -> str:
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        elif isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(None)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "reshape":
            node.args = [ast.Constant(-1) if _is_negative(one) else one for one in node.args]
    return ast.dump(tree)


def _is_negative(node: ast.expr) -> bool:
    """Return whether it is a number with a sign, or the complement of one, below zero."""
    if not isinstance(node, ast.UnaryOp) or not isinstance(node.operand, ast.Constant):
        return False
    return isinstance(node.op, ast.Invert) or (isinstance(node.op, ast.USub) and bool(node.operand.value))


class Copy:
    """A copy of the project in which one mutant after the other is tried.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in _COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, folder / name)
        # What was compiled goes by a digest of the text, since two mutants may be written within one tick of the clock.
        compileall.compile_dir(folder, quiet=1, invalidation_mode=PycInvalidationMode.CHECKED_HASH)

    def killer(self, tests: Sequence[str], limit: float = LIMIT) -> str | None:
        """Return the first test that fails, or the limit, in seconds of CPU time; None where all pass within it.

        Raises
        ------
        subprocess.TimeoutExpired
            After ten times the limit by the clock.
        """
        def set_limit() -> None:
            resource.setrlimit(resource.RLIMIT_CPU, (int(limit), int(limit)))

        environment = os.environ | {"PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
        done = subprocess.run(command, cwd=self.folder, env=environment, preexec_fn=set_limit, timeout=10 * limit,
                              capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return None
        if done.returncode == -signal.SIGXCPU:
            return f"{limit:.0f} s of CPU time"
        if done.returncode > 0 and done.returncode not in _FAILED:
            raise RuntimeError(f"pytest {' '.join(tests)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        failed = re.search(r"^(?:FAILED|ERROR) (.*?)(?: - .*)?$", done.stdout, re.MULTILINE)
        return failed[1] if failed else f"pytest ended with {done.returncode}"

    def killer_of(self, mutant: Mutant) -> str | None:
        """Return which of the tests of a mutant's room fails, or which limit it passes; None where it survives."""
        path, tests = self.folder / mutant.file, ROOMS[mutant.room]
        text = path.read_text()
        while True:
            path.write_text(mutant.text)
            try:
                return self.killer(tests)
            except subprocess.TimeoutExpired:
                path.write_text(text)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.killer(tests)
                    return f"{10 * LIMIT} s by the clock"
            finally:
                path.write_text(text)


def try_all(mutants: Sequence[Mutant], jobs: int = 1) -> Iterator[tuple[Mutant, str | None]]:
    """Yield each mutant and what killed it, from so many copies of the project at once."""
    with tempfile.TemporaryDirectory() as folder:
        copies: SimpleQueue[Copy] = SimpleQueue()
        for number in range(jobs):
            copies.put(Copy(Path(folder) / str(number)))
        copy = copies.get()
        for room in dict.fromkeys(mutant.room for mutant in mutants):
            copy.killer(ROOMS[room], 60 * LIMIT)  # kernels are compiled, once
            if (killer := copy.killer(ROOMS[room], LIMIT * 0.7)) is not None:
                raise RuntimeError(f"{room}: expected tests that pass as they are, within {LIMIT * 0.7:.0f} s of CPU "
                                   f"time; they are ended by {killer}")
        copies.put(copy)

        def killer(mutant: Mutant) -> str | None:
            copy = copies.get()
            try:
                return copy.killer_of(mutant)
            finally:
                copies.put(copy)

        with ThreadPoolExecutor(jobs) as pool:
            yield from zip(mutants, pool.map(killer, mutants), strict=True)


def main(arguments: Sequence[str] | None = None) -> float:
    """Print what survives and what kills the others, and return the share that was killed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__.partition("\n")[0])
    parser.add_argument("--rooms", nargs="+", choices=ROOMS, default=list(ROOMS))
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="copies of the project that are tried at once")
    asked = parser.parse_args(arguments)
    tried = {room: [0, 0] for room in asked.rooms}
    for mutant, killer in try_all(draw(asked.rooms, asked.count, asked.seed), asked.jobs):
        tried[mutant.room][0] += killer is not None
        tried[mutant.room][1] += 1
        print(f"{sum(count for _, count in tried.values())} tried", end="\r", file=sys.stderr, flush=True)
        print(f"survived: {mutant}" if killer is None else f"{mutant.file}:{mutant.line} killed by {killer}",
              flush=True)
    for room, (killed, count) in tried.items():
        print(f"{room}: {killed} of {count} killed")
    killed, count = (sum(numbers) for numbers in zip(*tried.values(), strict=True))
    print(f"all: {killed} of {count} killed, {100 * killed / max(1, count):.0f} %")
    return killed / max(1, count)


if __name__ == "__main__":
    main()
