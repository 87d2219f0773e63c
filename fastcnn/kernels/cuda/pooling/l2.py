"""As the CPU's `l2`, on CUDA: what L2 pooling does to single numbers; the sums over windows are average pooling's."""

import math

from fastcnn.kernels.codes import L2_PRODUCT, L2_ROOT
from fastcnn.kernels.cuda.compile.kernel import THREADS, blocks_for, kernel, launcher
from fastcnn.kernels.cuda.compile.pointers import floats
from fastcnn.kernels.cuda.compile.shim import cuda, f32, i32, load1


@launcher(in_place=("a", "b"))
def l2_step(out, a, b, step):
    """Write one step of L2 pooling for each element, as the CPU's."""
    stepped[blocks_for(out.size), THREADS](out, a, b, out.size, step)


@kernel
def stepped(out: floats, a: floats, b: floats, size: i32, step: i32):
    """A thread an element."""
    for i in range(cuda.grid(1), size, cuda.gridsize(1)):
        value = load1(a, i)
        if step == L2_ROOT:
            out[i] = f32(math.sqrt(value))
        else:
            other = load1(b, i)
            quotient = value / other if other != f32(0) else f32(0)
            out[i] = value * other if step == L2_PRODUCT else quotient
