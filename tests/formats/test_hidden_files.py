"""Hidden files: those of the dead are removed by the next writing to their folder, those of the living never."""

import os
import subprocess
import sys
import time

import pytest

from fastcnn.formats import hidden_files
from fastcnn.formats.files import write_atomically

WRITE_FOR_EVER = """
import sys, time
from pathlib import Path
from fastcnn.formats import hidden_files
with hidden_files.hidden(Path(sys.argv[1])) as (path, file):
    print(path.name, flush=True)
    time.sleep(600)
"""

pytestmark = pytest.mark.skipif(os.name != "posix", reason="locks on open files are POSIX's")


@pytest.fixture
def writer(tmp_path):
    """Start a process that writes to a hidden file of the folder; return it and the file."""
    with subprocess.Popen([sys.executable, "-c", WRITE_FOR_EVER, tmp_path], stdout=subprocess.PIPE, text=True) as child:
        yield child, tmp_path / child.stdout.readline().strip()
        child.kill()


@pytest.mark.parametrize("pieces", [(b"x" * 10_000,), (b"x" * 100, b"y" * 5000, b"z"), (b"x" * 4000, b"y" * 200)])
def test_nothing_is_left_where_the_system_takes_no_more(tmp_path, pieces):
    """What waits in a buffer is tried again when the file is closed, and refused again."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(OSError, match=r"a: expected to write .* bytes, got: File too large"):
            write_atomically(tmp_path / "a", *pieces)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def test_the_file_of_a_killed_process_goes_with_the_next_writing(tmp_path, writer):
    child, file = writer
    write_atomically(tmp_path / "a", b"1")
    assert file.exists(), "its writer was alive"
    child.kill()
    child.wait()
    assert file.exists(), "nobody swept yet: the test proves nothing"
    write_atomically(tmp_path / "a", b"2")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_file_that_this_process_writes_stays(tmp_path):
    with hidden_files.hidden(tmp_path) as (path, file):
        file.write(b"1")
        hidden_files.sweep(tmp_path)
        assert path.exists()
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_another_system_stays_for_a_day(tmp_path, monkeypatch):
    here = hidden_files._system()
    monkeypatch.setattr(hidden_files, "_system", lambda: "0" * 8)
    with hidden_files.hidden(tmp_path) as (path, _):
        pass
    path.touch()
    monkeypatch.setattr(hidden_files, "_system", lambda: here)
    hidden_files.sweep(tmp_path)
    assert path.exists()
    os.utime(path, times=(time.time() - 90_000,) * 2)
    hidden_files.sweep(tmp_path)
    assert not path.exists()


def test_other_hidden_files_are_none_of_its_business(tmp_path):
    names = [".fastcnn-notes.tmp", ".tmp", ".fastcnn-0123-4567.tmp", f"x.fastcnn-{'0' * 8}-{'0' * 12}.tmp"]
    for name in names:
        (tmp_path / name).touch()
    write_atomically(tmp_path / "a", b"1")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["a", *names])


@pytest.mark.parametrize("times", [1, 3])
def test_a_file_that_was_taken_for_abandoned_before_it_was_locked_is_made_again(times, tmp_path, monkeypatch):
    lock, taken = hidden_files._lock, []

    def late(file, waits):
        if len(taken) < times:
            taken.append(file.name)
            os.unlink(file.name)
        return lock(file, waits)

    monkeypatch.setattr(hidden_files, "_lock", late)
    write_atomically(tmp_path / "a", b"whole")
    assert len(taken) == times
    assert (tmp_path / "a").read_bytes() == b"whole"
