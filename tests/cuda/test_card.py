"""A card's driver, packages and launches, by a driver that is none: what is asked of them, and what is said."""

import ctypes
import os
import struct
import sys
import types

import numpy as np
import pytest

from fastcnn.cuda.array import DeviceArray
from fastcnn.errors import DeviceError
from fastcnn.kernels.cuda.compile import card, cubins, launch, launching
from fastcnn.kernels.cuda.compile.kernel import Kernel
from fastcnn.kernels.cuda.compile.pointers import floats, int32s, uint8s
from fastcnn.kernels.cuda.compile.shim import SIMULATED, f32, i32, i64
from tests.cuda.fake_driver import FakeDriver

pytestmark = pytest.mark.skipif(SIMULATED, reason="this is about what a card is told")


@pytest.fixture
def driver(monkeypatch):
    """Return a function that puts a driver in the place of NVIDIA's, with packages of these versions."""
    def make(linker=(13, 0), package="0.30.4", **arguments):
        made = FakeDriver(**arguments)
        linking = types.ModuleType("cuda.bindings.nvjitlink")
        linking.version = lambda: linker
        bindings = types.ModuleType("cuda.bindings")
        bindings.driver, bindings.nvjitlink = made, linking
        for name, module in (("cuda", types.ModuleType("cuda")), ("cuda.bindings", bindings),
                             ("cuda.bindings.driver", made), ("cuda.bindings.nvjitlink", linking)):
            monkeypatch.setitem(sys.modules, name, module)
        monkeypatch.setattr(card.metadata, "version", lambda name: package)
        return made

    return make


def test_a_card_is_told_apart_and_its_numbers_come_back(driver):
    cu = driver(memory=1 << 20)
    one = card.Card(0)
    assert (one.name, one.architecture, one.driver, one.total) == ("Fake card", "sm_90", (13, 0), 1 << 20)
    assert one.stream != one.copies
    assert round(one.flops / 1e12, 1) == 66.9  # an H200's
    x = np.arange(24, dtype=np.float32).reshape(4, 6)
    pointer = one.allocate(x.nbytes)
    assert one.memory() == ((1 << 20) - 96, 1 << 20)
    one.upload(pointer, x)
    one.move(pointer + 48, pointer, 48)
    back = np.empty_like(x)
    one.download(back, pointer)
    np.testing.assert_array_equal(back, np.concatenate([x[:2], x[:2]]))
    assert cu.calls[-1] == "cuStreamSynchronize"
    one.free(pointer)
    assert cu.blocks == {}


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64, np.int64])
def test_filling_writes_all_bits_of_a_number(driver, dtype):
    driver()
    one, back = card.Card(0), np.empty(5, dtype)
    pointer = one.allocate(back.nbytes)
    one.fill(pointer, np.asarray(77.0, dtype).tobytes(), 5)
    one.download(back, pointer)
    np.testing.assert_array_equal(back, np.full(5, 77, dtype))


def scale(y: floats, x: floats, size: i32, seed: i64, factor: f32):
    """Is never compiled here."""


def test_a_launch_hands_over_addresses_and_numbers_as_c_lays_them_out(driver, monkeypatch):
    cu = driver()
    launching.use(card.Card(0))
    monkeypatch.setattr(cubins, "cubin", lambda kernel, dtypes, architecture: (b"cubin", f"entry for {architecture}"))
    seen = []

    def look(places):
        addresses = (ctypes.c_void_p * 5).from_address(places)
        numbers = [struct.unpack(f, ctypes.string_at(at, struct.calcsize(f)))[0]
                   for f, at in zip("PPiqf", addresses, strict=True)]
        seen.append([None if number == 0 else number for number in numbers])

    cu.on_launch = look
    kernel, x, y = Kernel(scale), _array(4096), _array(8192)
    run = launch.launch(kernel, (3, 2, 1), (128, 1, 1))
    run(y, x, 7, 2**40 + 1, 0.5)
    run(x, np.empty(0, np.float32), -1, 5, np.float32(2))  # what is absent is an array of the host, of size 0
    assert seen == [[8192, 4096, 7, 2**40 + 1, 0.5], [4096, None, -1, 5, 2.0]]
    assert [one[:2] for one in cu.launches] == [("entry for sm_90", (3, 2, 1, 128, 1, 1))] * 2
    assert cu.calls.count("cuModuleLoadData") == 1
    cu.fails["cuLaunchKernel"] = 700
    with pytest.raises(DeviceError, match=r"cuda:0: kernel .*scale, a grid of \(3, 2, 1\) blocks of \(128, 1, 1\) "
                                          r"threads, failed: CUDA_ERROR_OTHER, what went wrong"):
        run(y, x, 7, 1, 0.5)


def gather(y: floats, at: uint8s | int32s, size: i32):
    """Has two variants."""


def test_a_kernel_of_several_types_is_loaded_for_each(driver, monkeypatch):
    driver()
    launching.use(card.Card(0))
    asked = []
    monkeypatch.setattr(cubins, "cubin", lambda kernel, dtypes, architecture: (
        asked.append([one.name for one in dtypes]), (b"", "e"))[1])
    run = launch.launch(Kernel(gather), (1, 1, 1), (32, 1, 1))
    for kind in (np.uint8, np.int32, np.uint8):
        run(_array(64), _array(128, kind), 3)
    assert asked == [["float32", "uint8"], ["float32", "int32"]]


def _array(pointer, kind=np.float32):
    return DeviceArray(pointer, (16,), np.dtype(kind), 16, None)


def test_what_is_missing_or_too_old_is_said_in_a_sentence(driver):
    def refused(sentence, index=0, **arguments):
        fails = arguments.pop("fails", {})
        driver(**arguments).fails.update(fails)
        with pytest.raises(DeviceError) as caught:
            card.Card(index)
        assert sentence in str(caught.value)
        assert "\n" not in str(caught.value)

    refused("cuda:0: expected the package numba-cuda, got none; pip install 'fastcnn[cuda]'", package="none")
    refused("cuda:0: expected a card of this number, got none (CUDA_ERROR_NO_DEVICE)", fails={"cuInit": 100})
    refused("cuda:2: expected a card of this number, got cuda:0 to cuda:1; use the device cpu", index=2, cards=2)
    refused("expected a card of compute capability 7.5 or higher, which CUDA 13 compiles for, got 7.0 (Fake card)",
            capability=(7, 0))
    refused("expected a driver of CUDA 13 or newer, as nvJitLink 13.0 makes cubins for it, got a driver of CUDA 12.4; "
            "update the driver", version=12040)


def test_a_driver_that_is_not_there_is_said_in_a_sentence(driver):
    def absent(flags):
        raise RuntimeError('"cuda" is a driver library. Ensure it is installed.\nMore lines.')

    driver().cuInit = absent
    with pytest.raises(DeviceError, match=r"cuda:0: expected NVIDIA's driver, got none on this machine \(\"cuda\" is a "
                                          r"driver library\); install it, or use the device cpu"):
        card.Card(0)


def test_no_room_is_no_error_and_any_other_failure_is(driver):
    cu = driver()
    one = card.Card(0)
    cu.fails["cuMemAlloc"] = 2
    assert one.allocate(64) == 0
    cu.fails["cuMemAlloc"] = 999
    with pytest.raises(DeviceError, match=r"cuMemAlloc failed: CUDA_ERROR_OTHER, what went wrong; .*_BLOCKING"):
        one.allocate(64)


def test_a_forked_process_is_told_to_be_spawned(driver):
    cu = driver()
    one = card.Card(0)
    before = len(cu.calls)
    child = os.fork()
    if not child:
        try:
            one.synchronize()
        except DeviceError as error:
            os._exit("forked from it, which CUDA does not allow; start it with the method spawn" not in str(error))
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    one.synchronize()
    assert len(cu.calls) == before + 1


def test_captured_launches_are_replayed_as_a_graph(driver):
    cu = driver()
    one, ran = card.Card(0), []
    replay = one.captured(lambda: ran.append(1))
    assert (ran, cu.calls[-3:]) == ([1], ["cuStreamBeginCapture", "cuStreamEndCapture", "cuGraphInstantiate"])
    replay()
    replay()
    assert cu.calls[-2:] == ["cuGraphLaunch"] * 2
