"""As the CPU's `activation`, on CUDA: one kernel a direction, with the branch on the integer code inside."""

from fastcnn.kernels.activation_numbers import numbers
from fastcnn.kernels.cuda.compile.kernel import THREADS, blocks_for, kernel, launcher
from fastcnn.kernels.cuda.compile.pointers import floats
from fastcnn.kernels.cuda.compile.shim import cuda, f32, i32, load1
from fastcnn.kernels.cuda.elementwise.activate import activate, slope


@launcher(in_place=("x",))
def activation_forward(y, x, code, alpha, beta):
    """Write y = f(x) for flat arrays, as the CPU's."""
    forward[blocks_for(y.size), THREADS](y, x, y.size, code, *numbers(code, alpha, beta))


@kernel
def forward(y: floats, x: floats, size: i32, code: i32, a: f32, b: f32, c: f32):
    """y = f(x)."""
    for i in range(cuda.grid(1), size, cuda.gridsize(1)):
        y[i] = activate(load1(x, i), code, a, b, c)


@launcher(in_place=("dy",))
def activation_backward(dx, dy, saved, code, alpha, beta):
    """Write dx = dy f'(x) for flat arrays, as the CPU's."""
    backward[blocks_for(dx.size), THREADS](dx, dy, saved, dx.size, code, *numbers(code, alpha, beta))


@kernel
def backward(dx: floats, dy: floats, saved: floats, size: i32, code: i32, a: f32, b: f32, c: f32):
    """dx = dy f'(s), s being what was saved; a slope of 0 gives 0 whatever dy is."""
    for i in range(cuda.grid(1), size, cuda.gridsize(1)):
        s = slope(load1(saved, i), code, a, b, c)
        dx[i] = f32(0) if s == f32(0) else load1(dy, i) * s
