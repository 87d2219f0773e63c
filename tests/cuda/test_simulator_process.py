"""What is tested in the simulator of a card: a process of its own, since kernels are one thing or the other in one."""

import os
import re
import subprocess
import sys

from tests.suite import TESTS

FOLDERS = "tests/kernels/cuda", "tests/cuda/simulated"


def test_the_kernels_and_the_device_are_right_in_the_simulator():
    folders = [folder for folder in FOLDERS if (TESTS.parent / folder).is_dir()]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *folders],
        env={**os.environ, "NUMBA_ENABLE_CUDASIM": "1"}, cwd=TESTS.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    passed = int(re.search(r"(\d+) passed", done.stdout)[1])
    assert passed >= 100, "most of the tests were not found"
