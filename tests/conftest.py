"""One kernel cache for all runs, the fast tests, the order of files, and the table of what was compiled."""

import gc
import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings

from tests import memory, suite

# A test that failed fails again, on a busy machine as on a quiet one.
settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")

ROOT = suite.TESTS.parent
DATA = Path(os.environ.get("FASTCNN_DATA") or ROOT.parent / "shared" / "data")
KERNELS = ROOT / ".pytest_cache" / "d" / "kernels"  # pytest --cache-clear empties it
KEPT_DAYS = 14

# Before any import of fastcnn. Workers, and runs that a test starts, inherit both: only the outermost run cleans up.
OUTERMOST = "FASTCNN_TEST_RUN" not in os.environ
OWNS_CACHE = OUTERMOST and "FASTCNN_CACHE_DIR" not in os.environ
if OUTERMOST:
    os.environ["FASTCNN_TEST_RUN"] = tempfile.mkdtemp(prefix="fastcnn-tests-")
    os.environ["FASTCNN_COMPILE_AHEAD"] = "0"  # the workers have all cores; tests of it set it
RUN = Path(os.environ["FASTCNN_TEST_RUN"])  # what its processes tell of themselves
if OWNS_CACHE:
    os.environ["FASTCNN_CACHE_DIR"] = str(KERNELS if os.access(ROOT, os.W_OK) else RUN / "kernels")


@pytest.fixture(autouse=True)
def seeded():
    """Let a test draw what it draws alone, whichever ran before it in this process."""
    from fastcnn.random import set_random_seed

    set_random_seed(0)


@pytest.fixture(scope="session")
def data_dir():
    """The folder of the real data sets; a test that needs it is skipped where it is absent."""
    if not (DATA / "mnist").is_dir():
        pytest.skip(f"no data sets in {DATA}; set FASTCNN_DATA")
    return DATA


@pytest.fixture(scope="session")
def real_models(data_dir):
    """The folder of the trained networks of others."""
    if not (data_dir / "real-models").is_dir():
        pytest.skip(f"no trained networks in {data_dir}")
    return data_dir / "real-models"


@pytest.fixture
def two_threads():
    """Let a test change the number of threads, and set it back."""
    import numba

    before = numba.get_num_threads()
    yield numba.set_num_threads
    numba.set_num_threads(before)


@pytest.fixture
def bfloat16_back_end(monkeypatch):
    """Let a test choose what multiplies bfloat16, and set it back."""
    from fastcnn.kernels.cpu.amx import unit
    from fastcnn.operations import algorithms

    def choose(name):
        monkeypatch.setattr(unit, "chosen", lambda: unit.Chosen(name, ""))
        algorithms._chosen.cache_clear()

    yield choose
    monkeypatch.undo()
    algorithms._chosen.cache_clear()


def pytest_addoption(parser):
    parser.addoption("--record-seconds", action="store_true",
                     help=f"write the CPU seconds of what is run to {suite.TABLE.name}; compile its kernels first")


def pytest_configure(config):
    if hasattr(config.option, "loadscopereorder"):  # pytest-xdist would begin with the files of most tests
        config.option.loadscopereorder = False
    if config.option.record_seconds and (config.option.keyword or config.option.markexpr == "fast"):
        raise pytest.UsageError("--record-seconds: expected whole files, got a choice of their tests by -k or -m fast")


def pytest_ignore_collect(collection_path, config):
    if config.option.markexpr == "fast" and collection_path == suite.TESTS / suite.PEERS:
        return True  # importing its libraries alone takes long


@pytest.hookimpl(tryfirst=True)  # before -m looks at the marks
def pytest_collection_modifyitems(config, items):
    seconds = suite.read()
    fast = suite.fast([item.nodeid for item in items], seconds)
    for item in items:
        if item.nodeid in fast and not item.get_closest_marker("slow"):
            item.add_marker("fast")
    if hasattr(config, "workerinput"):
        place = suite.slowest_first((item.nodeid for item in items), seconds)
        items.sort(key=lambda item: place[suite.file_of(item.nodeid)])


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()  # tests, and what their files import, stay to the end: millions of objects to look through
        gc.enable()


_seconds = Counter()
_peaks = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    begin = suite.cpu_seconds()
    try:
        return (yield)
    finally:
        memory.give_back()
        _seconds[suite.function_of(item.nodeid)] += suite.cpu_seconds() - begin


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    told = getattr(node, "workeroutput", {})
    _seconds.update(told.get("seconds", {}))
    if "peak" in told:
        _peaks[node.gateway.id] = told["peak"]


def pytest_sessionfinish(session):
    if os.environ.get("FASTCNN_REQUIRE_PEERS") and _skipped:
        session.exitstatus = 1
        print(f"\nskipped, although FASTCNN_REQUIRE_PEERS is set: {', '.join(_skipped)}")
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput |= {"seconds": dict(_seconds), "peak": memory.peak()}
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
    (RUN / f"{os.getpid()}.json").write_text(json.dumps(rows))


def pytest_terminal_summary(terminalreporter, config):
    if hasattr(config, "workerinput"):
        return
    if config.option.markexpr == "fast" and (slow := suite.too_slow(_seconds, suite.read())):
        terminalreporter.section("not so fast: pytest --record-seconds takes them in")
        for name in slow:
            terminalreporter.line(f"{_seconds[name]:7.2f} s  {name}")
    compiled, seconds, types = Counter(), Counter(), Counter()
    for path in RUN.glob("*.json"):
        for name, (misses, took, count) in json.loads(path.read_text()).items():
            compiled[name] += misses
            seconds[name] += took
            types[name] = max(types[name], count)
    terminalreporter.section("compiled kernels (seconds, compilations, types)")
    for name, took in seconds.most_common():
        terminalreporter.line(f"{took:7.2f} s  {compiled[name]:3d}  {types[name]:2d}  {name}")
    totals = sum(seconds.values()), sum(compiled.values()), sum(types.values())
    terminalreporter.line("{:7.2f} s  {:3d}  {:2d}  in all".format(*totals))
    peaks = _peaks or {"this process": memory.peak()}
    terminalreporter.section(f"{sum(_seconds.values()):,.0f} CPU seconds in tests; largest memory")
    for name, megabytes in sorted(peaks.items()):
        terminalreporter.line(f"{megabytes:7,.0f} MB  {name}")


def pytest_unconfigure(config):
    if not OUTERMOST:
        return
    shutil.rmtree(RUN, ignore_errors=True)
    if config.option.record_seconds and _seconds:
        suite.write(_seconds)
    for path in KERNELS.glob("*.nbc") if OWNS_CACHE else ():  # most of them of sources that have changed since
        if time.time() - path.stat().st_mtime > KEPT_DAYS * 86400:
            path.unlink(missing_ok=True)


# FASTCNN_REQUIRE_PEERS: an independent library that is absent fails the run instead of being skipped.
_skipped = []


def pytest_runtest_logreport(report):
    if report.skipped:
        _skipped.append(report.nodeid)


def pytest_collectreport(report):
    if report.skipped:
        _skipped.append(report.nodeid)


@pytest.fixture(autouse=True)
def registered():
    """Let what a test registers end with it: another file loads models by the same names."""
    from fastcnn import registry

    before = dict(registry._registered), dict(registry._names)
    yield
    if (registry._registered, registry._names) != before:
        for now, then in zip((registry._registered, registry._names), before, strict=True):
            now.clear()
            now.update(then)
