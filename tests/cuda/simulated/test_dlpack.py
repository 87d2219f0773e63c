"""Arrays lent and taken without a copy. In the simulator they lie in memory of the host, so NumPy can be the other."""

import gc

import numpy as np
import pytest

from fastcnn import device
from fastcnn.cuda import dlpack
from fastcnn.errors import ArgumentError

CUDA = device.named("cuda")


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.uint8, np.int64, bool])
def test_an_array_is_lent_without_a_copy_and_lives_as_long_as_it_is_used(dtype):
    x = np.arange(12).reshape(3, 4).astype(dtype)
    array = CUDA.put(x)
    other = np.from_dlpack(array)
    np.testing.assert_array_equal(other, x)
    assert other.ctypes.data == array.pointer
    CUDA.fill(array, 1)
    assert (other == 1).all()
    pointer = array.pointer
    del array
    gc.collect()
    assert CUDA.empty((3, 4), dtype).pointer != pointer, "memory that somebody reads"
    del other
    gc.collect()
    assert dlpack._lent == {}


def test_a_capsule_that_nobody_takes_gives_its_array_back():
    capsule = CUDA.put(np.ones(3, np.float32)).__dlpack__()
    assert len(dlpack._lent) == 1
    del capsule
    gc.collect()
    assert dlpack._lent == {}


def test_an_array_of_another_library_is_taken_without_a_copy_and_given_back():
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    array = CUDA.from_dlpack(x)
    assert (array.pointer, array.shape, array.dtype) == (x.ctypes.data, x.shape, x.dtype)
    x[1] = 7
    np.testing.assert_array_equal(CUDA.get(array[1:]), x[1:])
    view, before = array[2:], x.copy()
    del x, array
    gc.collect()
    np.testing.assert_array_equal(CUDA.get(view), before[2:])
    np.testing.assert_array_equal(CUDA.get(CUDA.from_dlpack(CUDA.put(before))), before)


def test_what_cannot_be_taken_is_refused(monkeypatch):
    for x in (np.ones((3, 4), np.float32)[:, ::2], np.ones((3, 4), np.float32).T):
        with pytest.raises(ArgumentError, match="expected a C-contiguous array"):
            CUDA.from_dlpack(x)
    with pytest.raises(ArgumentError, match="expected numbers of NumPy's types"):
        CUDA.from_dlpack(np.ones(3, complex))
    monkeypatch.setattr(CUDA.card, "dlpack_device", (2, 0))
    with pytest.raises(ArgumentError, match=r"expected an array on device \(2, 0\), got one on \(1, 0\)"):
        CUDA.from_dlpack(np.ones(3))


def test_the_simulator_s_memory_is_not_told_as_that_of_a_card():
    assert not hasattr(CUDA.put(np.ones(3)), "__cuda_array_interface__")
