"""A folder has one owner at a time, as long as that process lives."""

import signal
import subprocess
import sys

import pytest

from fastcnn.formats import locks
from fastcnn.formats.locks import FolderLock

pytestmark = pytest.mark.skipif(locks.fcntl is None, reason="this system has no such locks")

HOLD = """
import sys, time
from pathlib import Path
from fastcnn.formats.locks import FolderLock
lock = FolderLock(Path(sys.argv[1]))
print(lock.take(), flush=True)
time.sleep(60)
"""


def test_a_lock_is_had_once_and_goes_with_its_file(tmp_path):
    one, other = FolderLock(tmp_path), FolderLock(tmp_path)
    assert one.take()
    assert not other.take()
    one.release()
    assert list(tmp_path.iterdir()) == []
    assert other.take()
    other.release()
    other.release()


def test_the_lock_of_a_process_that_was_killed_is_free(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "True\n"
        mine = FolderLock(tmp_path)
        assert not mine.take()
        process.send_signal(signal.SIGKILL)
    assert mine.take()
    mine.release()
