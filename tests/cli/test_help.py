"""Help, version and completion: at once, without NumPy and Numba."""

import subprocess
import sys

import pytest

from fastcnn import __version__, applications, datasets, optimizers, vision
from fastcnn.cli import COMMANDS, _augmentation, _exit_codes, _options, _schedule, explain, stylize
from tests.cli.conftest import environment, only_line

HEAVY = ("numpy", "numba", "llvmlite", "rich", "msgspec", "PIL", "pooch")


def loaded_after(*args):
    """Return which heavy modules a process has loaded after ``fastcnn ARGS``, and what it printed."""
    code = f"""
import sys
from fastcnn.cli import main
code = main({list(args)!r})
print("loaded", *(name for name in {HEAVY!r} if name in sys.modules), file=sys.stderr)
sys.exit(code)
"""
    result = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    return only_line(result.stderr).split()[1:], result.stdout


@pytest.mark.parametrize("args", [("--help",), ("-h",), (), ("--version",), ("completion", "bash")])
def test_the_group_answers_without_loading_numpy_or_numba(args):
    loaded, output = loaded_after(*args)
    assert loaded == []
    assert output.strip()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_loads_neither_numpy_nor_numba(name):
    loaded, output = loaded_after(name, "--help")
    assert loaded == []
    assert output.startswith(f"Usage: fastcnn {name}")


def test_help_lists_every_command_and_every_exit_code(fastcnn):
    output = fastcnn("--help").stdout
    assert all(f"\n  {name} " in output for name in COMMANDS)
    codes = [getattr(_exit_codes, name) for name in ("DONE", "OTHER", "USAGE", "DATA", "DIVERGED", "NOT_A_MODEL",
                                                     "INTERRUPTED")]
    listed = [line.split()[0] for line in output.partition("Exit codes:")[2].splitlines() if line]
    assert listed == list(map(str, codes))


def test_version_is_the_package_s(fastcnn):
    assert fastcnn("--version").stdout == f"fastcnn {__version__}\n"


def test_names_on_the_command_line_are_those_of_the_library():
    assert tuple(applications.by_name) == _options.MODELS
    assert datasets.names == _options.DATASETS
    assert datasets.annotated_names == _options.ANNOTATED
    assert datasets.fits == _options.FITS
    assert optimizers.names == _options.OPTIMIZERS
    assert tuple(_schedule.SCHEDULES) == _options.SCHEDULES
    assert explain.METHODS == vision.explanations.METHODS
    assert set(stylize.NETWORKS) == set(vision.style.networks.LAYERS)
    assert (*_augmentation.PRESETS, _augmentation.OFF) == _options.AUGMENTATIONS


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_each_shell(fastcnn, shell):
    result = fastcnn("completion", shell)
    assert result.returncode == 0
    assert "_FASTCNN_COMPLETE" in result.stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [("fastcnn tr", "plain,train"), ("fastcnn train --model len", "plain,lenet\nplain,lenet5"),
     ("fastcnn train --dataset fash", "plain,fashion_mnist"), ("fastcnn train --dataset ./x", "file,./x"),
     ("fastcnn train --ep", "plain,--epochs"), ("fastcnn summary conv", "plain,convnet")],
)  # fmt: skip
def test_completion_knows_commands_options_and_names(fastcnn, words, expected):
    count = len(words.split()) - 1
    result = fastcnn(_FASTCNN_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(count))
    assert result.stdout.strip() == expected
