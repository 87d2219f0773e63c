"""One kernel cache for the whole run, and the table of what was compiled at its end."""

import json
import os
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pytest

# Before any import of fastcnn. Workers, and runs that a test starts, inherit both: only the outermost run cleans up.
OUTERMOST = "FASTCNN_TEST_RUN" not in os.environ
OWNS_CACHE = OUTERMOST and "FASTCNN_CACHE_DIR" not in os.environ
os.environ["FASTCNN_TEST_RUN"] = "1"
if OWNS_CACHE:
    os.environ["FASTCNN_CACHE_DIR"] = tempfile.mkdtemp(prefix="fastcnn-kernels-")

DATA = Path(os.environ.get("FASTCNN_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")


@pytest.fixture(scope="session")
def data_dir():
    """The folder of the real data sets; a test that needs it is skipped where it is absent."""
    if not (DATA / "mnist").is_dir():
        pytest.skip(f"no data sets in {DATA}; set FASTCNN_DATA")
    return DATA


@pytest.fixture
def two_threads():
    """Let a test change the number of threads, and set it back."""
    import numba

    before = numba.get_num_threads()
    yield numba.set_num_threads
    numba.set_num_threads(before)


def _report_folder(config):
    return Path(os.environ["FASTCNN_CACHE_DIR"]) / "test-report"


def pytest_sessionfinish(session):
    if os.environ.get("FASTCNN_REQUIRE_PEERS") and _skipped:
        session.exitstatus = 1
        print(f"\nskipped, although FASTCNN_REQUIRE_PEERS is set: {', '.join(_skipped)}")
    jit = sys.modules.get("fastcnn.kernels.cpu.compile.policy")
    if jit is None:
        return
    rows = {}
    for name, kernel in jit.registry.items():
        overloads = getattr(kernel, "overloads", {})
        timers = [(cres.metadata or {}).get("timers", {}) for cres in overloads.values()]
        seconds = sum(timer.get("compiler_lock", 0.0) for timer in timers)
        misses = sum(kernel.stats.cache_misses.values()) if overloads else 0
        if overloads:
            rows[name] = (misses, seconds if misses else 0.0, len(overloads))
    folder = _report_folder(session.config)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{os.getpid()}.json").write_text(json.dumps(rows))


def pytest_terminal_summary(terminalreporter, config):
    if hasattr(config, "workerinput"):
        return
    compiled, seconds, types = Counter(), Counter(), Counter()
    for path in _report_folder(config).glob("*.json"):
        for name, (misses, time, count) in json.loads(path.read_text()).items():
            compiled[name] += misses
            seconds[name] += time
            types[name] = max(types[name], count)
    terminalreporter.section("compiled kernels (seconds, compilations, types)")
    for name, time in seconds.most_common():
        terminalreporter.line(f"{time:7.2f} s  {compiled[name]:3d}  {types[name]:2d}  {name}")
    totals = sum(seconds.values()), sum(compiled.values()), sum(types.values())
    terminalreporter.line("{:7.2f} s  {:3d}  {:2d}  in all".format(*totals))


def pytest_unconfigure(config):
    if OUTERMOST:
        shutil.rmtree(os.environ["FASTCNN_CACHE_DIR"] if OWNS_CACHE else _report_folder(config), ignore_errors=True)


# FASTCNN_REQUIRE_PEERS: an independent library that is absent fails the run instead of being skipped.
_skipped = []


def pytest_runtest_logreport(report):
    if report.skipped:
        _skipped.append(report.nodeid)


def pytest_collectreport(report):
    if report.skipped:
        _skipped.append(report.nodeid)
