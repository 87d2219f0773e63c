"""What a device does with arrays, whose device an array's is, and where new parameters are made."""

import numpy as np
import pytest

from fastcnn import device
from fastcnn.device import Device
from fastcnn.errors import ArgumentError
from fastcnn.kernels import cpu


class Far:
    """An array of another device."""

    def __init__(self, inside):
        self.inside = inside


class FarDevice(Device):
    def get(self, array):
        return array.inside


@pytest.fixture
def far(monkeypatch):
    """A device that is registered for `Far`, until the test ends."""
    monkeypatch.setattr(device, "_devices", dict(device._devices))
    other = FarDevice("far", cpu)
    device.register(Far, other)
    return other


def test_what_kernels_can_take_is_put_as_it_is_and_all_else_is_copied():
    x = np.arange(6.0).reshape(2, 3)
    assert device.cpu.put(x) is device.cpu.ready(x) is device.cpu.get(x) is x
    frozen = x.copy()
    frozen.setflags(write=False)
    for one in (x.T, frozen):
        ready = device.cpu.put(one)
        np.testing.assert_array_equal(ready, one)
        assert ready.flags.carray
        assert not np.shares_memory(ready, one)
    assert device.cpu.constant(frozen) is frozen, "nobody ever writes to it"


def test_a_copy_broadcasts_and_parts_are_read_and_written_by_slices():
    d, x = device.cpu, np.arange(12.0).reshape(3, 4)
    at = slice(None, None, 2), slice(3, 0, -2)
    part = d.empty((2, 2), x.dtype)
    d.read(part, x, at)
    np.testing.assert_array_equal(part, x[at])
    expected = x.copy()
    expected[at] = -part
    d.write(x, at, -part)
    np.testing.assert_array_equal(x, expected)
    d.copy(x, np.arange(4.0))
    np.testing.assert_array_equal(x, [[0, 1, 2, 3]] * 3)
    np.testing.assert_array_equal(d.full((2, 3), "float32", 7), np.full((2, 3), 7))


def test_who_records_writes_down_what_is_filled_and_copied_and_no_question_to_a_kernel():
    x = np.zeros((2, 3), np.float32)
    with device.cpu.recording() as calls:
        d = device.of(x)
        assert d.kernels.bias_backward_scratch(x.shape, x.dtype) == cpu.bias_backward_scratch(x.shape, x.dtype)
        d.fill(x, 3)
        zeros, before = d.zeros((7, 5, 3, 1201), x.dtype), d.allocated
    assert [(kernel, args[0] is x) for kernel, args in calls] == [(np.copyto, True), (np.copyto, False)]
    assert (x == 3).all()
    assert not zeros.any()
    assert before == device.cpu.allocated
    assert (d.name, d.library, d.replays) == (device.cpu.name, cpu, device.cpu.replays)


def test_blocks_that_a_thread_takes_while_it_records_are_its_own_and_counted():
    shape, before = (3, 1_234_567), device.cpu.allocated
    with device.cpu.recording():
        mine = device.of(np.empty(0)).empty(shape, np.float32)
        assert id(mine.base) in device.of(mine).blocks_in_use()
    assert device.cpu.allocated == before + 1
    assert id(mine.base) in device.cpu.blocks_in_use()
    place = mine.ctypes.data
    del mine
    assert device.cpu.empty(shape, np.float32).ctypes.data == place
    device.release()


def test_the_device_of_an_array_goes_by_its_type(far):
    x, other = np.ones(3), Far(np.arange(3.0))
    assert device.of(x) is device.cpu
    assert device.of(other) is far
    assert device.get(x) is x
    assert device.get(other) is other.inside
    assert [device.is_array(one) for one in (x, other, [1.0], 1.0)] == [True, True, False, False]


def test_all_devices_release_what_is_free(far):
    far.empty((100,), np.float32)
    kept = far.empty((10,), np.float32)
    device.release()
    assert sum(len(pool.blocks) for pool in far._pool().values()) == 1
    assert far.blocks_in_use() == {id(kept.base)}


def test_new_parameters_are_made_on_the_device_in_use_and_only_as_long(far):
    assert device.current() is device.cpu
    with device.use(far):
        assert device.current() is far
        with device.use(device.cpu):
            assert device.current() is device.cpu
        assert device.current() is far
    assert device.current() is device.cpu
    with pytest.raises(ArgumentError, match="stop"), device.use(far):
        raise ArgumentError("stop")
    assert device.current() is device.cpu


def test_recording_ends_with_an_error_too():
    x = np.ones((2, 3), np.float32)
    with pytest.raises(ArgumentError, match="expected a NumPy array"), device.cpu.recording():
        device.of("no array")
    assert device.of(x) is device.cpu
