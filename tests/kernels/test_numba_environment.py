"""Numba's environment variables: nonsense is told by name before Numba sees it."""

import inspect
import re

import pytest
from numba.core import config

from fastcnn.errors import ArgumentError
from fastcnn.kernels import _numba_environment


@pytest.mark.parametrize(("name", "value", "said"), [
    ("NUMBA_NUM_THREADS", "abc", "a whole number from 1 to"),
    ("NUMBA_NUM_THREADS", "0", "a whole number from 1 to"),
    ("NUMBA_NUM_THREADS", "-3", "a whole number from 1 to"),
    ("NUMBA_NUM_THREADS", "100000", "a whole number from 1 to"),
    ("NUMBA_DISABLE_JIT", "yes", "a whole number from 0 to 1"),
    ("NUMBA_DEBUG", "x", "a whole number, got 'x'; unset it"),
    ("NUMBA_SLP_VECTORIZE", "", "a whole number, got ''; unset it"),
    ("NUMBA_OPT", "fast", "one of 0, 1, 2, 3, max, got 'fast'"),
    ("NUMBA_THREADING_LAYER_PRIORITY", "a,b", "tbb, omp, workqueue in some order with spaces between, got 'a,b'"),
    ("NUMBA_THREADING_LAYER", "foo", "known are default, forksafe, omp, safe, tbb, threadsafe, workqueue"),
    ("NUMBA_CPU_NAME", "nonsense", "'nonsense' is not a recognized processor for this target"),
    ("NUMBA_CPU_FEATURES", "+nonsense", "'[+]nonsense' is not a recognized feature for this target"),
    ("NUMBA_CPU_FEATURES", "avx2", "names that each begin with [+] or -, got 'avx2'"),
])  # fmt: skip
def test_nonsense_is_refused_by_the_name_of_the_variable(monkeypatch, capfd, name, value, said):
    monkeypatch.setenv(name, value)
    with pytest.raises(ArgumentError, match=said) as caught:
        _numba_environment.check()
    assert name in str(caught.value)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("name", "value"), [
    ("NUMBA_NUM_THREADS", "1"), ("NUMBA_NUM_THREADS", " 8 "), ("NUMBA_THREADING_LAYER", "TBB"),
    ("NUMBA_THREADING_LAYER", "forksafe"), ("NUMBA_CPU_NAME", "generic"), ("NUMBA_CPU_NAME", ""),
    ("NUMBA_DISABLE_JIT", "1"), ("NUMBA_CPU_FEATURES", ""), ("NUMBA_BOUNDSCHECK", "-1"), ("NUMBA_OPT", "max"),
    ("NUMBA_THREADING_LAYER_PRIORITY", "omp tbb workqueue"), ("NUMBA_NOBODY_READS", "x"),
])  # fmt: skip
def test_what_numba_understands_is_let_through(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    _numba_environment.check()


def test_what_has_to_be_a_number_is_what_numba_reads_as_one():
    read = set(re.findall(r'_readenv\(\s*"NUMBA_(\w+)",\s*int\b', inspect.getsource(config)))
    assert read >= set(_numba_environment._NUMBERS.split())
