"""The vectors of sigmoid, silu and hard silu, element by element."""

import numpy as np
import pytest

from fastcnn.kernels import codes
from fastcnn.kernels.cpu.elementwise.activation import activation_forward
from fastcnn.kernels.cpu.simd.activations import epilogue_activation_possible
from tests.reference_activation import activation_forward as twin

X = np.concatenate([np.linspace(-87, 95, 30_001), np.linspace(-1, 1, 3001)]).astype(np.float32)


def _applied(x, code):
    y = np.empty_like(x)
    activation_forward(y, x, code, 0.0, 0.0)
    return y


@pytest.mark.parametrize("code", [codes.SIGMOID, codes.SILU])
def test_each_result_is_good_to_a_few_units_in_the_last_place(code):
    expected = twin(X, code, 0.0, 0.0)
    normal = np.abs(expected) > np.finfo(np.float32).tiny
    error = np.abs(_applied(X, code) - expected)[normal] / np.spacing(np.abs(expected[normal]).astype(np.float32))
    assert error.max() < 4


def test_limits_come_out_right_and_nan_stays():
    x = np.array([np.nan, np.inf, -1e30, -90.0, 0.0, 90.0, 1e30], np.float32)
    np.testing.assert_array_equal(_applied(x, codes.SIGMOID), np.array([np.nan, 1, 0, 0, 0.5, 1, 1], np.float32))
    np.testing.assert_array_equal(_applied(x, codes.SILU), np.array([np.nan, np.inf, 0, 0, 0, 90, 1e30], np.float32))
    np.testing.assert_array_equal(_applied(x, codes.HARD_SILU),
                                  np.array([np.nan, np.inf, 0, 0, 0, 90, 1e30], np.float32))


def test_products_end_in_what_has_no_parameters_in_float32_alone():
    assert epilogue_activation_possible(codes.SILU, np.float32)
    assert not epilogue_activation_possible(codes.SILU, np.float64)
    assert not epilogue_activation_possible(codes.LEAKY_RELU, np.float32)
