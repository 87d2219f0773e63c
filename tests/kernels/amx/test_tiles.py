"""Tiles: the emulated instructions against NumPy, the unit's in the assembly, and whether a unit is trusted."""

import llvmlite.binding as llvm
import numpy as np
import pytest
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from fastcnn.kernels.cpu.amx import instructions, product, unit
from tests import reference
from tests.kernels.amx.bfloat16 import bits, packed

#: The numbers of the instructions that run here.
HERE = [number for number in (instructions.VECTOR, instructions.UNIT)
        if instructions.known(number) and (number != instructions.UNIT or unit.permitted())]


@pytest.fixture(params=HERE)
def which(request, monkeypatch):
    """Multiply by each kind of instructions that this machine has."""
    monkeypatch.setattr(product.instructions_now, "value", request.param)


@pytest.mark.usefixtures("which")
def test_a_block_agrees_with_its_twin():
    draw = np.random.default_rng(0)
    a, w = bits(draw.standard_normal((45, 96))), bits(draw.standard_normal((3, 64, 32)))
    taps = np.array([0, 5 * 96, 12 * 96 + 32])
    c = np.full((32, 32), np.nan, np.float32)
    product.tile_product(c, a, packed(w), taps, 2)
    wanted = reference.tile_product(a, packed(w), taps, 2)
    # Products of bfloat16 are exact in float32: what is left is the rounding of sums of 192 of them.
    np.testing.assert_allclose(c, wanted, rtol=0, atol=192 * 2**-24 * np.abs(wanted).max())


@pytest.mark.usefixtures("which")
def test_a_block_without_taps_is_zero_and_one_with_nan_has_it_in_its_row_alone():
    a, w = np.ones((32, 32), np.float32), np.ones((1, 32, 32), np.float32)
    a[3, 7] = np.nan
    c = np.full((32, 32), np.nan, np.float32)
    product.tile_product(c, bits(a), packed(bits(w)), np.zeros(0, np.int64), 1)
    assert not c.any()
    product.tile_product(c, bits(a), packed(bits(w)), np.zeros(1, np.int64), 1)
    assert np.isnan(c[3]).all()
    assert np.array_equal(np.delete(c, 3, 0), np.full((31, 32), 32))


@intrinsic
def _bytes_product(typingctx, c, a, b):
    def codegen(context, builder, signature, args):
        tiles = instructions.VectorTiles(builder)
        c, a, b = (builder.bitcast(context.make_array(kind)(context, builder, array).data, ir.IntType(8).as_pointer())
                   for kind, array in zip(signature.args, args, strict=True))
        step = ir.IntType(64)(64)
        for t, pointer in enumerate((c, a, b)):
            tiles.load(t, pointer, step)
        tiles.add_u8s8(0, 1, 2)
        tiles.store(0, c, step)
        return context.get_dummy_value()

    return types.void(c, a, b), codegen


def test_a_product_of_bytes_is_that_of_the_integers():
    draw = np.random.default_rng(1)
    a, b = draw.integers(0, 256, (16, 64), np.uint8), draw.integers(-128, 128, (64, 16), np.int8)
    c = draw.integers(-99, 99, (16, 16), np.int32)
    wanted = c + a.astype(np.int32) @ b.astype(np.int32)
    njit(lambda *arrays: _bytes_product(*arrays))(
        c, a, np.ascontiguousarray(b.reshape(16, 4, 16).transpose(0, 2, 1)))
    np.testing.assert_array_equal(c, wanted)


def assembly(kind, features, bits=16):
    """Return the assembly of a block by an emitter, of numbers of 16 or 8 bits, for a processor with some features."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    i8, i64 = ir.IntType(8).as_pointer(), ir.IntType(64)
    module = ir.Module()
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [i8, i8, i8, i64.as_pointer(), i64, i64, i64]), "f")
    builder = ir.IRBuilder(function.append_basic_block())
    c, a, b, taps, row, count, steps = function.args
    tiles = kind(builder)
    tiles.configure()
    product._emit(builder, tiles, (c, a, b), (row, taps, count, steps), bits)
    tiles.release()
    builder.ret_void()
    target = llvm.Target.from_triple("x86_64-unknown-linux-gnu").create_target_machine(
        cpu="x86-64-v4", features=features, opt=2)
    parsed = llvm.parse_assembly(str(module))
    llvm.create_pass_builder(target, llvm.create_pipeline_tuning_options(2)).getModulePassManager().run(
        parsed, llvm.create_pass_builder(target, llvm.create_pipeline_tuning_options(2)))
    return target.emit_assembly(parsed)


def test_a_block_of_the_unit_is_four_loads_and_four_products_of_three_different_tiles():
    text = assembly(instructions.UnitTiles, "+amx-tile,+amx-bf16,+amx-int8")
    wanted = {"ldtilecfg": 1, "tileloadd": 4, "tdpbf16ps": 4, "tilestored": 4, "tilezero": 4}
    assert {name: text.count(f"\t{name}\t") for name in wanted} == wanted
    assert "tilerelease" in text
    products = [line.split("\t")[2].split(", ") for line in text.splitlines() if "\ttdpbf16ps" in line]
    assert sorted(one[2] for one in products) == ["%tmm0", "%tmm1", "%tmm2", "%tmm3"]
    assert all(len(set(one)) == 3 for one in products)


def test_a_unit_that_gives_other_products_is_not_used(monkeypatch):
    unit.chosen.cache_clear()
    monkeypatch.setattr(instructions, "known", lambda which: True)
    monkeypatch.setattr(unit, "permitted", lambda: True)
    monkeypatch.setattr(unit.short, "has_unit", lambda: False)
    right = unit._sums
    monkeypatch.setattr(unit, "_sums", lambda which, *operands: right(instructions.VECTOR, *operands) + which)
    assert unit.chosen().name == "emulation"
    assert "AMX tiles gave other products than plain code" in unit.chosen().reason
    unit.chosen.cache_clear()


def test_a_unit_whose_state_the_system_refuses_is_not_used(monkeypatch):
    unit.chosen.cache_clear()
    monkeypatch.setattr(instructions, "known", lambda which: which == instructions.UNIT)
    monkeypatch.setattr(unit.short, "has_unit", lambda: False)
    monkeypatch.setattr(unit, "permitted", lambda: False)
    assert unit.chosen() == ("emulation", "the system refuses the state of AMX tiles to this process; the CPU has no "
                                          "AVX512-BF16")
    unit.chosen.cache_clear()


@pytest.mark.parametrize(("named", "reason"), [
    ("emulation", "FASTCNN_BF16 asks for it"),
    ("amx512", "FASTCNN_BF16='amx512' is none of amx, avx512_bf16, emulation"),
])
def test_the_environment_names_a_back_end(named, reason, monkeypatch):
    unit.chosen.cache_clear()
    monkeypatch.setenv("FASTCNN_BF16", named)
    assert unit.chosen() == ("emulation", reason)
    unit.chosen.cache_clear()


def test_a_unit_that_gives_the_products_of_plain_code_is_used(monkeypatch):
    unit.chosen.cache_clear()
    monkeypatch.setattr(instructions, "known", lambda which: True)
    monkeypatch.setattr(unit, "permitted", lambda: True)
    right = unit._sums
    monkeypatch.setattr(unit, "_sums", lambda which, *operands: right(instructions.VECTOR, *operands))
    monkeypatch.setattr(product.instructions_now, "value", 0)  # so that it is set back
    assert unit.chosen().name == "amx"
    assert product.instructions_now.value == instructions.UNIT
    unit.chosen.cache_clear()
