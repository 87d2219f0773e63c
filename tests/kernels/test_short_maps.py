"""Kernels whose maps may lie in 16 bits: they give what they give in float32, rounded once where it is stored."""

import numpy as np
import pytest

from fastcnn.geometry.pool import pool2d
from fastcnn.kernels import cpu
from tests import reference
from tests.kernels.checking import unwritten

NONE, RELU, RELU6, LEAKY = (1.0, np.inf), (0.0, np.inf), (0.0, 6.0), (0.2, np.inf)  # slope and ceiling
SINGLE = np.dtype(np.float32)


def drawn(*shape, seed=0):
    """Return numbers in 16 bits, and the same numbers in float32."""
    bits = reference.narrow_bfloat16(np.random.default_rng(seed).standard_normal(shape))
    return bits, reference.widen_bfloat16(bits).astype(np.float32)


def blank(like):
    return np.full_like(like, 0xFFFF) if like.dtype == np.uint16 else np.full_like(like, np.nan)


def normalized(x, addend, rectifier):
    """Return what a forward pass writes: y, mean, rstd, moving statistics."""
    channels = x.shape[1]
    statistics = [np.full(channels, value, np.float32) for value in (np.nan, np.nan, 0.5, 1.0)]
    gamma, beta = np.linspace(0.5, 2, channels, dtype=np.float32), np.linspace(-1, 1, channels, dtype=np.float32)
    y = blank(x)
    scratch = unwritten(cpu.batch_norm_forward_scratch(x.shape, SINGLE), dtype=np.float32)
    cpu.batch_norm_forward(y, *statistics, scratch, x, addend.reshape(-1), gamma, beta, 0.9, 1e-3, *rectifier)
    return y, *statistics


def gradients(dy, x, mean, rstd, rectifier):
    channels = x.shape[1]
    gamma, beta = np.linspace(0.5, 2, channels, dtype=np.float32), np.linspace(-1, 1, channels, dtype=np.float32)
    dx, dgamma, dbeta = blank(x), np.ones(channels, np.float32), np.ones(channels, np.float32)
    scratch = unwritten(cpu.batch_norm_backward_scratch(x.shape, SINGLE), dtype=np.float32)
    cpu.batch_norm_backward(dx, dgamma, dbeta, scratch, dy, x, mean, rstd, gamma, beta, *rectifier)
    return dx, dgamma, dbeta


def assert_rounded(short, single):
    """Assert that what was written in 16 bits is what was written in float32, rounded, and that all else is the same.

    LLVM fuses a multiplication and an addition in one of the two versions and not in the other now and then: that is a
    bit of a float32, and where this lies at the middle between two numbers of bfloat16, it is rounded to the other.
    """
    for one, other in zip(short, single, strict=True):
        if one.dtype == np.uint16:
            found, wanted = reference.widen_bfloat16(one), other.astype(np.float64)
            same = np.isfinite(wanted)
            assert np.array_equal(found[~same], wanted[~same], equal_nan=True)
            assert (np.abs(found - wanted)[same] <= 2.0**-8 * np.abs(wanted)[same] * (1 + 1e-3) + 1e-6).all()
        else:
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(0, 3), (2, 1), (300, 6), (77, 64), (130, 513), (20_001, 5), (70_000, 64)], ids=str)
@pytest.mark.parametrize("rectifier", [NONE, RELU, RELU6, LEAKY], ids=["plain", "relu", "relu6", "leaky"])
def test_batch_normalization(shape, rectifier, two_threads):
    (x, wide_x), (dy, wide_dy) = drawn(*shape), drawn(*shape, seed=1)
    for addend, wide_addend in ((dy[:0], wide_dy[:0]), (dy, wide_dy)):
        single = normalized(wide_x, wide_addend, rectifier)
        for threads in (1, 2):
            two_threads(threads)
            assert_rounded(normalized(x, addend, rectifier), single)
    mean, rstd = single[1:3]
    assert_rounded(gradients(dy, x, mean, rstd, rectifier), gradients(wide_dy, wide_x, mean, rstd, rectifier))


@pytest.mark.parametrize(("shape", "size", "stride", "padding"), [
    ((2, 9, 8, 40), 3, 2, "same"), ((1, 8, 8, 16), 2, 2, "valid"), ((1, 5, 5, 3), 3, 1, "valid"),
    ((1, 4, 4, 17), 2, 3, "same")], ids=str)
@pytest.mark.parametrize("number", [None, np.nan, -np.inf])
def test_max_pooling(shape, size, stride, padding, number):
    g = pool2d(shape, (size, size), (stride, stride), padding)
    x, wide_x = drawn(*shape)
    if number is not None:
        wide_x[0, 1] = number
        x = reference.narrow_bfloat16(wide_x)
    out = shape[0], int(g[0]["oh"]), int(g[0]["ow"]), shape[3]
    dy, wide_dy = drawn(*out, seed=1)
    found = []
    for one, slope in ((x, dy), (wide_x, wide_dy)):
        y, argmax, dx = np.zeros(out, one.dtype), np.zeros(out, cpu.max_pool2d_index_type(g)), blank(one)
        cpu.max_pool2d_forward(y, argmax, one, g)
        cpu.max_pool2d_backward(dx, slope, argmax, g)
        found.append((y, argmax, dx))
    assert_rounded(*found)
