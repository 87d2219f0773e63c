"""Elements copied from places at one set of distances to places at another: slices with steps, and broadcasting."""

from fastcnn.kernels.cuda.compile.kernel import THREADS, blocks_for, kernel
from fastcnn.kernels.cuda.compile.pointers import int32s, int64s, uint8s
from fastcnn.kernels.cuda.compile.shim import cuda, div, i32, load1, rem

AXES = 5


def copy_places(out, out_at, x, x_at, shape):
    """Write out[out_begin + sum of i_k out_step_k] = x[x_begin + sum of i_k x_step_k] for all i below `shape`.

    Parameters
    ----------
    out, x : array
        Of int32, int64 or uint8: numbers are moved, and not looked at.
    out_at, x_at : (int, tuple of int)
        Where it begins, and a distance for each axis, in elements; 0 repeats an element.
    shape : tuple of int
        At most `AXES`.
    """
    size = 1
    for length in shape:
        size *= length
    if size:
        more = (0,) * (AXES - len(shape))
        lengths = *(1 for _ in more), *shape
        places[blocks_for(size), THREADS](out, x, size, out_at[0], x_at[0], *lengths, *more, *out_at[1], *more,
                                          *x_at[1])


@kernel
def places(out: uint8s | int32s | int64s, x: uint8s | int32s | int64s, size: i32, out_begin: i32, x_begin: i32,
           n0: i32, n1: i32, n2: i32, n3: i32, n4: i32, o0: i32, o1: i32, o2: i32, o3: i32, o4: i32,
           x0: i32, x1: i32, x2: i32, x3: i32, x4: i32):
    """A thread an element, whose five indices are taken off its number."""
    for at in range(cuda.grid(1), size, cuda.gridsize(1)):
        i4, rest = rem(at, n4), div(at, n4)
        i3, rest = rem(rest, n3), div(rest, n3)
        i2, rest = rem(rest, n2), div(rest, n2)
        i1, i0 = rem(rest, n1), div(rest, n1)
        to = out_begin + i0 * o0 + i1 * o1 + i2 * o2 + i3 * o3 + i4 * o4
        out[to] = load1(x, x_begin + i0 * x0 + i1 * x1 + i2 * x2 + i3 * x3 + i4 * x4)
