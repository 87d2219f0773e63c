"""The memory pool: what is free is used again, what somebody keeps is not."""

import os
import subprocess
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from fastcnn import device, host_device, memory_pool
from fastcnn.errors import ArgumentError
from fastcnn.kernels import cpu


@pytest.fixture
def pool():
    return device.Device("test", cpu)


def test_a_block_is_used_again_once_nothing_refers_to_it(pool):
    a = pool.empty((100, 7), np.float32)
    place = a.ctypes.data
    view = a[3:].reshape(-1)[::2]
    del a
    b = pool.empty((100, 7), np.float32)
    assert b.ctypes.data != place, "a view still lives there"
    keep = (lambda kept: lambda: kept)(view)
    del view
    assert pool.empty((100, 7), np.float32).ctypes.data not in (place, b.ctypes.data), "a closure still holds it"
    del keep
    assert pool.empty((100, 7), np.float32).ctypes.data == place
    assert pool.allocated == 3


def test_free_blocks_are_found_among_hundreds_of_used_ones(pool):
    draw = np.random.default_rng(0)
    kept, places = {}, set()
    for k in range(300):
        kept[k] = pool.empty((16,), np.float32)
        places.add(kept[k].ctypes.data)
    assert len(places) == pool.allocated == 300
    for _ in range(200):
        for k in draw.choice(300, draw.integers(1, 300), replace=False):
            kept.pop(k, None)
        for k in range(300):
            if k not in kept:
                kept[k] = pool.empty((16,), np.float32)
        assert {array.ctypes.data for array in kept.values()} == places
    assert pool.allocated == 300


def test_a_search_goes_on_where_the_last_one_ended_and_the_way_it_went():
    pool, kept = memory_pool.Pool(), [memory_pool.new_block(8) for _ in range(20)]
    pool.keep(list(kept))
    place = {memory.ctypes.data: k for k, (memory, _) in enumerate(kept)}

    def found():
        block = pool.further()
        return None if block is None else place[block[0].ctypes.data]

    used = {k: memory for k, (memory, _) in enumerate(kept)}
    del kept
    assert found() is None

    def taken(free):
        for k in free:
            del used[k]
        order = []
        for _ in free:
            order.append(found())
            used[order[-1]] = pool.blocks[order[-1]][0]
        return order

    assert taken([9, 12, 15, 18]) == [18, 15, 12, 9], "from the end, where it began"
    assert taken([8, 12, 17, 19]) == [8, 12, 17, 19], "down to the end, then back"
    assert taken([8, 10, 18]) == [18, 10, 8]
    assert found() is None


def test_blocks_in_use_are_told_by_their_identity(pool):
    kept, other = pool.empty((10,), np.float32), pool.empty((10,), np.float32)
    assert pool.blocks_in_use() == {id(kept.base), id(other.base)}
    del other
    assert pool.blocks_in_use() == {id(kept.base)}


def test_what_is_read_only_is_lent_as_what_may_be_written_and_all_else_as_it_is():
    x = np.arange(6.0).reshape(2, 3)
    assert device.cpu.lend(x) is x
    frozen = x[:, 1:]
    frozen.flags.writeable = False
    lent = device.cpu.lend(frozen)
    assert lent.flags.writeable
    assert not frozen.flags.writeable
    assert (lent.ctypes.data, lent.shape, lent.strides) == (frozen.ctypes.data, frozen.shape, frozen.strides)
    assert np.shares_memory(lent, x)


def test_close_sizes_share_blocks_and_far_ones_do_not(pool):
    pool.empty((1000,), np.float64)
    pool.empty((999,), np.float64)
    assert pool.allocated == 1
    pool.empty((4000,), np.float64)
    assert pool.allocated == 2


def test_sizes_are_rounded_up_to_one_of_eight_steps_between_powers_of_two():
    sizes = {0: 256, 1: 256, 256: 256, 257: 512, 2048: 2048, 2049: 2304, 4095: 4096, 4096: 4096, 4097: 4608,
             1 << 20: 1 << 20, (1 << 20) + 1: (1 << 20) + (1 << 17), (1 << 21) - 1: 1 << 21}
    assert {size: memory_pool.size_class(size) for size in sizes} == sizes


def test_what_is_asked_in_turn_is_no_part_of_the_search_among_the_others():
    for count in (0, 1, 8, 9, 10):
        pool = memory_pool.Pool()
        pool.keep([memory_pool.new_block(8) for _ in range(count)])
        assert len(pool.near) == min(count, 8)
        found = pool.further()
        assert (found is None) == (count <= 8)
        assert found is None or not any(found is near for near in pool.near)
        if count > 8:
            assert found is pool.blocks[-1], "the search begins with the latest"


@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 5), (128, 28, 28, 6)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
def test_memory_is_aligned_contiguous_and_writable(pool, shape, dtype):
    array = pool.empty(shape, dtype)
    assert array.shape == shape
    assert array.dtype == dtype
    assert array.ctypes.data % 64 == 0 or array.size == 0
    assert array.flags.c_contiguous
    assert array.flags.writeable
    assert not pool.zeros(shape, dtype).any()


def test_release_gives_back_what_is_free(pool):
    kept = pool.empty((10,), np.float32)
    kept.fill(7)
    for _ in range(3):
        pool.empty((5000,), np.float32)
    pool.release()
    assert sum(len(each.blocks) for each in pool._pool().values()) == 1
    assert (kept == 7).all()


def test_all_devices_give_back_what_is_free():
    def sizes():
        return [block[0].size for each in device.cpu._pool().values() for block in each.blocks]

    large = 4 * 9_876_543
    kept = device.cpu.empty((77,), np.float32)
    device.cpu.empty((9_876_543,), np.float32)
    assert any(size > large for size in sizes())
    device.release()
    assert not any(size > large for size in sizes())
    assert id(kept.base) in device.cpu.blocks_in_use()


def test_the_class_of_a_shape_is_remembered_for_so_many_shapes(pool, monkeypatch):
    monkeypatch.setattr(host_device, "_KNOWN", 300)
    counts = []
    for length in (*range(300), 17, 300, 301):
        pool.empty((length,), np.float32)
        counts.append(len(pool._local.known))
    assert counts == [*range(1, 301), 300, 1, 2]


def test_threads_have_pools_of_their_own(pool):
    mine = pool.empty((10,), np.float32)
    found = []
    thread = threading.Thread(target=lambda: found.append(pool.empty((10,), np.float32)))
    thread.start()
    thread.join()
    assert found[0].ctypes.data != mine.ctypes.data


def test_an_array_of_no_device_is_refused_by_name():
    with pytest.raises(ArgumentError, match="expected a NumPy array, got list"):
        device.of([1, 2])


def test_a_python_without_the_global_interpreter_lock_is_refused_in_one_sentence():
    code = "import sys; sys._is_gil_enabled = lambda: False; import fastcnn.device"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == (
        "ImportError: fastcnn: expected a Python with its global interpreter lock, since the counts of references tell "
        "which memory is free, got one that runs without it; start it with PYTHON_GIL=1")


def test_threads_predict_while_another_records():
    from fastcnn import layers

    layer = layers.Dense(3)
    x = np.random.default_rng(0).standard_normal((4, 5), np.float32)
    expected = layer.predict(x)
    begun, ended = threading.Barrier(3), threading.Event()

    def predict():
        begun.wait()
        rounds = 0
        while not ended.is_set() or rounds < 50:
            assert device.of(x) is device.cpu
            assert (layer.predict(x) == expected).all()
            rounds += 1

    with ThreadPoolExecutor(2) as pool:
        threads = [pool.submit(predict) for _ in range(2)]
        begun.wait()
        try:
            recordings = []
            for _ in range(50):
                with device.cpu.recording() as calls:
                    y = layer.predict(x)
                recordings.append([kernel for kernel, _ in calls])
                assert np.shares_memory(calls[-1][1][0], y)
        finally:
            ended.set()
        for thread in threads:
            thread.result()
    assert recordings == [recordings[0]] * 50
    assert len(recordings[0]) == 1


def test_who_records_writes_down_its_own_calls_and_no_other_threads():
    x, kernels = np.ones(4, np.float32), device.cpu.kernels

    def add():
        d = device.of(x)
        y = d.empty(x.shape, x.dtype)
        d.kernels.add(y, x, x)
        d.copy(y, x)
        return d

    with device.cpu.recording() as outer:
        add()
        with device.cpu.recording() as inner:
            assert add() is not device.cpu
            assert device.cpu.kernels is kernels, "what others see stays"
            with ThreadPoolExecutor(1) as pool:
                assert pool.submit(add).result() is device.cpu
        add()
    assert add() is device.cpu
    assert [kernel for kernel, _ in inner] == [kernels.add, np.copyto]
    assert len(outer) == 4


def test_what_lasts_takes_no_more_than_it_must_and_no_block(pool):
    pool.empty((300_000,), np.float64)
    lasting = pool.lasting((300_000,), np.float64)
    assert lasting.base.nbytes <= lasting.nbytes + 64
    assert lasting.ctypes.data % 64 == 0
    assert pool.allocated == 1
    assert pool.blocks_in_use() == set()


def test_a_large_block_has_pages_of_its_own_and_a_fork_does_not_share_them(pool):
    array = pool.empty((1 << 18,), np.float64)
    array[:] = 1
    if not hasattr(os, "fork"):
        pytest.skip("there is no fork")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # there are threads; the child calls nothing of theirs
        child = os.fork()
    if child == 0:
        array[:] = 2
        os._exit(0)
    os.waitpid(child, 0)
    assert (array == 1).all()


def test_who_spares_takes_larger_blocks_and_gives_back_what_nobody_uses(pool, monkeypatch):
    monkeypatch.setattr(host_device, "_UNUSED", 1 << 20)
    size = (1 << 20,)  # of float64: 8 MiB
    stays = pool.empty((16,), np.float64)
    kept = pool.blocks()
    with pool.sparing(kept):
        assert pool.is_sparing
        place = pool.empty(size, np.float64).ctypes.data
        assert pool.empty((1 << 19,), np.float64).ctypes.data == place, "half of it is not much smaller"
        array = pool.empty((1 << 10,), np.float64)
        assert pool.blocks() == kept | {id(array.base)}, "the large one is gone"
        del array
        pool.empty((1 << 13,), np.float64)
        assert len(pool.blocks()) == 3, "a little stays"
        pool.empty(size, np.float64)
        pool.lasting((16,), np.float64)
        assert pool.blocks() == kept
        pool.empty((1 << 10,), np.float64)
    assert pool.blocks() == kept
    assert not pool.is_sparing
    assert stays.base is not None


def test_an_array_is_offered_alone_in_its_block_and_until_the_next_offer(pool):
    with pool.sparing(set()):
        a, b = pool.empty((5,), np.float32), np.zeros(5, np.float32)
        pool.offer([a, b])
        assert pool.is_offered(a)
        assert not pool.is_offered(b), "it is somebody else's memory"
        view = a[1:]
        assert not pool.is_offered(a), "a view sees it"
        assert not pool.is_offered(view)
        del view
        assert pool.is_offered(a)
        pool.offer(())
        assert not pool.is_offered(a)
        pool.offer([a])
    assert not pool.is_offered(a)
