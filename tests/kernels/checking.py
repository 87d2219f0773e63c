"""What the tests of kernels share: tolerances, memory that betrays an unwritten element, threads, differences."""

import contextlib
import re

import numba
import numpy as np
import pytest

from fastcnn.kernels.cpu.compile.policy import FLAGS

TYPES = (np.float32, np.float64)

#: Runs a test for both types.
types = pytest.mark.parametrize("dtype", TYPES)

#: Largest error of a kernel, relative to the largest value of the output. Of float32: 32 units in the last place, which
#: a sum of some thousand terms takes. Of float64 the twin's own rounding is the greater part.
TOLERANCE = {np.dtype(np.float32): 2e-6, np.dtype(np.float64): 1e-10}

#: Whether kernels run as plain Python, in which case sizes must be small.
PLAIN = bool(numba.config.DISABLE_JIT)


def many(size):
    """Return `size`, which makes several chunks, or a small number where kernels run as plain Python."""
    return min(size, 403) if PLAIN else size


def random(*shape, dtype=np.float64, seed=0):
    """Return normally distributed numbers, always the same ones, that both types can hold."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32).astype(dtype)


#: Bounds of results: none, ReLU's, and both.
LINEAR, RELU, CLIPPED = (-np.inf, np.inf), (0.0, np.inf), (-0.25, 0.5)


def three_bounds(results):
    """Return no bounds, ReLU's, and a pair that cuts off some of the results but not their size."""
    size = float(np.abs(results).max(initial=0))
    return LINEAR, RELU, (-0.3 * size, 0.6 * size)


_MARGIN = 64


def unwritten(*shape, dtype=np.float64):
    """Return memory for an output or a scratch, in which an element that nobody writes shows as NaN, with margins."""
    size = int(np.prod(shape))
    return np.full(size + 2 * _MARGIN, np.nan, dtype)[_MARGIN:_MARGIN + size].reshape(shape)


def assert_within(array):
    """Assert that nobody wrote into the margins around memory that `unwritten` made."""
    whole = array.base
    if whole is not None and whole.ndim == 1 and whole.size == array.size + 2 * _MARGIN:
        assert np.isnan(whole[:_MARGIN]).all(), "written before its beginning"
        assert np.isnan(whole[-_MARGIN:]).all(), "written beyond its end"


def assert_close(got, expected, factor=1.0):
    """Assert the tolerance of the type of `got`, times `factor`, and NaN and infinities at the same places."""
    assert_within(got)
    expected = np.asarray(expected, dtype=np.float64)
    assert got.shape == expected.shape, f"shape {got.shape}, expected {expected.shape}"
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(got[~finite], expected[~finite].astype(got.dtype))
    if finite.any():
        bound = factor * TOLERANCE[got.dtype] * max(np.abs(expected[finite]).max(), 1e-30)
        error = np.abs(got[finite] - expected[finite])
        assert error.max() <= bound, f"error {error.max():.3g}, allowed {bound:.3g}"


@contextlib.contextmanager
def inputs_unchanged(*inputs):
    """Assert that the block leaves these arrays as they were."""
    before = [array.copy() for array in inputs]
    yield
    for array, old in zip(inputs, before, strict=True):
        np.testing.assert_array_equal(array, old)


def assert_same_bits(run):
    """Assert that `run`, which returns arrays, gives the same bits with one thread and with two."""
    results = []
    for threads in (1, 2):  # where one is the most, Numba raises: a run would be compared with itself
        before = numba.get_num_threads()
        numba.set_num_threads(threads)
        try:
            results.append([array.tobytes() for array in run()])
        finally:
            numba.set_num_threads(before)
    assert results[0] == results[1]


def slope(function, x, dy, step=1e-5):
    """Return the gradient of sum(dy * function(x)) with respect to x, by central differences in float64."""
    x = x.copy()
    dx = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        middle = x[i]
        x[i] = middle + step
        above = np.sum(dy * function(x))
        x[i] = middle - step
        dx[i] = (above - np.sum(dy * function(x))) / (2 * step)
        x[i] = middle
    return dx


def assert_slope(got, expected):
    """Assert that a gradient agrees with central differences."""
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-6 * max(1.0, np.abs(expected).max(initial=0)))


def assert_one_specialization_a_type(*kernels):
    """Assert that two types, float32 and float64, made at most two versions of each kernel: no third one.

    A process that was given some tests of a file alone may have seen one type; versions of maps in 16 bits, which other
    tests make, do not count.
    """
    for kernel in kernels:
        found = [one for one in kernel.signatures if not any("uint16" in str(kind) for kind in one)]
        assert len(found) <= 2, f"{kernel.__name__}: {found}"


def assert_vectors(function, *args):
    """Assert that the float32 loops of a kernel's Python function are vector instructions and read no library.

    It is compiled once more, since code from the cache cannot be looked at.
    """
    again = numba.njit(error_model="numpy", fastmath=FLAGS, boundscheck=False)(function)
    again.compile(tuple(a if isinstance(a, numba.types.Type) else numba.typeof(a) for a in args))
    assembly = next(iter(again.inspect_asm().values()))
    assert re.search(r"\bv?(mul|fn?m(add|sub)\d+)ps\b|\bf(mul|mla)\s+v\d+\.4s", assembly)
    assert not re.search(r"\bv(scatter|gather)", assembly), "an index that might be negative"
    assert not re.search(r"\b(expf?|logf?|tanhf?|erfc?f?)(@|\b)", assembly), "a call of the library for each element"
