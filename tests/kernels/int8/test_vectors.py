"""The same integers from the instruction for products of bytes and from what stands in for it."""

import os
import subprocess
import sys

import numpy as np
import pytest
from numba import njit, types
from numba.extending import intrinsic

from fastcnn.kernels.cpu.compile.operands import unpacked
from fastcnn.kernels.cpu.int8.vectors import WIDTH, Bytes, multiplies_bytes


def product(with_instruction):
    @intrinsic
    def emit(typingctx, sums, x, w):
        def codegen(context, builder, signature, args):
            sums, x, w = (unpacked(context, builder, *pair)[0] for pair in zip(signature.args, args))
            v = Bytes(builder, with_instruction)
            total = v.dot(v.load(sums), v.load_sums(x), v.load_sums(w))
            builder.store(total, builder.bitcast(sums, total.type.as_pointer()), align=4)
            return context.get_dummy_value()

        return types.void(sums, x, w), codegen

    return njit(lambda sums, x, w: emit((sums, 0), (x, 0), (w, 0)))


@pytest.mark.parametrize("with_instruction", [False, *([True] if multiplies_bytes() else [])])
def test_products_of_bytes_are_exact_with_and_without_the_instruction(with_instruction):
    draw, run = np.random.default_rng(0), product(with_instruction)
    for x, w in ((draw.integers(0, 256, WIDTH), draw.integers(-128, 128, WIDTH)), (np.full(WIDTH, 255),) * 2):
        x, w = x.astype(np.uint8), w.astype(np.int8)
        sums = draw.integers(-9, 9, WIDTH // 4).astype(np.int32)
        want = sums + (x.astype(int) * w.astype(int)).reshape(-1, 4).sum(-1)
        run(sums, x, w)
        np.testing.assert_array_equal(sums, want)


@pytest.mark.slow
@pytest.mark.parametrize("features", [("haswell", "+avx2,+fma"), ("x86-64", "+sse2")])
def test_all_kernels_on_bytes_have_their_integers_on_machines_without_the_instruction(features, tmp_path):
    name, more = features
    environment = {**os.environ, "NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": more, "FASTCNN_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not slow",
                           "tests/kernels/int8"], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
