"""Processes that are forks of one that has imported fastcnn are like those that begin from nothing."""

import os
import signal
import subprocess
import sys

import pytest

from tests import processes, suite

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="they are forked on Linux alone")

TELL = """
import os, sys
print(sys.argv, os.getcwd(), os.environ.get("NO_COLOR"), sys.stdout.isatty())
print("and more", file=sys.stderr)
sys.exit(7)
"""


def test_a_process_has_the_words_folder_environment_streams_and_exit_code_of_one_from_nothing(tmp_path):
    env = os.environ | {"NO_COLOR": "1"}
    new = subprocess.run([sys.executable, "-c", TELL], cwd=tmp_path, env=env, capture_output=True, text=True)
    forked = processes.code(TELL, cwd=tmp_path, env=env)
    assert forked.stdout == new.stdout.replace("['-c']", f"['-c', {TELL!r}]")
    assert (forked.stderr, forked.returncode) == (new.stderr, new.returncode) == ("and more\n", 7)


def test_an_error_and_a_signal_are_exit_codes(tmp_path):
    failed = processes.code("1 / 0", cwd=tmp_path, env=dict(os.environ))
    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-1] == "ZeroDivisionError: division by zero"
    killed = processes.code("import os; os.kill(os.getpid(), 9)", cwd=tmp_path, env=dict(os.environ))
    assert killed.returncode == -signal.SIGKILL
    with pytest.raises(subprocess.TimeoutExpired):
        processes.code("import time; print('so far', flush=True); time.sleep(60)", cwd=tmp_path, env=dict(os.environ),
                       timeout=0.2)


LOOK = """
from fastcnn import config, random
from fastcnn.kernels.cpu.compile.policy import registry
compiled = sum(len(kernel.overloads) for kernel in registry.values())
print(config.switches.winograd, random._entropy, compiled)
config.set_winograd(False)
random.set_random_seed(3)
"""


def test_a_process_finds_no_kernel_and_leaves_nothing_to_the_next(tmp_path):
    first, second = (processes.code(LOOK, cwd=tmp_path, env=dict(os.environ)).stdout for _ in range(2))
    assert first == second == "True None 0\n"


def test_variables_that_an_import_reads_want_a_process_from_nothing(monkeypatch):
    assert processes.can_be_forked({"FASTCNN_DATA": "elsewhere", "NO_COLOR": "1"})
    assert not processes.can_be_forked({"NUMBA_NUM_THREADS": "1"})
    monkeypatch.setenv("KMP_INIT_AT_FORK", "FALSE")
    assert processes.can_be_forked({})
    monkeypatch.setenv("FASTCNN_WINOGRAD", "0")
    assert not processes.can_be_forked({})


def test_the_time_of_a_process_is_counted(tmp_path):
    before = suite.cpu_seconds()
    processes.code("import time\nwhile time.process_time() < 0.2: pass", cwd=tmp_path, env=dict(os.environ))
    assert suite.cpu_seconds() - before > 0.15
