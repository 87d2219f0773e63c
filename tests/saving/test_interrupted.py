"""Writing that is cut off: by kill -9, a full disk, Ctrl-C, a folder that cannot be written."""

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from fastcnn import saving
from fastcnn.errors import ArgumentError
from fastcnn.formats.files import write_atomically
from tests.saving.files import StandIn

ROOT = Path(saving.__file__).resolve().parents[2]

# In a process of its own, since only one without threads may fork.
KILLED = """
import itertools, os, pathlib, random, signal, sys, time
from fastcnn import saving
from tests.saving.files import StandIn

path, model = pathlib.Path(sys.argv[1]), StandIn()

def save(count):
    for weight in model.weights:
        weight.value[...] = count
    saving.save_model(model, path, {"count": count})

def save_until_killed(count):
    for number in itertools.count(count):
        save(number)

def save_until_line(last):
    lines = itertools.count()

    def trace(frame, event, _):
        if event == "line" and next(lines) == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace if os.sep + "formats" + os.sep in frame.f_code.co_filename else None

    def child(count):
        sys.settrace(trace)
        save(count)
    return child

def kill(child, seconds=None):
    "Return whether a child was killed, and whether it was writing; what it leaves must be one saving."
    before = saving.load_metadata(path)["count"]
    pid = os.fork()
    if not pid:
        child(before + 1)
        os._exit(0)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    saving.load_weights(model, path)
    count = saving.load_metadata(path)["count"]
    assert count >= before and all((weight.value == count).all() for weight in model.weights), "two savings in one file"
    return os.WIFSIGNALED(status), any(file.name.startswith(".") for file in path.parent.iterdir())

save(1)
written = 0
for line in itertools.count():
    killed, was_writing = kill(save_until_line(line))
    written += was_writing
    if not killed:
        break
print(line, written)
draw, written = random.Random(0), 0
for kills in range(1, 500):
    written += kill(save_until_killed, draw.uniform(0, 0.02))[1]
    if kills >= 20 and written >= 5:
        break
print(kills, written)
"""

SAVE_ON_A_FULL_DISK = """
import resource, sys
from fastcnn import saving
from tests.saving.files import StandIn
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, resource.RLIM_INFINITY))
saving.save_model(StandIn(), sys.argv[1], {"count": 2})
"""


posix = pytest.mark.skipif(os.name != "posix", reason="needs resource limits, modes, links or pipes of POSIX")


@posix
def test_a_file_is_whole_whenever_the_process_that_writes_it_is_killed(tmp_path):
    path = tmp_path / "m.safetensors"
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    (lines, in_writing), (_, at_random) = (map(int, line.split()) for line in done.stdout.splitlines())
    assert lines > 50, "before each of them"
    assert in_writing > 5
    assert at_random >= 5, "kills that fell into a writing"


@posix
def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "m.safetensors"
    saving.save_model(StandIn(), path, {"count": 1})
    command = [sys.executable, "-c", SAVE_ON_A_FULL_DISK, str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert f"{path}: expected to write 13" in done.stderr
    assert "File too large; what was there is unchanged, free some space" in done.stderr
    assert saving.load_metadata(path) == {"count": 1}
    saving.load_weights(StandIn(), path)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "error"), [("fsync", OSError(errno.ENOSPC, "full")), ("replace", KeyboardInterrupt())]
)
def test_an_error_at_the_last_moment_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, name, error):
    def fail(*arguments):
        raise error

    path = tmp_path / "a.json"
    write_atomically(path, b"old")
    monkeypatch.setattr(os, name, fail)
    with pytest.raises(type(error)) as caught:
        write_atomically(path, b"new")
    assert getattr(caught.value, "errno", None) == getattr(error, "errno", None)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_pieces_are_written_one_after_the_other(tmp_path):
    write_atomically(str(tmp_path / "a.json"), b"one ", b"", b"two")
    assert (tmp_path / "a.json").read_bytes() == b"one two"


@posix
def test_a_new_file_has_the_usual_permissions_and_a_replaced_one_keeps_its_own(tmp_path):
    path, usual = tmp_path / "a.json", tmp_path / "usual"
    usual.touch()
    write_atomically(path, b"1")
    assert path.stat().st_mode == usual.stat().st_mode
    path.chmod(0o640)
    write_atomically(path, b"2")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@posix
def test_a_link_is_followed_and_stays_a_link(tmp_path):
    (tmp_path / "disk").mkdir()
    link = tmp_path / "a.json"
    link.symlink_to(tmp_path / "disk" / "real.json")
    write_atomically(link, b"1")
    write_atomically(link, b"2")
    assert link.is_symlink()
    assert (tmp_path / "disk" / "real.json").read_bytes() == b"2"


@posix
def test_a_path_that_cannot_be_written_is_one_clear_error(tmp_path):
    folder, file, pipe = tmp_path / "d.safetensors", tmp_path / "file", tmp_path / "p.safetensors"
    folder.mkdir()
    file.touch()
    os.mkfifo(pipe)
    cases = {
        folder: (IsADirectoryError, "expected the path of a file to write, got a folder"),
        pipe: (FileExistsError, "got a device or a pipe"),
        file / "m.safetensors": (NotADirectoryError, f"expected {file} to be a folder, got a file"),
        tmp_path / "no" / "m.safetensors": (
            FileNotFoundError,
            f"expected {tmp_path / 'no'} to be a folder, got nothing",
        ),
    }
    before = sorted(tmp_path.iterdir())
    for path, (kind, text) in cases.items():
        with pytest.raises(kind) as caught:
            saving.save_model(StandIn(), path)
        assert isinstance(caught.value, ArgumentError), "it is a mistake of the caller's, too"
        assert str(caught.value) == caught.value.strerror
        assert caught.value.strerror.startswith(f"{path}: ")
        assert text in caught.value.strerror
    assert sorted(tmp_path.iterdir()) == before


def test_a_file_that_its_owner_made_read_only_stays_as_it_is(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    write_atomically(path, b"old")
    path.chmod(0o400)
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
    with pytest.raises(PermissionError, match="expected a file that may be written, got a read-only one; choose"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs a folder where not even root may write")
def test_a_folder_without_permission_is_one_clear_error():
    with pytest.raises(OSError, match=r"expected to write 2 bytes, got: .*; what was there is unchanged"):
        write_atomically("/proc/self/m.safetensors", b"12")


@posix
def test_a_folder_that_is_read_only_is_a_permission_error(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError, match="choose another folder"):
        write_atomically(tmp_path / "a.json", b"1")
    tmp_path.chmod(0o700)
