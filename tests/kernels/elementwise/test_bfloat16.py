"""Rounding to bfloat16."""

import numpy as np
import pytest

from fastcnn.kernels import cpu
from tests import reference


def test_rounding_agrees_with_its_twin_at_numbers_of_all_sizes_at_halves_and_beyond():
    draw = np.random.default_rng(0)
    x = np.concatenate([
        draw.standard_normal(1000) * 2.0 ** draw.integers(-140, 120, 1000).astype(float),
        (draw.integers(0, 0x7F00, 1000).astype(np.uint32) << 16 | 0x8000).view(np.float32),  # halfway between two
        [0.0, -0.0, np.inf, -np.inf, np.nan, 3.4e38, -3.4e38, 1e-45, 1.0],
    ]).astype(np.float32)
    y = np.empty_like(x)
    cpu.round_bfloat16(y, x)
    np.testing.assert_array_equal(y, reference.round_bfloat16(x))
    assert not (y.view(np.uint32) & 0xFFFF).any()
    assert np.array_equal(np.signbit(y), np.signbit(x))
    again = y.copy()
    cpu.round_bfloat16(again, again)
    np.testing.assert_array_equal(again.view(np.uint32), y.view(np.uint32))


@pytest.mark.parametrize("bits", [0x7F800001, 0x7FFFFFFF, 0xFFC00000, 0xFF800001])
def test_nan_stays_nan_whatever_its_bits(bits):
    x = np.array([bits], np.uint32).view(np.float32)
    y = np.empty_like(x)
    cpu.round_bfloat16(y, x)
    assert np.isnan(y[0])


def test_ml_dtypes_rounds_as_the_kernel_does():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    x = np.random.default_rng(1).standard_normal(10_000).astype(np.float32)
    y = np.empty_like(x)
    cpu.round_bfloat16(y, x)
    np.testing.assert_array_equal(y, x.astype(ml_dtypes.bfloat16).astype(np.float32))


def test_narrowing_and_widening_agree_with_their_twins_on_any_number_of_threads(two_threads):
    draw = np.random.default_rng(2)
    x = (draw.standard_normal(70_001) * 2.0 ** draw.integers(-130, 120, 70_001)).astype(np.float32)
    x[:4] = 0.0, -0.0, np.inf, -np.inf
    for threads in (1, 2):
        two_threads(threads)
        bits, y = np.empty(x.size, np.uint16), np.empty_like(x)
        cpu.narrow_bfloat16(bits, x)
        cpu.widen_bfloat16(y, bits)
        np.testing.assert_array_equal(bits, reference.narrow_bfloat16(x))
        np.testing.assert_array_equal(y, reference.widen_bfloat16(bits))
        np.testing.assert_array_equal(y, reference.round_bfloat16(x))
    cpu.narrow_bfloat16(bits[:1], np.array([np.nan], np.float32))
    cpu.widen_bfloat16(y[:1], bits[:1])
    assert np.isnan(y[0])


def test_sums_and_relu_s_gradient_in_16_bits_agree_with_numpy_and_may_overwrite_what_they_read(two_threads):
    draw = np.random.default_rng(3)
    a, b = (reference.narrow_bfloat16(draw.standard_normal(70_001)) for _ in range(2))
    b[:6] = 0, 0x8000, 0x7F80, 0xFF80, 0x7FC0, 0x0001  # zeros, infinities, NaN, and a number next to zero
    wanted, let_by = reference.add_bfloat16(a, b), reference.relu_backward_bfloat16(a, b)
    for threads in (1, 2):
        two_threads(threads)
        y, dx = np.empty_like(a), np.empty_like(a)
        cpu.add_bfloat16(y, a, b)
        cpu.relu_backward_bfloat16(dx, a, b)
        assert np.isnan(reference.widen_bfloat16(y)[4])
        np.testing.assert_array_equal(np.delete(y, 4), np.delete(wanted, 4))
        np.testing.assert_array_equal(np.delete(dx, 4), np.delete(let_by, 4))
        for kernel, found in ((cpu.add_bfloat16, y), (cpu.relu_backward_bfloat16, dx)):
            own = a.copy()
            kernel(own, own, b)
            np.testing.assert_array_equal(own, found)


@pytest.mark.parametrize(("channels", "more"), [(3, 4), (5, 6), (1, 2)])
def test_pixels_get_channels_of_zeros(channels, more):
    x = np.random.default_rng(4).integers(0, 1 << 16, (20_003, channels), dtype=np.uint16)
    y = np.full((len(x), more), 99, np.uint16)
    cpu.pad_short_pixels(y, x)
    np.testing.assert_array_equal(y, reference.pad_short_pixels(x, more))
