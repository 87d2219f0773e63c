"""What a forward pass saves for its way back: as it is, or in 16 bits."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn.kernels import rectifier
from fastcnn.kernels.codes import GELU
from fastcnn.operations.activation import RELU, Elementwise
from fastcnn.operations.batch_normalization import batch_normalization
from fastcnn.operations.bfloat16 import NarrowSaving
from fastcnn.operations.saved import saved, saving_by
from tests import reference
from tests.operations.checking import parameter

ml_dtypes = pytest.importorskip("ml_dtypes")

DRAW = np.random.default_rng(0)


def normal(*shape):
    return DRAW.standard_normal(shape).astype(np.float32)


def rounded(x):
    return reference.round_bfloat16(x).astype(np.float32)


def test_an_array_is_saved_as_it_is_unless_somebody_saves_otherwise():
    x = normal(3)
    assert saved(x)() is x
    with saving_by(NarrowSaving()):
        again = saved(x)
        assert again() is not x
        with pytest.raises(ZeroDivisionError), saving_by(lambda _: 1 // 0):
            saved(x)
        np.testing.assert_array_equal(saved(x)(), rounded(x))
    assert saved(x)() is x
    np.testing.assert_array_equal(again(), rounded(x))


def test_one_array_is_stored_in_16_bits_once_in_whatever_shape_it_is_saved():
    saving, x = NarrowSaving(), normal(4, 6)
    first = saving.narrow(x)
    assert (first.dtype, first.shape) == (ml_dtypes.bfloat16, (4, 6))
    assert np.shares_memory(saving.narrow(x.reshape(24)), first)
    np.testing.assert_array_equal(saving.narrow(x.reshape(24)), first.reshape(24))
    square = normal(5, 5)
    kept = saving.narrow(square)
    # A transposed view has the address and the size, but not the order, of the array that it views.
    np.testing.assert_array_equal(saving.narrow(square.T), kept.T)
    np.testing.assert_array_equal(saving(square.T)(), square.T)


def test_integers_and_numbers_of_double_precision_stay_as_they_are():
    saving = NarrowSaving()
    for x in (np.arange(4), np.arange(4.0)):
        assert saving(x)() is x


def test_memory_of_what_was_saved_is_free_when_its_closure_goes():
    saving, x = NarrowSaving(), fc.device.cpu.empty((1000,), np.float32)
    x[...] = 1.5
    with saving_by(saving):
        y, back = RELU.forward(x)
    before = len(fc.device.cpu.blocks_in_use())
    del saving, y
    assert len(fc.device.cpu.blocks_in_use()) == before - 1  # y of float32; the way back has it in 16 bits
    np.testing.assert_array_equal(back(x), x)
    del back
    assert len(fc.device.cpu.blocks_in_use()) == before - 2


@pytest.mark.parametrize("function", [RELU, Elementwise("gelu", GELU)], ids=["of y", "of x"])
def test_the_slope_of_a_function_is_that_at_the_rounded_number(function):
    x, dy = 3 * normal(50), normal(50)
    with saving_by(NarrowSaving()):
        _, back = function.forward(x)
    _, exact = function.forward(rounded(x).astype(np.float64))
    np.testing.assert_allclose(back(dy), exact(dy.astype(np.float64)), rtol=0, atol=2e-6)


def test_normalization_goes_back_as_its_twin_in_float64_from_rounded_numbers_and_statistics_of_exact_ones():
    x, dy = (2 * normal(40, 3) + 5).astype(np.float32), normal(40, 3)
    gamma, beta, mean, variance = (parameter(1 + 0.1 * normal(3)) for _ in range(4))
    with saving_by(NarrowSaving()):
        _, back = batch_normalization(x, gamma, beta, mean, variance, 0.9, 1e-3, rectifier.RELU)
    dx = back(dy)
    wide = x.astype(np.float64)
    twin, dgamma, dbeta = reference.batch_norm_backward(
        dy, rounded(x), wide.mean(0), 1 / np.sqrt(wide.var(0) + 1e-3), gamma.value, beta.value, *rectifier.RELU)
    np.testing.assert_allclose(dx, twin, rtol=0, atol=1e-5)
    np.testing.assert_allclose(gamma.grad, dgamma, rtol=0, atol=1e-4)
    np.testing.assert_allclose(beta.grad, dbeta, rtol=0, atol=1e-4)
    assert np.abs(dx - reference.batch_norm_backward(
        dy, x, wide.mean(0), 1 / np.sqrt(wide.var(0) + 1e-3), gamma.value, beta.value, *rectifier.RELU)[0]).max() > 1e-4
