"""Further processes compile what is expected, when a kernel is missing, and not otherwise."""

import base64
import io
import json
import os
import pickle
import sys

import pytest

from fastcnn.kernels.cpu.compile import ahead
from tests.kernels.compile.test_policy import ROOT, run

#: Begins with something that a kernel is missing for, waits until the other process has ended, and tells what it found.
BEGIN = """
    import pathlib, sys, time
    import numpy as np
    from fastcnn.kernels.cpu.compile import ahead, cache
    from fastcnn.kernels.cpu.layout.arrays import add
    from fastcnn.kernels.cpu.elementwise.softmax import softmax_forward
    sys.path += ["/a folder of the user's", "relative", "", pathlib.Path("/no text")]
    told = {"module": "tests.kernels.compile.ahead_worker", "file": sys.argv[-1], "more": 100_000 * "x"}
    ahead.expect(lambda: told)
    processes = []
    started = ahead._started
    def watched(*args):
        processes.append(started(*args))
        return processes[-1]
    ahead._started = watched
    a = np.arange(9, dtype=np.float32)
    add(np.empty_like(a), a, a)
    for process in processes:
        process.wait()
    x = np.zeros((2, 2), np.float32)
    softmax_forward(x.copy(), x, False)
    print(len(processes), sum(softmax_forward.stats.cache_hits.values()))
    print(sorted(path.suffix for path in cache.folder().iterdir()))
    ahead.expect(lambda: processes.clear())
    softmax_forward(x.copy(), x, False)
    print(len(processes))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What a process printed that two threads let start another one, what that one was told, and where."""
    folder = tmp_path_factory.mktemp("ahead")
    code = f"import sys\nsys.argv.append({str(folder / 'told.json')!r})\n" + "\n".join(
        line.removeprefix("    ") for line in BEGIN.splitlines())
    out, errors = run(code, folder / "cache", FASTCNN_COMPILE_AHEAD="1", NUMBA_NUM_THREADS="2")
    assert errors == ""
    return out.splitlines(), json.loads((folder / "told.json").read_text())


def test_one_further_process_on_two_threads_compiles_what_it_finds_wanted(told):
    assert told[0][0] == "1 1"
    assert told[0][1].count(".nbc") >= 2


def test_it_is_told_everything_and_starts_none_itself(told):
    _, found = told
    assert found["more"] == 100_000 * "x"
    assert found["path"][-2:] == ["/a folder of the user's", str(ROOT)]
    assert all(map(os.path.isabs, found["path"]))
    assert (found["ahead"], found["threads"], found["device"]) == ("0", "1", "cpu")


def test_nobody_is_asked_what_begins_where_nothing_is_missing(told):
    assert told[0][2] == "1"


@pytest.mark.parametrize("forbidden", ["variable", "one thread", "nobody can tell", "", "/usr/bin/uwsgi"])
def test_it_may_be_forbidden(forbidden, monkeypatch, tmp_path):
    monkeypatch.setenv("FASTCNN_COMPILE_AHEAD", "0" if forbidden == "variable" else "1")
    monkeypatch.setenv("FASTCNN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(ahead.config, "NUMBA_NUM_THREADS", 1 if forbidden == "one thread" else 4)
    if forbidden in ("", "/usr/bin/uwsgi"):  # an interpreter within another program
        monkeypatch.setattr(sys, "executable", forbidden)
    monkeypatch.setattr(ahead.subprocess, "Popen", lambda *_, **__: pytest.fail("a process was started"))
    ahead.expect(lambda: None if forbidden == "nobody can tell" else {"module": "json"})
    ahead.begin()
    ahead.begin()


@pytest.mark.parametrize("error", [OSError(11, "Resource temporarily unavailable"),
                                   RuntimeError("can't fork at interpreter shutdown")])
def test_a_process_that_cannot_be_started_is_none(error, monkeypatch, tmp_path):
    def full(*_, **__):
        raise error

    monkeypatch.setenv("FASTCNN_COMPILE_AHEAD", "1")
    monkeypatch.setenv("FASTCNN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(ahead.config, "NUMBA_NUM_THREADS", 4)
    monkeypatch.setattr(ahead.subprocess, "Popen", full)
    ahead.expect(lambda: {"module": "json"})
    ahead.begin()


def test_as_many_are_started_as_there_are_further_threads_and_no_more_than_three_or_than_memory_allows(monkeypatch):
    started = []
    monkeypatch.setenv("FASTCNN_COMPILE_AHEAD", "1")
    monkeypatch.setattr(ahead, "_started", lambda number: number)
    monkeypatch.setattr(ahead, "_follow", lambda number, task, _: started.append((number, json.loads(task)["parent"])))
    for threads, count in ((2, 1), (3, 2), (4, 3), (64, 3)):
        monkeypatch.setattr(ahead.config, "NUMBA_NUM_THREADS", threads)
        monkeypatch.setattr(ahead, "available_memory", lambda: None)
        ahead.expect(lambda: {"module": "json"})
        ahead.begin()
        assert started == [(number, os.getpid()) for number in range(count)]
        started.clear()
    for left, count in ((None, 3), (1 << 40, 3), (1_100_000_000, 2), (500_000_000, 0)):
        monkeypatch.setattr(ahead, "available_memory", lambda left=left: left)
        ahead.expect(lambda: {"module": "json"})
        ahead.begin()
        assert len(started) == count
        started.clear()


def test_two_processes_that_begin_together_have_one_further_process(monkeypatch, tmp_path):
    begun = []

    def begin(command, **how):
        begun.append(os.dup(how["pass_fds"][0]))  # as the process would, it has the lock to its end
        return command

    monkeypatch.setenv("FASTCNN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(ahead.subprocess, "Popen", begin)
    assert ahead._started(0) is not None
    assert ahead._started(0) is None
    assert ahead._started(1) is not None
    os.close(begun[0])
    assert ahead._started(0) is not None
    for one in begun[1:]:
        os.close(one)


class Process:
    """A process that has said something, and takes no task any more where it is told so."""

    def __init__(self, said, has_ended=False):
        self.stdin, self.stdout, self.calls = io.BytesIO(), io.BytesIO(said), []
        if has_ended:
            self.stdin.write = self._broken
        self.wait, self.kill, self.communicate = (
            lambda name=name: self.calls.append(name) for name in ("wait", "kill", "communicate"))

    def _broken(self, _):
        raise BrokenPipeError


def line_of(*names):
    return b"kernels: " + base64.b64encode(pickle.dumps([(name, ()) for name in names])) + b"\n"


@pytest.mark.parametrize("said", [b"", b"hello from sitecustomize\n", b"\xff\n", b"kernels: %%%\n", line_of("add")[:40],
                                  line_of("a kernel of another version")])
def test_what_else_a_process_says_is_no_list_of_kernels(said, monkeypatch):
    monkeypatch.setattr(ahead, "_wanted", [])
    process = Process(said, has_ended=True)
    ahead._accompany(process, b"{}", [])
    assert (ahead._wanted, process.calls) == ([], ["wait"])
    assert process.stdout.closed


def test_the_first_process_that_names_kernels_is_heard(monkeypatch):
    monkeypatch.setattr(ahead, "_wanted", [])
    names, heard = list(ahead.registry)[:2], []
    for said in (b"hello\n", b"hello\n" + line_of(*names), line_of(*names)):
        ahead._accompany(Process(said), b"{}", heard)
    assert ahead._wanted == [(ahead.registry[name], ()) for name in names]


def test_a_process_that_no_thread_can_accompany_is_ended(monkeypatch, tmp_path):
    def full(_):
        raise RuntimeError("can't start new thread")

    process = Process(b"")
    monkeypatch.setenv("FASTCNN_COMPILE_AHEAD", "1")
    monkeypatch.setattr(ahead.config, "NUMBA_NUM_THREADS", 4)
    monkeypatch.setattr(ahead.threading.Thread, "start", full)
    monkeypatch.setattr(ahead, "_started", lambda number: process)
    ahead.expect(lambda: {"module": "json"})
    ahead.begin()
    assert process.calls == ["kill", "communicate"]


class Kernel:
    """A kernel of so many files that writes one file when it is compiled."""

    def __init__(self, name, folder, compiled):
        self.path, self.compiled, self.targetctx, self._cache = folder / name, compiled, None, self

    def path_of(self, types, _):
        return self.path

    def compile(self, types):
        self.compiled.append(self.path.name)
        self.path.write_bytes(b"code")


def test_the_largest_is_compiled_first_of_equals_the_last_and_none_that_is_there_or_claimed(
        monkeypatch, tmp_path, capsys):
    compiled = []
    sizes = {"small": 1, "there": 5, "claimed": 5, "large": 3, "largest, first": 4, "largest, last": 4}
    kernels = [Kernel(name, tmp_path, compiled) for name in sizes]
    monkeypatch.setattr(ahead, "_size", lambda kernel: sizes[kernel.path.name])
    monkeypatch.setattr(ahead.cache, "name_of", str)
    monkeypatch.setattr(Kernel, "py_func", "f", raising=False)
    monkeypatch.setattr(ahead.claims, "is_claimed", lambda path: path.name == "claimed")
    (tmp_path / "there").write_bytes(b"code")
    ahead.compile_missing([(kernel, ()) for kernel in kernels], os.getppid())
    assert compiled == ["largest, last", "largest, first", "large", "small"]
    assert capsys.readouterr().out.count("\n") == 1


def test_nothing_more_is_compiled_where_no_file_can_be_written(monkeypatch, tmp_path, capsys):
    compiled = []
    kernels = [Kernel(name, tmp_path, compiled) for name in "ab"]
    for kernel in kernels:
        kernel.compile = lambda types, kernel=kernel: compiled.append(kernel.path.name)
    monkeypatch.setattr(ahead, "_size", lambda kernel: 1)
    monkeypatch.setattr(ahead.cache, "name_of", str)
    monkeypatch.setattr(Kernel, "py_func", "f", raising=False)
    monkeypatch.setattr(ahead, "_wanted", [])
    ahead.compile_missing([(kernel, ()) for kernel in kernels], os.getppid())
    assert compiled == ["b"]


def test_nothing_is_compiled_for_a_process_that_has_ended(monkeypatch, tmp_path, capsys):
    compiled = []
    monkeypatch.setattr(ahead, "_size", lambda kernel: 1)
    monkeypatch.setattr(ahead.cache, "name_of", str)
    monkeypatch.setattr(Kernel, "py_func", "f", raising=False)
    monkeypatch.setattr(ahead, "_wanted", [])
    ahead.compile_missing([(Kernel("k", tmp_path, compiled), ())], os.getppid() + 1)
    assert compiled == []
