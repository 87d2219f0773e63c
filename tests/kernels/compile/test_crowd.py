"""Launches are timed, and go to one thread as long as other work makes that faster."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastcnn
from fastcnn.kernels.cpu.compile import crowd
from fastcnn.kernels.cpu.compile.crowd import NARROW, PROBING, SIZE, WINDOW

ROOT = Path(fastcnn.__file__).parents[1]
WORK = {17: 200_000, 23: 900_000, 1 << 40: 50_000}  # launches of a step: key, and nanoseconds on two threads alone


class Machine:
    """A training step whose launches take as long as a machine lets them, from the first one on."""

    def __init__(self):
        self.state, self.time, self.begun = np.zeros(SIZE, np.int64), 1, []

    def step(self, wide, narrow):
        """Launch a step, each launch taking so many times its work on two threads, or on one."""
        learn = getattr(crowd.learn, "py_func", crowd.learn)
        begin = self.time
        for key, work in WORK.items():
            took = int(work * (narrow if self.state[NARROW] else wide))
            self.begun.append(bool(self.state[NARROW]))
            with np.errstate(over="ignore"):
                learn(self.state, key, self.time, self.time + took)
            self.time += took
        return self.time - begin

    def run(self, seconds, wide, narrow):
        """Return how long steps took of a time, beside one thread alone."""
        taken, end = [], self.time + seconds * 1e9
        self.begun.clear()
        while self.time < end:
            taken.append(self.step(wide, narrow))
        return np.mean(taken) / (narrow * sum(WORK.values()))


def test_on_a_quiet_machine_nothing_is_ever_tried():
    machine, rng = Machine(), np.random.default_rng(0)
    for _ in range(2000):
        machine.step(1 + 0.3 * rng.random(), 1.8)
    assert not any(machine.begun)


@pytest.mark.parametrize("before", [0, 1.0])
def test_beside_other_work_a_step_is_no_slower_than_on_one_thread_and_wide_again_when_the_work_ends(before):
    machine = Machine()
    if before:
        machine.run(before, 1.0, 1.8)
    machine.step(1.0, 1.8)  # no work is so steady that no step is left alone
    busy = machine.run(4.0, 3.0, 2.2)
    assert busy < 1.05, "what is lost are the first window, and probes"
    assert np.mean(machine.begun) > 0.8
    machine.run(4.0, 1.0, 1.8)
    assert machine.run(4.0, 1.0, 1.8) < 0.6
    assert not any(machine.begun)


def test_where_two_threads_are_slow_and_one_is_slower_it_stays_with_two():
    machine = Machine()
    machine.run(1.0, 1.0, 1.8)
    assert machine.run(8.0, 2.0, 3.0) < 0.7, "probes are seldom"
    assert np.mean(machine.begun) < 0.05


def test_a_launch_that_takes_anothers_place_is_learned_anew():
    machine = Machine()
    machine.step(1.0, 1.8)
    learn = getattr(crowd.learn, "py_func", crowd.learn)
    places = [at for at in range(crowd.STATE, SIZE, crowd.RECORD) if machine.state[at]]
    assert sorted(machine.state[places].tolist()) == sorted(WORK)
    machine.state[places] = 5  # as of another key
    with np.errstate(over="ignore"):
        learn(machine.state, 17, 10, 30)
    assert sorted(machine.state[places].tolist()) == [5, 5, 17]


def test_a_window_ends_a_probe_and_one_of_few_launches_decides_nothing():
    machine = Machine()
    machine.state[PROBING] = machine.state[NARROW] = 1
    with np.errstate(over="ignore"):
        getattr(crowd.learn, "py_func", crowd.learn)(machine.state, 17, 1, WINDOW + 2)
    assert (machine.state[PROBING], machine.state[NARROW]) == (0, 0)


CODE = """
import numpy as np
from fastcnn.kernels import cpu
from fastcnn.kernels.cpu.compile import crowd
x = np.arange(1 << 17, dtype=np.float32)
ys = []
for narrow in (0, 1):
    crowd.memory[crowd.NARROW] = narrow
    ys.append(np.empty_like(x))
    cpu.add(ys[-1], x, x)
print(np.array_equal(*ys), (ys[0] == 2 * x).all(), (crowd.memory[crowd.STATE :: crowd.RECORD] != 0).sum())
"""


@pytest.mark.parametrize(("steady", "learned"), [("0", 1), ("1", 0)])
def test_launches_of_kernels_are_learned_unless_threads_are_to_be_steady(steady, learned):
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, cwd=ROOT, check=True,
                          env={**os.environ, "FASTCNN_STEADY_THREADS": steady, "NUMBA_NUM_THREADS": "2"})
    assert done.stdout.split() == ["True", "True", str(learned)]
