"""The command line as a user runs it: in processes of its own, in an empty folder.

Most are forks of a process that has imported fastcnn. Those that tests start themselves, and `trained`, are not.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import fastcnn as package
from tests import processes

ROOT = Path(package.__file__).resolve().parents[1]


def environment(**more):
    """Return the environment of a child: this one's, without what would change results, and the package on its path."""
    hidden = ("FASTCNN_DATA", "FASTCNN_DEBUG", "NO_COLOR", "COLUMNS")
    more = {"FASTCNN_REPORT": "0"} | more  # a training need not end in a page where nobody looks at it
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return {key: value for key, value in os.environ.items() if key not in hidden} | {"PYTHONPATH": path} | more


def command(*args):
    """Return the words that start ``fastcnn`` with every warning an error."""
    return [sys.executable, "-W", "error", "-m", "fastcnn", *map(str, args)]


def run_in(folder, *args, **env):
    """Run ``fastcnn ARGS`` in a folder and return the completed process, its output as text."""
    if processes.can_be_forked(env):
        return processes.command(args, cwd=folder, env=environment(**env))
    return subprocess.run(
        command(*args), cwd=folder, env=environment(**env), capture_output=True, text=True, timeout=300
    )


@pytest.fixture
def fastcnn(tmp_path):
    """Run ``fastcnn ARGS`` in the test's folder and return the completed process, its output as text."""
    return lambda *args, cwd=tmp_path, **env: run_in(cwd, *args, **env)


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Return the folder of a run of three epochs on the digits, and the process that trained it."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    process = subprocess.run(
        command("train", "--epochs", 3, "--seed", 1, "--out", folder),
        env=environment(), capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    return folder, process


@pytest.fixture
def run(trained):
    """Return the folder of a trained run, which tests leave as it is."""
    return trained[0]


def only_line(text):
    """Return the one line of a text, so that a second one fails."""
    lines = text.splitlines()
    assert len(lines) == 1, text
    return lines[0]
