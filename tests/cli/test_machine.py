"""``doctor`` and ``warmup``: what is known about this machine, and its kernels compiled ahead."""

import os
import re
import warnings

import pytest


def test_doctor_tells_versions_vectors_threads_and_the_cache(fastcnn, tmp_path):
    result = fastcnn("doctor", FASTCNN_CACHE_DIR=str(tmp_path / "cache"))
    assert result.returncode == 0, result.stderr
    for pattern in (
        r"^  fastcnn +\d",
        r"^  numba +\d",
        r"^  vectors +\S+: \d+ bits, \d+ registers$",
        r"^  tile +\S+, \d+ x 2 vectors of \d+ float32 or \d+ float64$",
        r"^  bfloat16 +(amx|avx512_bf16|emulation|vectors): .+$",
        r"^  int8 +(amx|vnni|vectors|tiles): .+$",
        r"^  layer +(tbb|omp|workqueue): .+$",
        r"^  threads +\d+ on \d+ CPUs: .+; NUMBA_NUM_THREADS=N sets another number$",
        r"^  state +not there yet",
        r"^  entries +none",
    ):
        assert re.search(pattern, result.stdout, re.M), pattern
    assert str(tmp_path / "cache") in result.stdout
    # A unit is tried by a small product, which is compiled once.
    tried = re.search(r"^  bfloat16 +(amx|avx512_bf16): ", result.stdout, re.M)
    assert tried or list(tmp_path.iterdir()) == []
    assert len(list(tmp_path.rglob("*.nbc"))) <= 1


def test_doctor_tells_of_a_card_or_of_what_is_missing_for_one(fastcnn, tmp_path):
    output = fastcnn("doctor", FASTCNN_CACHE_DIR=str(tmp_path)).stdout
    section = output.partition("\nGPU\n")[2].partition("\nThreads")[0]
    assert section.splitlines()[-1].startswith("  state ")
    assert 'pip install "fastcnn[cuda]"' in section or "nvidia-nvjitlink" in section


def test_a_device_that_is_not_there_is_an_error_of_usage_and_nothing_takes_its_place(fastcnn, tmp_path):
    for args, env in ((("--device", "cuda:77"), {}), ((), {"FASTCNN_DEVICE": "cuda:77"})):
        result = fastcnn("train", *args, "--out", tmp_path / "run", **env)
        assert result.returncode == 2
        assert "cuda:77: expected " in result.stderr
        assert not (tmp_path / "run").exists()
    result = fastcnn("predict", "--device", "gpu", "nothing")
    assert (result.returncode, "expected cpu, cuda or cuda:0, got 'gpu'" in result.stderr) == (2, True)


def test_doctor_says_when_the_cache_cannot_be_used(fastcnn, tmp_path):
    (tmp_path / "file").write_text("")
    result = fastcnn("doctor", FASTCNN_CACHE_DIR=str(tmp_path / "file" / "cache"))
    assert result.returncode == 0
    assert re.search(r"^  state +cannot be made in .*file: every process compiles anew$", result.stdout, re.M)


@pytest.mark.parametrize(("folder", "said"), [
    ("x" * 300, "cannot be reached (File name too long)"),
    ("~a user that nobody knows/kernels", "no home folder is known for ~a user that nobody knows/kernels"),
])  # fmt: skip
def test_doctor_says_why_there_is_no_cache(fastcnn, tmp_path, folder, said):
    result = fastcnn("doctor", FASTCNN_CACHE_DIR=folder)
    assert result.returncode == 0, result.stderr
    assert f"  state          {said}: every process compiles anew\n" in result.stdout
    assert list(tmp_path.iterdir()) == []


def test_doctor_respects_a_threading_layer_that_was_asked_for(fastcnn):
    result = fastcnn("doctor", NUMBA_THREADING_LAYER="workqueue")
    assert re.search(r"^  layer +workqueue: set by NUMBA_THREADING_LAYER$", result.stdout, re.M)


def skip_without_openmp(process):
    """Skip where Numba has no such layer, and let every other fault fail."""
    if "threading layer" in process.stderr:
        pytest.skip("no OpenMP here")
    assert process.returncode == 0, process.stderr


def warnings_of(output):
    """Return the lines under "Warnings"."""
    lines = output.partition("\nWarnings\n")[2].splitlines()
    assert lines, output
    return [line.strip() for line in lines[: next((i for i, line in enumerate(lines) if line[:1] != " "), None)]]


@pytest.mark.parametrize(("variable", "value"), [("OMP_WAIT_POLICY", "active"), ("GOMP_SPINCOUNT", "100000")])
def test_doctor_warns_of_a_policy_by_which_the_threads_of_openmp_spin(fastcnn, variable, value):
    asked = fastcnn("doctor", NUMBA_THREADING_LAYER="omp", **{variable: value})
    skip_without_openmp(asked)
    (warning,) = [line for line in warnings_of(asked.stdout) if variable in line]
    assert warning.startswith(f"- {variable}={value} lets idle threads of OpenMP spin")
    assert warning.endswith(f"unset {variable}")
    other_layer = fastcnn("doctor", NUMBA_THREADING_LAYER="workqueue", **{variable: value})
    assert variable not in other_layer.stdout


def test_doctor_says_nothing_of_a_passive_policy(fastcnn):
    asked = fastcnn("doctor", NUMBA_THREADING_LAYER="omp", OMP_WAIT_POLICY="passive", GOMP_SPINCOUNT="0")
    skip_without_openmp(asked)
    assert not [line for line in warnings_of(asked.stdout) if "spin" in line]


def test_doctor_warns_of_more_threads_than_cpus_and_of_the_work_queue(fastcnn):
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    result = fastcnn("doctor", NUMBA_NUM_THREADS=str(cpus + 1), NUMBA_THREADING_LAYER="workqueue")
    found = warnings_of(result.stdout)
    assert [line for line in found if re.search(r"threads share .+: set NUMBA_NUM_THREADS=\d+$", line)]
    assert [line for line in found if "work queue" in line]


def test_doctor_warns_of_a_busy_machine_and_names_who_is(monkeypatch, capsys):
    from fastcnn import cli
    from fastcnn.bench import load

    monkeypatch.setattr(load, "others", lambda interval: load.Load(1.54, "python (process 7)"))
    assert cli.main(["doctor"]) == 0
    (warning,) = [line for line in warnings_of(capsys.readouterr().out) if "other processes" in line]
    assert warning.startswith(f"- other processes take 1.5 of {os.cpu_count()} CPUs, most of it python (process 7): ")


def test_training_finds_every_kernel_that_warmup_compiled(fastcnn):
    warm = fastcnn("warmup", "lenet")
    assert warm.returncode == 0, warm.stderr
    again = fastcnn("warmup", "lenet")
    assert re.search(r"^0 kernels compiled, \d+ came from the cache", again.stdout.splitlines()[-1])
    train = fastcnn("train", "--epochs", 1)
    assert train.returncode == 0
    assert "compil" not in train.stdout


def test_a_warning_is_one_line_on_standard_error_while_a_command_runs_and_no_longer(capsys, monkeypatch):
    from fastcnn import cli

    def command(*args, **keywords):
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning("two\nlines", RuntimeWarning, "file.py", 1)
        raise KeyboardInterrupt

    before = warnings.showwarning
    monkeypatch.setattr(cli.cli, "main", command)
    assert cli.main([]) != 0
    assert capsys.readouterr().err.splitlines()[0] == "fastcnn: warning: two lines"
    assert warnings.showwarning is before, "who calls main from Python keeps its own way"
