"""The register tile on every kind of vector: which registers the assembly uses, and that the numbers stay right."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastcnn
from fastcnn.kernels.cpu.compile.policy import kernel
from fastcnn.kernels.cpu.gemm import tile, walk, walk_tiles
from fastcnn.kernels.cpu.gemm.tile import M0, M1, M2, M3
from fastcnn.kernels.cpu.simd.width import features, lanes
from tests.kernels.checking import CLIPPED, LINEAR, RELU

ROOT = Path(fastcnn.__file__).parents[1]
TARGETS = {
    "AVX2": {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx2,+fma"},
    "SSE2": {"NUMBA_CPU_NAME": "generic"},
}


@kernel
def product(c, a, b, start, bounds):
    """c = a b + start, with b (depth, width) packed to whole vectors."""
    rows, depth = a.shape
    columns = c.shape[1]
    walk.walk((c.reshape(-1), (0, columns)), (a.reshape(-1), (0, depth, 0, 0, 1)),
              (b.reshape(-1), (0, 0, 0, b.shape[1])), (1, 1, depth),
              walk.Sums(columns, start, np.int64(0), 0, bounds), rows)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("bounds", [LINEAR, RELU, CLIPPED])
def test_a_walk_of_any_height_and_width_is_the_product(dtype, bounds):
    draw = np.random.default_rng(0)
    one = lanes(np.dtype(dtype))
    for rows in (*range(1, 2 * tile.M0 + 2), 61):
        for columns in (1, one - 1, one, one + 1, 2 * one):
            width = one if columns <= one else 2 * one
            a = draw.standard_normal((rows, 17)).astype(dtype)
            b = np.zeros((17, width), dtype)
            b[:, :columns] = draw.standard_normal((17, columns))
            start = draw.standard_normal(width).astype(dtype)
            c = np.full((rows, columns), np.nan, dtype)
            product(c, a, b, start, np.array(bounds, dtype))
            expected = a.astype("float64") @ b[:, :columns] + start[:columns]
            expected = np.clip(expected, *bounds)
            tolerance = 2e-6 if dtype == "float32" else 1e-14
            assert np.abs(c - expected).max() <= tolerance * max(1, np.abs(expected).max())


def test_nan_passes_through_bounds():
    one = lanes(np.dtype("float32"))
    c = np.empty((1, one), np.float32)
    product(c, np.array([[np.nan]], np.float32), np.ones((1, one), np.float32), np.zeros(one, np.float32),
            np.array(CLIPPED, np.float32))
    assert np.isnan(c).all()


def assembly(cache, **target):
    """Return the name of the vectors and the assembly of the float32 tiles, compiled in a process of its own."""
    code = """
from numba import types
from fastcnn.kernels.cpu.gemm import walk_tiles
from fastcnn.kernels.cpu.simd.width import features
walk_tiles.shared.publish(types.float32)
print(features()[0], *walk_tiles.shared.dispatcher.inspect_asm().values())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT,
                          env={**os.environ, **target, "PYTHONPATH": str(ROOT), "FASTCNN_CACHE_DIR": str(cache)})
    return done.stdout.split(" ", 1)


def test_the_inner_loop_keeps_its_sums_in_registers(tmp_path):
    """A block of M0 x 2 multiply-adds between two jumps is one step of the tallest tile; it stores no vector."""
    _, text = assembly(tmp_path)
    steps = [block for block in re.split(r"\n\s+j\w+\s.*|\n\.L\w+:", text) if "vfmadd" in block]
    if not steps:
        pytest.skip("this CPU has no fused multiply-add")
    full = [block for block in steps if block.count("vfmadd") == 2 * tile.M0]
    assert full
    assert not any(re.search(r"vmov\w+\s+%[xyz]mm\d+, [^%]", block) for block in full)


@pytest.mark.parametrize("target", TARGETS)
def test_the_same_source_compiles_for_other_vectors(target, tmp_path):
    name, text = assembly(tmp_path, **TARGETS[target])
    zmm, ymm, xmm = (text.count(f"%{kind}mm") for kind in "zyx")
    assert name == target
    assert zmm == 0
    assert ymm > 100 if target == "AVX2" else (ymm == 0 and xmm > 100)


#: Each kernel costs seconds of compiling, for each target and type.
ON_OTHER_VECTORS = "((test_tile and walk) or test_conv) and float32"
#: What else is emitted for vectors comes in with convolutions: activations, depthwise, Winograd.
ALL_ON_OTHER_VECTORS = ("(test_tile and (walk or relu)) or test_conv or "
                        "(test_laws and (Conv2D or Dense) and not Transpose and not Separable and not softmax)")


def run_on(target, tests):
    """Run tests of the tile, of convolution and of layers in a process that compiles for other vectors."""
    files = ["tests/kernels/gemm/test_tile.py", "tests/kernels/conv/test_conv.py", "tests/layers/test_laws.py"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *files, "-k",
         f"not other_vectors and not registers and ({tests})"],
        capture_output=True, text=True, cwd=ROOT, env={**os.environ, **TARGETS[target], "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout


@pytest.mark.parametrize("target", TARGETS)
def test_tile_and_convolution_of_float32_pass_on_other_vectors(target):
    run_on(target, ON_OTHER_VECTORS)


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_tile_convolution_and_dense_of_both_types_pass_on_other_vectors(target):
    run_on(target, ALL_ON_OTHER_VECTORS)


def test_the_tile_fills_the_registers_of_this_machine():
    _, width, registers = features()
    assert lanes(np.dtype("float32")) * 4 == width
    assert registers >= 2 * tile.M0 + 3


@pytest.mark.parametrize("two", [True, False])
@pytest.mark.parametrize("highest", [M0, M1])
def test_tiles_cover_all_rows_and_stand_over_the_end_by_few(highest, two, monkeypatch):
    """The last rows share a tile where a core multiplies two vectors a cycle; else no tile is taller than they are."""
    monkeypatch.setattr(walk_tiles, "TWO", two)
    height_of = getattr(walk_tiles.height_of, "py_func", walk_tiles.height_of)
    for rows in range(1, 4 * M0):
        left = rows
        while left > 0:
            height = height_of(left, highest)
            assert height in (M0, M1, M2, M3)
            assert height <= highest
            assert height - left <= (walk_tiles.SPARE if two else M3 - 1)
            left -= height
