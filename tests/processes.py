"""Processes that begin where one stands that has imported fastcnn: real ones, without the second that importing takes.

A server imports once, and each process is a fork of it, with arguments, a folder, an environment, streams, an exit code
and memory of its own; fastcnn minds forks, see `fastcnn.kernels.cpu.compile.threads`. Signals, what an import does, and
variables that are read by one want a process from nothing.
"""

import contextlib
import functools
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
import warnings
from multiprocessing import forkserver
from pathlib import Path

from tests import suite

#: Variables that are read where they are wanted, not by an import.
LATE = {"COLUMNS", "FASTCNN_CACHE_DIR", "FASTCNN_DATA", "FASTCNN_DEBUG", "FASTCNN_REPORT", "HOME", "NO_COLOR",
        "PYTEST_CURRENT_TEST"}

_context = multiprocessing.get_context("forkserver" if sys.platform == "linux" else "spawn")
_context.set_forkserver_preload([
    "fastcnn.cli.bench", "fastcnn.cli.data", "fastcnn.cli.evaluate", "fastcnn.cli.predict", "fastcnn.cli.summary",
    "fastcnn.cli.train", "fastcnn.applications", "fastcnn.augmentation", "fastcnn.callbacks", "fastcnn.datasets",
    "fastcnn.metrics", "fastcnn.models", "fastcnn.models.files", "fastcnn.onnx", "fastcnn.optimizers", "fastcnn.report",
    "fastcnn.saving", "fastcnn.training", "fastcnn.utils", "PIL.Image", "matplotlib.pyplot"])


def command(args, **more):
    """Run ``fastcnn ARGS``, with every warning an error, and return the completed process, its output as text."""
    return _completed(_command, ["fastcnn", *map(str, args)], **more)


def script(path, args, **more):
    """Run a script, with every warning an error, and return the completed process, its output as text."""
    return _completed(_script, [str(path), *map(str, args)], **more)


def code(text, **more):
    """Run lines of Python as ``python -c`` does, and return the completed process, its output as text."""
    return _completed(_code, ["-c", text], **more)


def can_be_forked(variables):
    """Return whether a process with this environment and those variables may begin where the server stands."""
    if sys.platform != "linux":
        return False
    changed = {name for name, _ in os.environ.items() ^ _server().items()
               if name.startswith(("FASTCNN_", "NUMBA_", "PYTHON"))}  # scikit-learn, say, sets some that it reads
    given = {name for name, value in variables.items() if _server().get(name) != value}
    return changed | given <= LATE


@functools.cache
def _server():
    """Start the server, and return the environment that it imported with."""
    forkserver.ensure_running()
    return dict(os.environ)


def _completed(run, words, *, cwd, env, timeout=300):
    with tempfile.TemporaryDirectory() as folder:
        out, err, spent = (Path(folder) / name for name in ("out", "err", "spent"))
        process = _context.Process(target=_begin, args=(run, words, str(cwd), env, out, err, spent))
        process.start()
        process.join(timeout)
        if process.is_alive():
            process.kill()
            raise subprocess.TimeoutExpired(words, timeout, err.read_text())
        with contextlib.suppress(FileNotFoundError):  # of a process that was killed
            suite.elsewhere += float(spent.read_text())
        code = process.exitcode
        process.close()
        return subprocess.CompletedProcess(words, code, out.read_text(), err.read_text())


def _begin(run, words, cwd, env, out, err, spent):
    for number, path in ((1, out), (2, err)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, number)
        os.close(file)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = words
    try:
        run(words)
    finally:
        sys.stdout.flush()
        spent.write_text(str(suite.cpu_seconds()))


def _command(words):
    from fastcnn.cli import main

    warnings.simplefilter("error")
    sys.exit(main(words[1:]))


def _script(words):
    warnings.simplefilter("error")
    sys.path.insert(0, str(Path(words[0]).parent))
    runpy.run_path(words[0], run_name="__main__")


def _code(words):
    exec(compile(words[1], "<string>", "exec"), {"__name__": "__main__"})
