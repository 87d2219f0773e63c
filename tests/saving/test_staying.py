"""Large weights that stay in the file of a model until somebody asks, and what happens to that file meanwhile."""

import copy
import gc
import os
import pickle
import signal
import threading
import warnings

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import device, layers, saving, stored_parameters
from fastcnn.errors import ModelFileError
from fastcnn.formats import tensors
from fastcnn.graph import replay
from fastcnn.parameters import Parameter
from fastcnn.stored_parameters import assign_stored

pytestmark = pytest.mark.skipif(not hasattr(os, "preadv"), reason="weights are read at once here")


@pytest.fixture(autouse=True)
def nothing_is_too_small(monkeypatch):
    """Let files of small tests be kept open, too."""
    monkeypatch.setattr(tensors, "_WORTH", 1)
    monkeypatch.setattr(tensors, "_STAYING", 1 << 10)


def network():
    """Return a model with a convolution whose normalization is folded, a large dense kernel, and small weights."""
    fc.random.set_random_seed(7)
    model = fc.Sequential([
        fc.Input((6, 6, 8)), layers.Conv2D(16, 3, use_bias=False), layers.BatchNormalization(), layers.ReLU(),
        layers.Flatten(), layers.Dense(32, activation="softmax"),
    ])
    model.layers[1].moving_variance.assign(np.linspace(0.5, 2.0, 16))
    return model


@pytest.fixture
def saved(tmp_path):
    """A model, and the file in which it is."""
    model, path = network(), tmp_path / "m.safetensors"
    model.save(path)
    return model, path


X = np.random.default_rng(0).random((2, 6, 6, 8), dtype=np.float32)


def kernels(model):
    """Return the large weights."""
    return [p for p in model.weights if p.ndim > 1]


def in_memory(model):
    """Return for each large weight whether it is in memory."""
    return ["array" in vars(p) for p in kernels(model)]


def test_large_weights_are_read_when_somebody_asks(saved):
    model, path = saved
    loaded = saving.load_model(path)
    assert in_memory(loaded) == [False, False]
    assert [(p.shape, p.dtype, p.size, p.ndim) for p in kernels(loaded)] == [
        (p.shape, p.dtype, p.size, p.ndim) for p in kernels(model)]
    for own, other in zip(model.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(own.value, other.value)
        assert isinstance(other, Parameter)
        assert other.array.ctypes.data % 64 == 0 or other.ndim == 1
        assert other.array.flags.writeable
    assert in_memory(loaded) == [True, True]


def test_predictions_let_them_go_once_they_are_packed(saved):
    model, path = saved
    loaded = saving.load_model(path)
    for _ in range(4):
        np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    assert in_memory(loaded) == [False, False]
    # Another size may want them packed for another kernel.
    np.testing.assert_array_equal(loaded.predict(np.repeat(X, 20, 0)), model.predict(np.repeat(X, 20, 0)))


def test_predictions_leave_no_memory_behind_but_what_is_packed(saved, monkeypatch):
    monkeypatch.setattr(replay, "_RELEASED", -1)
    loaded, before = saving.load_model(saved[1]), device.cpu.blocks()
    for _ in range(4):
        loaded.predict(X)
        assert device.cpu.blocks() <= before


def test_a_file_that_is_replaced_or_removed_stays_what_it_was(saved):
    model, path = saved
    loaded, twice = saving.load_model(path), saving.load_model(path)
    other = network()
    for p in other.weights:
        p.assign(p.value + 1)
    other.save(path, overwrite=True)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    path.unlink()
    np.testing.assert_array_equal(twice.predict(X), model.predict(X))
    twice.save(path)  # over its own name
    np.testing.assert_array_equal(saving.load_model(path).predict(X), model.predict(X))


def test_a_file_of_another_time_and_the_same_bytes_is_the_same(saved):
    model, path = saved
    loaded = saving.load_model(path)
    os.utime(path, (0, 0))
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


@pytest.mark.parametrize("change", ["cut short", "written to", "empty"])
def test_a_file_that_is_written_to_in_place_is_an_error(saved, change):
    _, path = saved
    loaded, content = saving.load_model(path), path.read_bytes()
    os.utime(path, (0, 0))  # else the clock of the file system may not have moved
    if change == "written to":
        with path.open("r+b") as file:
            file.write(content[: len(content) // 2] + bytes(len(content) // 2))
    else:
        os.truncate(path, len(content) // 2 if change == "cut short" else 0)
    with pytest.raises(ModelFileError) as caught:
        loaded.predict(X)
    assert str(caught.value).startswith(f"{path}: expected the file as it was when the model was loaded, got one that ")
    assert "load the model again" in str(caught.value)
    path.write_bytes(content)
    saving.load_weights(loaded, path)
    loaded.predict(X)


def test_what_is_assigned_is_in_memory(saved):
    _, path = saved
    loaded = saving.load_model(path)
    before = loaded.predict(X)
    kernel = kernels(loaded)[0]
    version = kernel.version
    kernel.assign(np.zeros(kernel.shape))
    assert kernel.version == version + 1
    path.unlink()
    for _ in range(4):
        assert not np.array_equal(loaded.predict(X), before)
    assert in_memory(loaded)[0]
    np.testing.assert_array_equal(kernel.value, 0)
    kernel.let_go()
    np.testing.assert_array_equal(kernel.value, 0)


def test_training_begins_with_what_the_file_has_and_goes_on_in_memory(saved, monkeypatch):
    _, path = saved
    loaded, y = saving.load_model(path), np.arange(2)
    with monkeypatch.context() as without:
        without.delattr(os, "preadv")
        model = saving.load_model(path)
    assert in_memory(loaded) == [False, False]
    assert in_memory(model) == [True, True]
    for one in (model, loaded):
        fc.random.set_random_seed(3)
        one.predict(X)
        one.compile("adam", "sparse_categorical_crossentropy")
        one.fit(X, y, epochs=2, verbose=0, shuffle=False)
    assert in_memory(loaded) == [True, True]
    for _ in range(3):
        np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    assert in_memory(loaded) == [True, True]
    saving.load_weights(loaded, path)  # into the arrays that the optimizer walks
    assert in_memory(loaded) == [True, True]
    np.testing.assert_array_equal(kernels(loaded)[0].value, kernels(saving.load_model(path))[0].value)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_have_weights_of_their_own(saved, copied):
    model, path = saved
    loaded = copied(saving.load_model(path))
    path.unlink()
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


def test_a_damaged_large_weight_is_refused_by_its_name(saved):
    _, path = saved
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="damaged weights 'dense"):
        saving.load_model(path)


def test_the_file_is_closed_when_nobody_has_its_weights(saved):
    _, path = saved
    folder = f"/proc/{os.getpid()}/fd"
    if not os.path.isdir(folder):
        pytest.skip("the system does not tell which files are open")

    def is_open():
        return any(os.path.realpath(os.path.join(folder, name)) == str(path) for name in os.listdir(folder))

    loaded = saving.load_model(path)
    assert is_open()
    del loaded
    gc.collect()
    assert not is_open()


def test_a_system_that_reads_at_no_place_has_all_weights_in_memory(saved, monkeypatch):
    model, path = saved
    monkeypatch.delattr(os, "preadv")
    loaded = saving.load_model(path)
    assert in_memory(loaded) == [True, True]
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


def test_an_assignment_is_never_lost_to_a_thread_that_lets_go(saved):
    _, path = saved
    kernel, done = kernels(saving.load_model(path))[1], threading.Event()
    stored = kernel.stored.value

    def let_go():
        while not done.is_set():
            kernel.let_go()

    thread = threading.Thread(target=let_go)
    thread.start()
    try:
        for number in range(200):
            assign_stored(kernel, stored)
            kernel.assign(np.full(kernel.shape, number))
            assert kernel.value.min() == kernel.value.max() == number
    finally:
        done.set()
        thread.join()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_a_fork_reads_weights_whoever_was_about_to_read_some_then(tmp_path):
    model = network()
    model.save(tmp_path / "m.safetensors")
    loaded = saving.load_model(tmp_path / "m.safetensors")
    expected, kernel = model.layers[-1].kernel.numpy(), loaded.layers[-1].kernel
    has_it, may_end = threading.Event(), threading.Event()

    def hold():
        with stored_parameters._changing:
            has_it.set()
            may_end.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    has_it.wait()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of forks of a process with threads
            child = os.fork()
        if child == 0:
            signal.alarm(20)  # which ends a child that waits for ever
            os._exit(0 if np.array_equal(kernel.numpy(), expected) else 1)
        assert os.waitpid(child, 0)[1] == 0
    finally:
        may_end.set()
        thread.join()
