"""``doctor`` and ``warmup``: what is known about this machine, and its kernels compiled ahead."""

import re


def test_doctor_tells_versions_vectors_threads_and_the_cache(fastcnn, tmp_path):
    result = fastcnn("doctor", FASTCNN_CACHE_DIR=str(tmp_path / "cache"))
    assert result.returncode == 0, result.stderr
    for pattern in (
        r"^  fastcnn +\d",
        r"^  numba +\d",
        r"^  vectors +\S+: \d+ bits, \d+ registers$",
        r"^  float32 +\d+ numbers a vector, register tile of \d+ x \d+$",
        r"^  layer +(tbb|omp|workqueue): .+$",
        r"^  threads +\d+ on \d+ CPUs",
        r"^  state +not there yet",
        r"^  entries +none",
    ):
        assert re.search(pattern, result.stdout, re.M), pattern
    assert str(tmp_path / "cache") in result.stdout
    assert list(tmp_path.iterdir()) == []


def test_doctor_says_when_the_cache_cannot_be_used(fastcnn, tmp_path):
    (tmp_path / "file").write_text("")
    result = fastcnn("doctor", FASTCNN_CACHE_DIR=str(tmp_path / "file" / "cache"))
    assert result.returncode == 0
    assert re.search(r"^  state +cannot be made in .*file: every process compiles anew$", result.stdout, re.M)


def test_doctor_respects_a_threading_layer_that_was_asked_for(fastcnn):
    result = fastcnn("doctor", NUMBA_THREADING_LAYER="workqueue")
    assert re.search(r"^  layer +workqueue: set by NUMBA_THREADING_LAYER$", result.stdout, re.M)


def test_training_finds_every_kernel_that_warmup_compiled(fastcnn):
    warm = fastcnn("warmup", "lenet")
    assert warm.returncode == 0, warm.stderr
    again = fastcnn("warmup", "lenet")
    assert re.search(r"^0 kernels compiled, \d+ came from the cache", again.stdout.splitlines()[-1])
    train = fastcnn("train", "--epochs", 1)
    assert train.returncode == 0
    assert "compil" not in train.stdout


def test_a_warning_is_one_line_on_standard_error(capsys):
    import warnings

    from fastcnn.cli import main

    before = warnings.showwarning
    try:
        assert main(["--version"]) == 0
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning("two\nlines", RuntimeWarning, "file.py", 1)
    finally:
        warnings.showwarning = before
    assert capsys.readouterr().err == "fastcnn: warning: two lines\n"
