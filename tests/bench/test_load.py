"""How busy the machine is: what another process is known to have taken is seen."""

import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from fastcnn.bench import load
from fastcnn.cli import _warnings

pytestmark = pytest.mark.skipif(not Path("/proc/stat").exists(), reason="only Linux tells")

#: Says when it has worked for so long, however slowly it came to that, and waits to be looked at.
WORK = """
import sys, time
while time.process_time() < 0.3: pass
print("done", flush=True)
sys.stdin.read()
"""


def test_what_another_process_takes_is_seen_and_this_one_s_own_work_is_not(monkeypatch):
    clock = iter([100.0, 101.0])  # a second passes, however long it takes
    monkeypatch.setattr(load, "time", SimpleNamespace(perf_counter=lambda: next(clock), process_time=time.process_time))
    watch = load.Watch()
    with subprocess.Popen([sys.executable, "-c", WORK], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        assert worker.stdout.readline() == b"done\n"
        found = watch.load()
        ticks = load._processes()
        worker.stdin.close()
    assert found.cpus > 0.2, "of the 0.3 seconds; clocks tick a hundred times a second"
    assert ticks[worker.pid][0] >= 20
    assert found.name


def test_a_process_that_works_is_named_with_what_it_took(monkeypatch):
    busy, processes = iter([100.0, 103.0]), iter([{7: (10, "python"), 8: (5, "sh")}, {7: (250, "python"), 8: (6, "sh"),
                                                                                     9: (90, "new")}])
    clock, own = iter([50.0, 52.0]), iter([1.0, 1.5])
    monkeypatch.setattr(load, "_busy", lambda: next(busy))
    monkeypatch.setattr(load, "_processes", lambda: next(processes))
    monkeypatch.setattr(load, "time", SimpleNamespace(perf_counter=lambda: next(clock), process_time=lambda: next(own)))
    assert load.Watch().load() == load.Load((3.0 - 0.5) / 2, "python (process 7)")


@pytest.mark.parametrize(("cpus", "warns"), [(0.0, False), (load.QUIET, False), (0.3, True)])
def test_a_trifle_is_no_warning(cpus, warns):
    assert bool(_warnings.of_load(load.Load(cpus, ""))) == warns
