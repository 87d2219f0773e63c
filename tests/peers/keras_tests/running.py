"""Loading Keras's test files and running their tests, one after another, with an outcome for each."""

import contextlib
import importlib
import io
import signal
import time
import traceback
import unittest
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import fastcnn as fc
from fastcnn import errors
from tests.peers.keras_tests import areas, names, outside

SECONDS = 120  # for one test


class Outcome(NamedTuple):
    """What became of a test: "passed", "failed", "refused" (in a sentence of fastcnn's) or "outside", and why."""

    area: str
    test: str
    kind: str
    why: str = ""
    details: str = ""


class _Result(unittest.TestResult):
    def __init__(self) -> None:
        super().__init__()
        self.caught: list[BaseException] = []
        self.reasons: list[str] = []

    def addError(self, test: Any, err: Any) -> None:  # noqa: N802
        self.caught.append(err[1])

    addFailure = addError  # noqa: N815

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:  # noqa: N802
        if err is not None:
            self.caught.append(err[1])

    def addSkip(self, test: Any, reason: str) -> None:  # noqa: N802
        self.reasons.append(reason)


def run(wanted: dict[str, list[Path]]) -> Any:
    """Yield the outcomes of the tests in files, by area."""
    for area, paths in wanted.items():
        for path in paths:
            yield from _of_file(area, path)


def _of_file(area: str, path: Path) -> Any:
    where = str(path.relative_to(areas.source()))
    module = "keras.src." + where.removesuffix(".py").replace("/", ".")
    try:
        try:
            with names.loading("fastcnn"), _quiet():
                loaded = importlib.import_module(module)
        except ImportError:  # it asks for a back end that it knows
            with names.loading("torch"), _quiet():
                loaded = importlib.import_module(module)
    except Exception as error:
        reason = outside.reason(where, error)
        yield Outcome(area, where, "outside" if reason else "failed", reason or f"not loaded: {error!r}",
                      traceback.format_exc())
        return
    for suite in unittest.TestLoader().loadTestsFromModule(loaded):
        for test in suite:
            if type(test).__module__ == module:
                yield _of_test(area, f"{where}::{type(test).__name__}.{test._testMethodName}", test)


def _of_test(area: str, name: str, test: Any) -> Outcome:
    skipped = _skip_mark(test)
    if skipped is not None:
        return Outcome(area, name, "outside", outside.reason(name, None) or f"Keras skips it: {skipped}")
    result = _Result()
    np.random.seed(1)
    fc.utils.set_random_seed(1)
    with _quiet(), _limited():
        test.run(result)
    if result.caught:
        error = result.caught[0]
        if type(error).__name__ == "Skipped":  # pytest.skip
            return Outcome(area, name, "outside", outside.reason(name, None) or f"Keras skips it: {error}")
        reason, details = outside.reason(name, error), "".join(traceback.format_exception(error))
        if reason:
            return Outcome(area, name, "outside", reason, details)
        refused = type(error).__module__ == errors.__name__
        return Outcome(area, name, "refused" if refused else "failed", f"{type(error).__name__}: {error}", details)
    if result.reasons:
        return Outcome(area, name, "outside", outside.reason(name, None) or f"Keras skips it: {result.reasons[0]}")
    return Outcome(area, name, "passed")


def _skip_mark(test: Any) -> str | None:
    """Return why a mark of pytest's says that a test is to be skipped."""
    method = getattr(test, test._testMethodName)
    for mark in [*getattr(method, "pytestmark", ()), *getattr(type(test), "pytestmark", ())]:
        if mark.name == "skip" or (mark.name == "skipif" and mark.args and mark.args[0] is True) or (
                mark.name in ("multi_device", "xfail")):
            return str(mark.kwargs.get("reason", mark.name))
    return None


@contextlib.contextmanager
def _quiet() -> Any:
    with (warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()),
          contextlib.redirect_stderr(io.StringIO())):
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _limited() -> Any:
    """Raise TimeoutError in a test that takes too long."""
    def stop(*_: Any) -> None:
        raise TimeoutError(f"more than {SECONDS} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


class Watch:
    """CPU seconds since it was made."""

    def __init__(self) -> None:
        self.begin = time.process_time()

    def seconds(self) -> float:
        return time.process_time() - self.begin
