"""Of several processes one compiles a kernel, and nobody waits for one who is dead."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from fastcnn import _interrupts
from fastcnn.kernels.cpu.compile import claims
from tests.kernels.compile.test_policy import ADD, ROOT, listing

HOLD = """
import sys, time
from pathlib import Path
from fastcnn.kernels.cpu.compile import claims
with claims.keeping():
    print(claims.claim(Path(sys.argv[1]), lambda: False), flush=True)
    time.sleep(60)
"""


def idle():
    return False


@contextlib.contextmanager
def claimed_elsewhere(path):
    """Have another thread claim a kernel; what is yielded makes it write the file and end."""
    begun, ended = threading.Event(), threading.Event()

    def another():
        with claims.keeping():
            claims.claim(path, idle)
            begun.set()
            ended.wait(60)
            path.write_bytes(b"code")

    thread = threading.Thread(target=another)
    thread.start()
    begun.wait(60)
    try:
        yield ended
    finally:
        ended.set()
        thread.join()


def test_a_claim_is_kept_to_the_end_of_its_compilation_and_no_longer(tmp_path):
    kernel, piece = tmp_path / "kernel.nbc", tmp_path / "piece.nbc"
    with claims.keeping():
        assert not claims.claim(kernel, idle)
        with claims.keeping():
            assert not claims.claim(piece, idle)
            assert claims.is_claimed(kernel)
            assert claims.is_claimed(piece)
        assert not claims.is_claimed(piece)
        assert claims.is_claimed(kernel)
    assert not claims.is_claimed(kernel)
    assert list(tmp_path.iterdir()) == []


def test_a_claim_is_given_back_when_the_compilation_fails(tmp_path):
    def compilation():
        with claims.keeping():
            claims.claim(tmp_path / "kernel.nbc", idle)
            raise SyntaxError

    with pytest.raises(SyntaxError):
        compilation()
    assert list(tmp_path.iterdir()) == []


def test_who_waits_does_something_else_until_the_file_comes(tmp_path):
    path, done = tmp_path / "kernel.nbc", []
    with claimed_elsewhere(path) as ended:

        def meanwhile():
            done.append(path.exists())
            if len(done) == 3:
                ended.set()
            return len(done) < 3

        with claims.keeping():
            assert claims.claim(path, meanwhile)
    assert done[:3] == [False] * 3
    assert list(tmp_path.iterdir()) == [path]


def test_within_a_compilation_nothing_else_is_compiled_meanwhile(tmp_path):
    kernel, piece = tmp_path / "kernel.nbc", tmp_path / "piece.nbc"
    with claims.keeping(), claimed_elsewhere(piece) as ended:
        assert not claims.claim(kernel, idle)
        timer = threading.Timer(0.1, ended.set)
        timer.start()
        with claims.keeping():
            assert claims.claim(piece, lambda: pytest.fail("something else was compiled"))
        timer.join()


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="a signal to oneself")
@pytest.mark.parametrize("depth", [1, 2])
def test_who_waits_hears_ctrl_c(tmp_path, depth):
    path = tmp_path / "kernel.nbc"
    with claimed_elsewhere(path), contextlib.ExitStack() as stack:
        timer = threading.Timer(0.1, signal.pthread_kill, [threading.main_thread().ident, signal.SIGINT])
        timer.start()
        stack.enter_context(_interrupts.deferred())
        for _ in range(depth):
            stack.enter_context(claims.keeping())
        with pytest.raises(KeyboardInterrupt):
            claims.claim(path, idle)
        assert not path.exists()  # nobody waited for the other one
        timer.join()


def test_a_claim_of_a_process_that_was_killed_is_free(tmp_path):
    path = tmp_path / "kernel.nbc"
    with subprocess.Popen([sys.executable, "-c", HOLD, path], stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout.readline() == "False\n"
        assert claims.is_claimed(path)
        process.kill()
    with claims.keeping():
        assert not claims.claim(path, idle)
        assert claims.is_claimed(path)


def test_who_was_stopped_with_a_claim_is_not_waited_for_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "_PATIENCE", 0.05)
    path, over = tmp_path / "kernel.nbc", threading.Event()

    def another():
        with claims.keeping():
            claims.claim(path, idle)
            over.wait(60)

    thread = threading.Thread(target=another)
    thread.start()
    while not claims.is_claimed(path):
        time.sleep(0.001)
    with claims.keeping():
        assert not claims.claim(path, idle)
    over.set()
    thread.join()


def test_nobody_claims_outside_of_a_compilation_or_where_nothing_can_be_written(tmp_path):
    assert not claims.claim(tmp_path / "kernel.nbc", idle)
    assert not claims.is_claimed(tmp_path / "kernel.nbc")
    (tmp_path / "file").write_bytes(b"")
    with claims.keeping():
        assert not claims.claim(tmp_path / "file" / "kernel.nbc", idle)
    assert not claims.is_claimed(tmp_path / "file" / "kernel.nbc")


def test_processes_that_begin_together_compile_a_kernel_once(tmp_path):
    begin = [sys.executable, "-c", ADD.replace("\n    ", "\n")]
    env = os.environ | {"FASTCNN_CACHE_DIR": str(tmp_path)}
    processes = [subprocess.Popen(begin, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=env) for _ in range(3)]
    told = sorted(process.communicate()[0].strip() for process in processes)
    assert told == ["0 1", "1 0", "1 0"]
    assert len(listing(tmp_path)) == 1
