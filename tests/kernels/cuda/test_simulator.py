"""The simulator refuses what a card would let pass, and lets pass what is right."""

import numpy as np
import pytest

from fastcnn.kernels.cuda.compile.kernel import Kernel
from fastcnn.kernels.cuda.compile.pointers import floats, int32s, uint8s
from fastcnn.kernels.cuda.compile.shim import cuda, f32, i32, load4, store4
from tests.kernels.cuda.checking import get, put

SIZE = 8


def _run(function, threads=SIZE, size=SIZE, blocks=1):
    y = put(np.full(size * blocks, np.nan, np.float32))
    x = put(np.arange(size * blocks, dtype=np.float32))
    Kernel(function)[blocks, threads](y, x, size)
    return get(y)


def turned_around(y: floats, x: floats, size: i32):
    held = cuda.shared.array(SIZE, f32)
    t = cuda.threadIdx.x
    begin = cuda.blockIdx.x * size
    held[t] = x[begin + t]
    cuda.syncthreads()
    y[begin + t] = held[size - 1 - t]


def test_threads_of_a_block_exchange_numbers_at_a_barrier():
    np.testing.assert_array_equal(_run(turned_around, blocks=2), [7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8])


def summed_up(y: floats, x: floats, size: i32):
    held = cuda.shared.array(SIZE, f32)
    t = cuda.threadIdx.x
    held[t] = x[t]
    half = size // 2
    while half > 0:
        cuda.syncthreads()
        if t < half:
            held[t] = held[t] + held[t + half]
        half //= 2
    y[t] = held[0] if t == 0 else f32(0)


def test_a_block_adds_up_in_a_tree():
    assert _run(summed_up)[0] == 28


def without_barrier(y: floats, x: floats, size: i32):
    held = cuda.shared.array(SIZE, f32)
    t = cuda.threadIdx.x
    held[t] = x[t]
    y[t] = held[(t + 1) % size] if t == size - 1 else x[t]


def read_before_write(y: floats, x: floats, size: i32):
    held = cuda.shared.array(SIZE, f32)
    t = cuda.threadIdx.x
    y[t] = held[(t + 1) % size]
    held[t] = x[t]


def one_place(y: floats, x: floats, size: i32):
    held = cuda.shared.array(SIZE, f32)
    held[0] = x[cuda.threadIdx.x]


def left_early(y: floats, x: floats, size: i32):
    if cuda.threadIdx.x < 3:
        cuda.syncthreads()


def before_the_beginning(y: floats, x: floats, size: i32):
    y[cuda.threadIdx.x] = x[cuda.threadIdx.x - 1]


def past_the_end(y: floats, x: floats, size: i32):
    y[cuda.threadIdx.x + 1] = x[cuda.threadIdx.x]


def past_a_local_end(y: floats, x: floats, size: i32):
    mine = cuda.local.array(SIZE, f32)
    mine[SIZE] = f32(0)


def at_an_odd_place(y: floats, x: floats, size: i32):
    store4(y, 0, *load4(x, 2))


@pytest.mark.parametrize(("function", "error", "sentence"), [
    (without_barrier, RuntimeError, "a race: element 0 of a shared array is read"),
    (read_before_write, RuntimeError, "a race: element 1 of a shared array is written"),
    (one_place, RuntimeError, "a race: element 0 of a shared array is written"),
    (left_early, RuntimeError, "a barrier that 5 of 8 threads of a block never reach"),
    (before_the_beginning, IndexError, "read of element -1"),
    (past_the_end, IndexError, "write to element 8 of 8"),
    (past_a_local_end, IndexError, "list assignment index out of range"),
    (at_an_odd_place, AssertionError, "element 2, which is no multiple of four"),
], ids=lambda one: getattr(one, "__name__", ""))
def test_the_simulator_refuses_what_a_card_would_let_pass(function, error, sentence):
    with pytest.raises(error, match=sentence) as caught:
        _run(function)
    assert any(function.__name__ in note for note in caught.value.__notes__)
    np.testing.assert_array_equal(_run(turned_around), [7, 6, 5, 4, 3, 2, 1, 0])  # and goes on after it


def unwritten_shared(y: floats, x: floats, size: i32):
    y[cuda.threadIdx.x] = cuda.shared.array(SIZE, f32)[cuda.threadIdx.x]


def test_memory_that_nobody_wrote_is_nan():
    assert np.isnan(_run(unwritten_shared)).all()


def test_arguments_are_of_the_kinds_that_a_kernel_tells():
    kernel = Kernel(turned_around)
    x, other = put(np.zeros(8, np.float32)), put(np.zeros(8))
    with pytest.raises(AssertionError, match=r"expected float32\*, got an array of float64"):
        kernel[1, 8](x, other, 8)
    with pytest.raises(AssertionError, match="has more than 32 bits"):
        kernel[1, 8](x, x, 2**31)
    with pytest.raises(AssertionError, match="2 arguments"):
        kernel[1, 8](x, x)
    assert [one.name for pointer in (uint8s | int32s,) for one in pointer.dtypes] == ["uint8", "int32"]
