"""Vectors of pairs of bfloat16: the instruction, and the plain code in its place, against float64."""

import numpy as np
import pytest
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from fastcnn.kernels.cpu.simd import pairs, short
from fastcnn.kernels.cpu.simd.width import lanes
from tests import reference

LANES = lanes("float32")


@pytest.fixture(params=[True, False])
def with_unit(request, monkeypatch):
    """Emit the instructions of the unit, where there are any, and plain code."""
    if request.param and not short.has_unit():
        pytest.skip("this CPU has no AVX512-BF16")
    monkeypatch.setattr(short, "has_unit", lambda: request.param)


def emitted(what, count):
    """Return a function, compiled now, whose arguments are pointers to `count` arrays."""
    @intrinsic
    def emit(typingctx, arrays):
        def codegen(context, builder, signature, args):
            given = cgutils.unpack_tuple(builder, args[0])
            what(pairs.BFloatPairs(builder), [context.make_array(kind)(context, builder, one).data
                                        for kind, one in zip(signature.args[0].types, given, strict=True)])
            return context.get_dummy_value()

        return types.void(arrays), codegen

    return njit(lambda *arrays: emit(arrays))


def bits(numbers):
    return reference.narrow_bfloat16(numbers)


@pytest.mark.usefixtures("with_unit")
def test_two_products_and_their_sum_in_each_lane():
    def add(v, pointers):
        slot = cgutils.alloca_once(v.b, v.vector)
        v.b.store(v.load(pointers[0]), slot)
        v.add_product(slot, v.load(pointers[1]), v.load(pointers[2]))
        v.store(v.b.load(slot), pointers[0])

    draw = np.random.default_rng(0)
    a, b = (bits(draw.standard_normal(2 * LANES)) for _ in range(2))
    y = draw.standard_normal(LANES).astype(np.float32)
    expected = reference.add_products_of_pairs(y, a, b)
    emitted(add, 3)(y, a.view(np.uint32), b.view(np.uint32))
    np.testing.assert_allclose(y, expected, rtol=0, atol=3 * 2**-24 * (np.abs(expected).max() + 10))


@pytest.mark.usefixtures("with_unit")
def test_numbers_are_rounded_to_the_nearest_with_ties_to_even_and_read_again():
    def round_trip(v, pointers):
        v.keep(v.load(pointers[1]), pointers[0])
        v.keep(v.numbers(pointers[0]), pointers[2])

    special = [0.0, -0.0, 1.00390625, 1.01171875, np.inf, -np.inf, np.nan, 3.4e38, -1.5, 1.1754944e-38]
    x = np.resize(np.array(special, np.float32), -(-len(special) // LANES) * LANES)
    y, again = np.zeros(x.size, np.uint16), np.zeros(x.size, np.float32)
    run = emitted(round_trip, 3)
    for at in range(0, x.size, LANES):
        run(*(one[at:at + LANES] for one in (y, x, again)))
    expected = reference.round_bfloat16(x).astype(np.float32)
    np.testing.assert_array_equal(again, expected)  # NaN beside NaN
    np.testing.assert_array_equal(np.signbit(again), np.signbit(expected))


@pytest.mark.usefixtures("with_unit")
def test_products_that_are_compared_are_those_of_the_numbers():
    y = np.zeros(2 * LANES, np.float32)
    ones = np.full(2 * LANES, 0x3F803F80, np.uint32)
    pairs.add_products_of_pairs(y, ones, ones)
    assert (y == 2).all()
    pairs.add_products_of_pairs(y, ones, np.full(2 * LANES, 0xC0003F80, np.uint32))  # 1 and -2
    assert (y == 1).all()
