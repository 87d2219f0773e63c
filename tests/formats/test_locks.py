"""A folder has one owner at a time, as long as that process lives."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fastcnn.formats import locks
from fastcnn.formats.locks import FileLock, FolderLock

HOLD = """
import sys, time
from pathlib import Path

import pytest
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


class Msvcrt:
    """The part of Windows's module that locks the first byte of a file; a lock of this system stands for it."""

    LK_NBLCK = 2

    def __init__(self, system):
        self.system = system

    def locking(self, number, mode, count):
        assert (mode, count, os.lseek(number, 0, os.SEEK_CUR)) == (self.LK_NBLCK, 1, 0)
        self.system.flock(number, self.system.LOCK_EX | self.system.LOCK_NB)


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="the system does not tell which files are open")
def test_where_there_is_msvcrt_alone_the_first_byte_is_locked_and_the_file_closed_before_it_goes(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "msvcrt", Msvcrt(locks.fcntl))
    monkeypatch.setattr(locks, "fcntl", None)
    unlink = Path.unlink

    def windows(path, missing_ok=False):
        if str(path) in {os.path.realpath(one) for one in Path("/proc/self/fd").iterdir()}:
            raise PermissionError(13, "The process cannot access the file because it is being used")
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", windows)
    (tmp_path / "lock").write_bytes(b"left by a process that died")
    one, other = FolderLock(tmp_path), FolderLock(tmp_path)
    assert one.take()
    assert not other.take()
    one.release()
    assert list(tmp_path.iterdir()) == []
    assert other.take()
    other.release()


@pytest.mark.skipif(locks.fcntl is None, reason="the system has other locks")
@pytest.mark.parametrize(("number", "is_taken"), [(errno.ENOLCK, True), (errno.ENOSYS, True), (errno.EAGAIN, False)])
def test_where_a_file_system_knows_no_locks_nobody_waits_for_one(tmp_path, monkeypatch, number, is_taken):
    def flock(file, how):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(locks.fcntl, "flock", flock)
    lock = FileLock(tmp_path / "lock")
    assert lock.take() == is_taken
    lock.release()


def test_a_lock_that_was_handed_over_is_held_as_long_as_somebody_has_its_file_open(tmp_path):
    one, other = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert one.take()
    with one.hand_over() as file:
        heir = os.dup(file.fileno())
    one.release()
    assert not other.take()
    os.close(heir)
    assert other.take()
    other.release()
