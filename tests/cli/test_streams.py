"""Output that is closed or that nobody reads, and variables of Numba's that are nonsense: one sentence at most."""

import os
import subprocess

import pytest

from tests.cli.conftest import command, environment, only_line

posix = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")


def shell(tmp_path, line):
    """Run a line of a shell in which "$@" is ``fastcnn``."""
    return subprocess.run(["sh", "-c", line, "sh", *command()], cwd=tmp_path, env=environment(), capture_output=True,
                          text=True, timeout=300)


@posix
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&- <&-"])
def test_training_with_closed_output_trains_and_saves(tmp_path, closed):
    done = shell(tmp_path, f'"$@" train --epochs 1 --out run {closed}')
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        "config.json", "config.toml", "history.jsonl", "model.safetensors", "split.csv"]


@posix
def test_training_goes_on_when_nobody_reads_its_lines_any_longer_and_says_so_at_the_end(tmp_path):
    done = shell(tmp_path, '("$@" train --epochs 2 --out run; echo "code $?" >&2) | head -n 1')
    assert done.stdout.startswith("data ")
    said, code = done.stderr.splitlines()
    assert "the trained model is saved in run" in said
    assert code == "code 1"  # its last lines, the accuracy among them, reached nobody
    assert (tmp_path / "run" / "model.safetensors").exists()


@posix
@pytest.mark.parametrize(("line", "code"), [
    ('{ "$@" doctor; echo "code $?" >&3; } | true', 1),
    ('"$@" evaluate nothing 2>&-; echo "code $?"', 2),
    ('{ "$@" evaluate nothing 2>&1 >&-; echo "code $?" >&3; } | true', 2),
])  # fmt: skip
def test_what_nobody_reads_ends_a_command_with_a_code_and_no_word(tmp_path, line, code):
    done = shell(tmp_path, f"exec 3>&1; {line}")
    assert done.stdout == f"code {code}\n"
    assert done.stderr == ""


@pytest.mark.parametrize(("variable", "value", "said"), [
    ("NUMBA_NUM_THREADS", "0", "NUMBA_NUM_THREADS: expected a whole number from 1 to 1024, got '0'; unset it"),
    ("NUMBA_THREADING_LAYER", "omq", "NUMBA_THREADING_LAYER: 'omq' is not known; did you mean 'omp'?"),
    ("NUMBA_CPU_NAME", "nonsense", "expected names that LLVM knows, got 'nonsense' is not a recognized processor"),
])  # fmt: skip
def test_a_variable_of_numbas_that_is_nonsense_is_one_sentence(fastcnn, variable, value, said):
    result = fastcnn("doctor", **{variable: value})
    assert result.returncode == 2
    assert said in only_line(result.stderr)
