"""Batches of data where it lies: every type, order of bytes and axes, and memory maps that are never copied whole."""

import subprocess
import sys

import numpy as np
import pytest

from fastcnn import array_data
from fastcnn.array_data import Data
from fastcnn.errors import ArgumentError
from tests.cli.conftest import environment

SHAPE = (None, 4, 3, 2)
FLOAT32 = np.dtype(np.float32)


def images(dtype=np.float32, count=11):
    return np.random.default_rng(0).integers(0, 100, (count, *SHAPE[1:])).astype(dtype)


def read_only(x):
    x.flags.writeable = False
    return x


def misaligned(x):
    memory = np.empty(x.nbytes + 1, np.uint8)[1:]
    view = memory.view(x.dtype).reshape(x.shape)
    view[...] = x
    return view


FORMS = {
    "ordinary": lambda x: x,
    "read-only": read_only,
    "big-endian": lambda x: x.astype(x.dtype.newbyteorder(">")),
    "Fortran's order": np.asfortranarray,
    "channels moved": lambda x: np.moveaxis(np.ascontiguousarray(np.moveaxis(x, -1, 1)), 1, -1),
    "every second": lambda x: np.repeat(x, 2, axis=0)[::2],
    "backwards": lambda x: np.ascontiguousarray(x[::-1])[::-1],
    "misaligned": misaligned,
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64", "uint16", "int64", "float16", "bool"])
@pytest.mark.parametrize("small", [True, False])
def test_batches_are_the_same_from_every_kind_of_array(form, dtype, small, monkeypatch):
    if not small:
        monkeypatch.setattr(array_data, "_SMALL", 0)
    x = images(dtype)
    data = Data([FORMS[form](x.copy())], [], [SHAPE], FLOAT32, "fit")
    order = np.random.default_rng(1).permutation(len(x))
    for given, expected in ((None, x), (order, x[order])):
        got = [batch.xs[0] for batch in data.batches(4, given)]
        assert [len(one) for one in got] == [4, 4, 3]
        assert all(one.dtype == FLOAT32 and one.flags.carray for one in got)
        np.testing.assert_array_equal(np.concatenate(got), expected.astype(np.float32))
    part = [batch.xs[0] for batch in data.part(slice(5, None)).batches(4, np.arange(6)[::-1])]
    np.testing.assert_array_equal(np.concatenate(part), x[5:][::-1].astype(np.float32))


def test_what_is_read_where_it_lies_is_told_apart_from_what_is_converted_once(monkeypatch):
    monkeypatch.setattr(array_data, "_SMALL", 0)
    for form, dtype, stays in (("ordinary", "uint8", True), ("read-only", "float64", True), ("ordinary", "int64", True),
                               ("big-endian", "float32", True), ("channels moved", "uint8", True),
                               ("Fortran's order", "float32", False)):  # fmt: skip
        x = FORMS[form](images(dtype, 200))
        assert np.may_share_memory(Data([x], [], [SHAPE], FLOAT32, "fit").xs[0], x) == stays, form
    one = np.broadcast_to(images("float32", 1), (10**9, *SHAPE[1:]))  # 96 GB, if it were copied
    (batch,) = Data([one], [], [SHAPE], FLOAT32, "fit").part(slice(10**8, 10**8 + 3)).batches(3)
    np.testing.assert_array_equal(batch.xs[0], one[:3])


def test_a_batch_of_a_read_only_array_may_be_written_and_the_array_stays(tmp_path):
    np.save(tmp_path / "x.npy", images())
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    for order in (None, np.arange(11)):
        for batch in Data([mapped], [], [SHAPE], FLOAT32, "fit").batches(4, order):
            batch.xs[0].fill(7)
    np.testing.assert_array_equal(mapped, images())


def test_channels_first_is_refused_with_what_to_do():
    with pytest.raises(ArgumentError, match=r"\(N, 4, 3, 2\), got \(5, 2, 4, 3\); .*numpy\.moveaxis\(x, 1, -1\)$"):
        Data([np.zeros((5, 2, 4, 3))], [], [SHAPE], FLOAT32, "fit")
    with pytest.raises(ArgumentError, match=r"got \(5, 3, 4, 2\); model\.for_shape\(\(None, 3, 4, 2\)\) is the model"):
        Data([np.zeros((5, 3, 4, 2))], [], [SHAPE], FLOAT32, "fit")


MEASURE = """
import gc, sys, threading, time
import numpy as np
import fastcnn as fc
from fastcnn import layers

def own():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("RssAnon")) / 1024

class StopsAfterAStep(fc.callbacks.Callback):
    def on_train_batch_end(self, batch, logs):
        self.model.stop_training = True

model = fc.Sequential([fc.Input((32, 32, 1)), layers.GlobalAveragePooling2D(), layers.Dense(2)])
model.compile("sgd", "mse")
small = np.zeros((64, 32, 32, 1), np.float32)
model.fit(small, np.zeros((64, 2)), verbose=0), model.evaluate(small, np.zeros((64, 2))), model.predict(small)
highest, stop = [0.0], threading.Event()

def watch():
    while not stop.is_set():
        highest[0] = max(highest[0], own())
        time.sleep(0.002)

gc.collect()
before = own()
threading.Thread(target=watch).start()
try:
    for path in sys.argv[1:]:
        x = np.load(path, mmap_mode="r")
        y = np.zeros((len(x), 2), np.float32)
        model.predict(x, batch_size=512)
        model.fit(x, y, batch_size=512, validation_split=0.5, verbose=0, callbacks=[StopsAfterAStep()])
finally:
    stop.set()
print(highest[0] - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_process_takes_no_memory_for_a_map_that_it_reads(tmp_path):
    paths = [tmp_path / name for name in ("float32.npy", "big-endian.npy")]
    for path, dtype in zip(paths, ("<f4", ">f4")):
        np.lib.format.open_memmap(path, "w+", dtype, (24_000, 32, 32, 1)).flush()  # 94 MiB, of which nothing is on disk
    result = subprocess.run([sys.executable, "-c", MEASURE, *map(str, paths)], env=environment(), capture_output=True,
                            text=True, timeout=200)  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert float(result.stdout) < 30  # MiB: a few batches of 2 MiB, and what Python takes; a copy would be 94
