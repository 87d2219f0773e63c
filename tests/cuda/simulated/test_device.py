import gc
import pickle

import numpy as np
import pytest

from fastcnn import device
from fastcnn.cuda.array import DeviceArray
from fastcnn.errors import ArgumentError, DeviceError, DeviceMemoryError

CUDA = device.named("cuda:0")


def _numbers(*shape, dtype=np.float32):
    return np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.int64, np.uint8, bool])
@pytest.mark.parametrize("shape", [(3, 4, 5), (7,), (), (0, 3), (200, 200)])
def test_numbers_go_to_the_device_and_back(shape, dtype):
    x = _numbers(*shape, dtype=dtype)
    there = CUDA.put(x)
    assert (there.shape, there.dtype, there.size, there.ndim) == (x.shape, x.dtype, x.size, x.ndim)
    assert device.of(there) is CUDA
    back = device.get(there)
    np.testing.assert_array_equal(back, x)
    assert back.flags.writeable


def test_what_is_no_contiguous_native_array_of_the_host_is_made_one():
    x = _numbers(4, 6)
    for one in (x.T, x[:, ::2], x.astype(">f4"), np.broadcast_to(x[0], (3, 6))):
        np.testing.assert_array_equal(CUDA.get(CUDA.put(one)), one)


def test_arrays_are_reshaped_and_cut_along_their_first_axis():
    x = _numbers(6, 4)
    there = CUDA.put(x)
    for mine, other in ((there.reshape(2, 3, 4), x.reshape(2, 3, 4)), (there.reshape(-1), x.reshape(-1)),
                        (there.reshape((3, -1)), x.reshape(3, -1)), (there[2:5], x[2:5]), (there[4:2], x[4:2]),
                        (there[-2:], x[-2:]), (there[1:].reshape(-1)[3:9], x[1:].reshape(-1)[3:9])):
        np.testing.assert_array_equal(CUDA.get(mine), other)
        assert len(mine) == len(other)
    for shape in ((5, 5), (-1, 5), (-1, -1)):
        with pytest.raises(ArgumentError, match="reshape: expected a shape of 24 elements"):
            there.reshape(shape)


def test_an_array_of_the_device_gives_no_numbers_by_accident():
    array = CUDA.put(np.ones((3, 2), np.float32))
    looks = (lambda: array + 1, lambda: np.asarray(array), lambda: array[0], lambda: array[:, 1], lambda: array[::2],
             lambda: np.sqrt(array), lambda: float(array), lambda: list(array), lambda: array == array,
             lambda: bool(array), lambda: pickle.dumps(array))
    for look in looks:
        with pytest.raises((TypeError, AttributeError)):
            look()


def test_memory_is_used_again_once_nobody_refers_to_it_and_begins_as_nan():
    first = CUDA.empty((1000, 3), np.float32)
    assert np.isnan(CUDA.get(first)).all()
    assert first.pointer % 256 == 0
    pointer, view = first.pointer, first[10:]
    del first
    assert CUDA.empty((1000, 3), np.float32).pointer != pointer
    del view
    assert CUDA.empty((1000, 3), np.float32).pointer == pointer
    before = CUDA.allocated
    for _ in range(5):
        CUDA.empty((1000, 3), np.float32)
    assert CUDA.allocated == before


def test_released_memory_is_the_card_s_again():
    gc.collect()
    CUDA.release()
    array = CUDA.empty((1 << 18,), np.float32)
    CUDA.release()
    held = CUDA.card.held[0]
    assert held >= 1 << 20
    del array
    device.release()
    assert CUDA.card.held[0] == held - (1 << 20)


def test_where_memory_ends_unused_blocks_are_freed_and_then_it_is_said_how_much_is_missing(monkeypatch):
    device.release()
    monkeypatch.setattr(CUDA.card, "total", CUDA.card.held[0] + (12 << 20))
    big = 2 << 20  # elements, of 8 MiB
    first = CUDA.empty((big,), np.float32)
    del first
    second = CUDA.empty((big // 2, 1), np.float32)  # another size class: the block of the first is freed
    with pytest.raises(DeviceMemoryError, match=r"cuda:0: expected room for an array \(\d+, 3\) of float32 of "
                                                r"12\.0 MiB, got .* that are free; this process holds .*; reduce "
                                                r"batch_size$") as caught:
        CUDA.empty((big // 2, 3), np.float32)
    caught.value.batch_size = 64
    assert str(caught.value).endswith("reduce batch_size=64")
    assert isinstance(caught.value, MemoryError)
    assert len(second) == big // 2
    with pytest.raises(DeviceError, match=r"expected an array of fewer than 2\*\*31 elements"):
        CUDA.empty((1 << 16, 1 << 15), np.uint8)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.uint8, np.int64])
def test_filling_and_copying(dtype):
    there = CUDA.empty((3, 5), dtype)
    CUDA.fill(there, 7)
    np.testing.assert_array_equal(CUDA.get(there), np.full((3, 5), 7, dtype))
    np.testing.assert_array_equal(CUDA.get(CUDA.zeros((4,), dtype)), np.zeros(4))
    x = _numbers(3, 5, dtype=dtype)
    for source in (x, x[0], 3, x[:, :1]):
        CUDA.copy(there, source)
        np.testing.assert_array_equal(CUDA.get(there), np.broadcast_to(source, x.shape))
        CUDA.fill(there, 0)
        CUDA.copy(there, CUDA.put(np.asarray(source, dtype)))
        np.testing.assert_array_equal(CUDA.get(there), np.broadcast_to(source, x.shape))
    CUDA.copy(there, CUDA.put(x.astype(np.int64)))
    np.testing.assert_array_equal(CUDA.get(there), x)


SLICES = [(slice(1, 4), slice(None, None, 2)), (slice(None), slice(1, 5), slice(None, None, 3)), (slice(0, 0),),
          (slice(None), slice(None), slice(2, 3)), (slice(None, None, 2), slice(1, None, 2), slice(None, None, 2))]


@pytest.mark.parametrize("at", SLICES, ids=str)
def test_slices_with_steps_are_read_and_written(at):
    x = _numbers(5, 6, 7)
    there = CUDA.put(x)
    out = CUDA.empty(x[at].shape, x.dtype)
    CUDA.read(out, there, at)
    np.testing.assert_array_equal(CUDA.get(out), x[at])
    CUDA.write(there, at, CUDA.put(-x[at]))
    x[at] = -x[at]
    np.testing.assert_array_equal(CUDA.get(there), x)


def test_slices_of_more_axes_than_the_kernel_counts_are_refused_unless_some_lie_behind_one_another():
    x = _numbers(2, 3, 2, 3, 2, 3, 2)
    out = CUDA.empty(x[:, ::2].shape, x.dtype)
    CUDA.read(out, CUDA.put(x), (slice(None), slice(None, None, 2)))
    np.testing.assert_array_equal(CUDA.get(out), x[:, ::2])
    at = (slice(None), slice(0, 2), slice(0, 1), *[slice(0, 2), slice(0, 1)] * 2)
    with pytest.raises(DeviceError, match="at most 5 axes"):
        CUDA.read(CUDA.empty((2,) * 7, x.dtype), CUDA.zeros((3,) * 7, x.dtype), (slice(0, 2),) * 7)
    assert at


def test_a_constant_is_put_once_and_lives_as_long_as_its_table():
    table = np.arange(9, dtype=np.int32)
    assert CUDA.constant(table) is CUDA.constant(table)
    known = len(CUDA._constants)
    del table
    assert len(CUDA._constants) == known - 1


def test_batches_go_through_two_buffers_and_stay_apart():
    batches = [np.full((200, 300), k, np.float32) for k in range(6)]
    kept = [CUDA.put(one) for one in batches]
    for array, one in zip(kept, batches, strict=True):
        np.testing.assert_array_equal(CUDA.get(array), one)
    held = CUDA.card.held[0]
    del kept
    for one in batches * 2:
        np.testing.assert_array_equal(CUDA.get(CUDA.put(one)), one)
    assert CUDA.card.held[0] == held


def test_devices_are_found_by_their_names():
    assert device.named("cuda") is CUDA
    assert device.named("cpu") is device.cpu
    for name in ("gpu", "cuda:", "cuda:x", "", None, 0):
        with pytest.raises(ArgumentError, match="device: expected cpu, cuda or cuda:0, got"):
            device.named(name)
    with pytest.raises(DeviceError, match=r"expected cuda:0, which this process uses; .* CUDA_VISIBLE_DEVICES=3"):
        device.named("cuda:3")


def test_a_kernel_that_is_not_there_is_named_and_those_of_the_cpu_alone_never_suit():
    with pytest.raises(DeviceError, match="cuda:0: expected kernel augment, which is not there yet; use"):
        _ = CUDA.kernels.augment
    assert not CUDA.kernels.winograd_forward_suits(None, True)
    assert CUDA.kernels.lanes_of_block(np.float32) > 1 << 31
    assert type(CUDA.put(np.ones(3))) is DeviceArray
