"""The vectors of sigmoid, silu, tanh and hard silu, element by element."""

import numpy as np
import pytest

from fastcnn.geometry import conv2d
from fastcnn.kernels import codes
from fastcnn.kernels.cpu.elementwise.activation import activation_forward
from fastcnn.kernels.cpu.simd.activations import epilogue_activation_suits
from tests.reference_activation import activation_forward as twin

X = np.concatenate([np.linspace(-87, 95, 30_001), np.linspace(-1, 1, 3001), np.geomspace(1e-20, 1, 301)])
X = X.astype(np.float32)


def _applied(x, code):
    y = np.empty_like(x)
    activation_forward(y, x, code, 0.0, 0.0)
    return y


@pytest.mark.parametrize("code", [codes.SIGMOID, codes.SILU, codes.TANH])
def test_each_result_is_good_to_a_few_units_in_the_last_place(code):
    expected = twin(X, code, 0.0, 0.0)
    normal = np.abs(expected) > np.finfo(np.float32).tiny
    error = np.abs(_applied(X, code) - expected)[normal] / np.spacing(np.abs(expected[normal]).astype(np.float32))
    assert error.max() < 6
    assert error[np.abs(expected[normal]) > 1e-8].max() < 4  # in smaller ones it shows that ln 2 is one number


def test_every_nan_stays_one():
    bits = np.array([0x7FC00000 + payload for payload in (0, 1, 2, 5, 255, 0x3FFFFF)], np.uint32)
    x = np.concatenate([bits, bits | np.uint32(1 << 31)] * 3).view(np.float32)
    for code in codes.EPILOGUES:
        assert np.isnan(_applied(x, code)).all()


def test_limits_come_out_right_and_nan_stays():
    x = np.array([np.nan, np.inf, -1e30, -90.0, 0.0, 90.0, 1e30], np.float32)
    np.testing.assert_array_equal(_applied(x, codes.SIGMOID), np.array([np.nan, 1, 0, 0, 0.5, 1, 1], np.float32))
    np.testing.assert_array_equal(_applied(x, codes.SILU), np.array([np.nan, np.inf, 0, 0, 0, 90, 1e30], np.float32))
    np.testing.assert_array_equal(_applied(x, codes.TANH), np.array([np.nan, 1, -1, -1, 0, 1, 1], np.float32))
    np.testing.assert_array_equal(_applied(x, codes.HARD_SILU),
                                  np.array([np.nan, np.inf, 0, 0, 0, 90, 1e30], np.float32))


def test_products_end_in_what_has_no_parameters_in_float32_alone():
    g = conv2d((1, 9, 9, 3), 64, (1, 1))
    assert epilogue_activation_suits(g, codes.SILU, np.float32)
    assert not epilogue_activation_suits(g, codes.SILU, np.float64)
    assert not epilogue_activation_suits(g, codes.LEAKY_RELU, np.float32)


def test_products_of_few_filters_end_in_an_activation_where_positions_are_few_too():
    assert epilogue_activation_suits(conv2d((1, 2, 2, 3), 1, (1, 1)), codes.TANH, np.float32)
    assert not epilogue_activation_suits(conv2d((1, 28, 28, 3), 1, (1, 1)), codes.TANH, np.float32)
