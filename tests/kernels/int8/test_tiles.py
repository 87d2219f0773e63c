"""Convolutions of bytes on tiles, by plain code and by the unit where there is one; whether a unit is trusted."""

import numpy as np
import pytest

from fastcnn.kernels.cpu.amx import instructions, product
from fastcnn.kernels.cpu.int8 import unit
from fastcnn.kernels.cpu.int8.tiles import (
    quantized_tiles2d,
    quantized_tiles2d_columns,
    quantized_tiles2d_packed,
    quantized_tiles2d_scratch,
    quantized_tiles2d_suits,
)
from tests import reference
from tests.kernels.amx.test_tiles import HERE, assembly
from tests.kernels.checking import assert_same_bits
from tests.kernels.int8.test_conv import BOUNDS, ZERO, drawn, run

#: Input, filters, window, strides, dilation: rows in place and their last ones, few channels, stride, dilation, depth
#: that ends within a step, and beside a step.
CASES = [((2, 7, 7, 64), 40, (1, 1), (1, 1), (1, 1)), ((2, 5, 7, 3), 20, (3, 3), (1, 1), (1, 1)),
         ((1, 9, 10, 24), 33, (3, 2), (2, 1), (1, 1)), ((1, 9, 9, 18), 17, (3, 3), (1, 1), (2, 2)),
         ((33, 1, 1, 128), 64, (1, 1), (1, 1), (1, 1)), ((1, 12, 9, 65), 32, (1, 1), (2, 2), (1, 1))]


@pytest.fixture(params=HERE)
def which(request, monkeypatch):
    """Multiply by each kind of instructions for bytes that this machine has."""
    monkeypatch.setattr(product.byte_instructions_now, "value", request.param)
    return request.param


def on_tiles(y, x, packed, columns, bounds, zero, g):
    scratch = np.full(quantized_tiles2d_scratch(g) + 64, 99, np.uint8)
    quantized_tiles2d(y, scratch[:-64], x, packed, columns, bounds, zero, g)
    assert (scratch[-64:] == 99).all()


@pytest.mark.usefixtures("which")
@pytest.mark.parametrize("zero", [ZERO, -1])
@pytest.mark.parametrize("case", CASES)
def test_convolution_on_tiles_has_the_integers_of_its_twin(case, zero):
    g, x, weights, start, scale = drawn(*case, 1, slack=0)
    columns = (quantized_tiles2d_columns(start, scale),)
    got = run(on_tiles, g, x, quantized_tiles2d_packed(g, weights), columns, zero)
    want = reference.quantized_conv2d(x, weights, start, scale, BOUNDS, zero, g).reshape(-1)
    np.testing.assert_array_equal(got, want)
    assert want.min() < want.max()


def test_products_on_tiles_have_the_same_bits_on_any_number_of_threads():
    g, x, weights, start, scale = drawn((4, 20, 20, 32), 96, (3, 3), (1, 1), (1, 1), 1, slack=0)
    columns = (quantized_tiles2d_columns(start, scale),)
    packed = quantized_tiles2d_packed(g, weights)
    assert_same_bits(lambda: run(on_tiles, g, x, packed, columns, ZERO))


def test_a_block_of_bytes_agrees_with_its_twin_and_wraps_as_integers_of_32_bits(which):
    draw = np.random.default_rng(3)
    a, b = draw.integers(0, 256, (40, 192), np.uint8), draw.integers(-128, 128, 2 * 2 * 2048, np.int8)
    c, taps = np.full((32, 32), -1, np.int32), np.array([0, 5 * 192 + 64])
    unit.byte_tile_product(c, a, b, taps, 2)
    np.testing.assert_array_equal(c, reference.byte_tile_product(a, b, taps, 2))
    unit.byte_tile_product(c, a, b, np.zeros(0, np.int64), 2)
    assert not c.any()
    np.testing.assert_array_equal(unit.sums(which, a[:32, :128].copy(), b[:4096]),
                                  reference.byte_tile_product(a[:32, :128].copy(), b[:4096], [0], 2))


def test_a_block_of_bytes_of_the_unit_is_four_loads_and_four_products():
    text = assembly(instructions.UnitTiles, "+amx-tile,+amx-bf16,+amx-int8", 8)
    wanted = {"tileloadd": 4, "tdpbusd": 4, "tilestored": 4, "tilezero": 4}
    assert {name: text.count(f"\t{name}\t") for name in wanted} == wanted


@pytest.fixture
def has_unit(monkeypatch):
    """Let this machine seem to have a unit."""
    unit.chosen.cache_clear()
    monkeypatch.setattr(instructions, "known", lambda which: True)
    monkeypatch.setattr(unit, "permitted", lambda: True)
    monkeypatch.setattr(product.byte_instructions_now, "value", 0)  # so that it is set back
    yield
    unit.chosen.cache_clear()


@pytest.mark.usefixtures("has_unit")
def test_a_unit_that_gives_the_integers_of_plain_code_is_used_and_one_that_gives_others_is_not(monkeypatch):
    right = unit.sums
    monkeypatch.setattr(unit, "sums", lambda which, a, b: right(instructions.VECTOR, a, b))
    assert unit.chosen() == ("amx", "AMX tiles, whose products were compared")
    assert product.byte_instructions_now.value == instructions.UNIT
    unit.chosen.cache_clear()
    monkeypatch.setattr(unit, "sums", lambda which, a, b: right(instructions.VECTOR, a, b) + which)
    assert unit.chosen().name in ("vnni", "vectors")
    assert unit.chosen().reason.endswith("AMX tiles gave other products than plain code")


@pytest.mark.usefixtures("has_unit")
def test_a_unit_is_not_used_where_the_system_or_the_environment_refuses_it(monkeypatch):
    monkeypatch.setattr(unit, "permitted", lambda: False)
    assert "the system refuses the state of AMX tiles to this process" in unit.chosen().reason
    for told, why in (("vectors", "FASTCNN_INT8 asks for vectors"),
                      ("avx", "FASTCNN_INT8='avx' is neither amx nor vectors")):
        unit.chosen.cache_clear()
        monkeypatch.setenv("FASTCNN_INT8", told)
        assert unit.chosen().name in ("vnni", "vectors")
        assert unit.chosen().reason.endswith(why)


def test_convolutions_that_fill_tiles_suit_where_there_are_some(monkeypatch):
    geometries = [drawn(*case, slack=0)[0] for case in (
        ((1, 5, 5, 16), 16, (1, 1), (1, 1), (1, 1), 1), ((1, 5, 5, 3), 32, (3, 3), (1, 1), (1, 1), 1),
        ((1, 5, 5, 16), 8, (3, 3), (1, 1), (1, 1), 1), ((1, 5, 5, 32), 32, (3, 3), (1, 1), (1, 1), 2))]
    for name, wanted in (("tiles", [True, True, False, False]), ("vnni", [False] * 4)):
        monkeypatch.setattr(unit, "chosen", lambda name=name: unit.Chosen(name, ""))
        assert list(map(quantized_tiles2d_suits, geometries)) == wanted
