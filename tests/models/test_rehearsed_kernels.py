"""What a rehearsal finds is what a training step and a prediction call, for any model that a file can hold."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import device, layers, losses
from fastcnn.kernel_recorder import Recorder, standing_in
from fastcnn.kernels.cpu.compile import ahead
from fastcnn.layers.base import Call
from fastcnn.models import kernels_ahead, rehearsed_kernels
from fastcnn.models.files import reading


def convolutions():
    model = fc.Sequential([
        fc.Input((16, 16, 3)), layers.Conv2D(16, 3, padding="same", use_bias=False), layers.BatchNormalization(),
        layers.ReLU(), layers.MaxPooling2D(2), layers.DepthwiseConv2D(3), layers.Dropout(0.5), layers.Flatten(),
        layers.Dense(4, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, [16, 16, 3], np.arange(8) % 4


def two_outputs():
    x = fc.Input((6, 6, 2))
    y = layers.Conv2D(4, 3)(x)
    classes = layers.Dense(2, activation="softmax")(layers.Flatten()(y))
    model = fc.Model(x, [layers.GlobalAveragePooling2D()(y), classes])
    model.compile("sgd", ["mse", losses.CategoricalCrossentropy(label_smoothing=0.1)], loss_weights=[1, 2])
    return model, [6, 6, 2], [np.ones((8, 4), np.float32), np.eye(2, dtype=np.float32)[np.arange(8) % 2]]


def pixels():
    model = fc.Sequential([fc.Input((8, 8, 1)), layers.Conv2D(4, 3, padding="same", activation="relu"),
                           layers.Conv2D(1, 1, activation="sigmoid")])
    model.compile(fc.optimizers.SGD(0.1, momentum=0.9, nesterov=True), "binary_crossentropy")
    return model, [8, 8, 1], np.ones((8, 8, 8, 1), np.float32)


def halves():
    with_half = [layers.Conv2D(8, 3, dtype="mixed_bfloat16"), layers.Flatten(dtype="mixed_bfloat16"), layers.Dense(2)]
    model = fc.Sequential([fc.Input((8, 8, 2)), *with_half])
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
    return model, [8, 8, 2], np.arange(8) % 2


def doubles():
    model = fc.Sequential([fc.Input((8, 8, 2)), layers.Conv2D(8, 3, dtype="float64"),
                           layers.GlobalMaxPooling2D(dtype="float64")])
    model.compile("adam", "mse")
    return model, [8, 8, 2], np.ones((8, 8))


MODELS = [convolutions, two_outputs, pixels, halves, doubles]


@pytest.fixture
def described(monkeypatch):
    """What was told of each beginning: a list that grows."""
    found = []
    monkeypatch.setattr(device, "expect", lambda array, describe: found.append(
        json.loads(json.dumps(describe()))))
    return found


def called(make):
    """Run something, and return the kernels that it called with the types of their arguments, each once."""
    calls = []
    with standing_in(device.RecordingDevice(device.cpu, Recorder(device.cpu.kernels, calls))):
        make()
    return {(kernel, kernel.types_of(args)) for kernel, args in calls if hasattr(kernel, "types_of")}


@pytest.mark.parametrize("make", MODELS)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_kernels_of_a_step_and_of_a_prediction_are_those_that_are_called(make, weighted, described):
    model, shape, y = make()
    x = np.random.default_rng(0).random((8, *shape)).astype(np.float32)
    given = {"sample_weight": np.ones(8, np.float32)} if weighted and make is not two_outputs else {}
    model.train_on_batch(x, y, **given)
    model.predict_on_batch(x)
    step, prediction = described
    calls = called(lambda: model.train_on_batch(x, y, **given))
    twin = reading.made_from(step["structure"])
    found = rehearsed_kernels.kernels_of_step(twin, *map(rehearsed_kernels._placeholders, step["arrays"]))
    assert len(set(found)) == len(found) > 2
    assert calls.issuperset(found)
    # What is left takes data over, and adds up metrics.
    assert {kernel.py_func.__name__ for kernel, _ in calls.difference(found)} <= {"gather"}
    twin = reading.made_from(prediction["structure"])
    found = rehearsed_kernels.kernels_of_prediction(twin, rehearsed_kernels._placeholders(prediction["arrays"][0]))
    assert called(lambda: model.executables.get([x]).infer([x.astype(model.array_dtype)])) == set(found)


def test_what_begins_is_told_once_for_each_verb(described):
    model, shape, y = convolutions()
    x = np.zeros((8, *shape), np.float32)
    for _ in range(3):
        model.train_on_batch(x, y)
        model.test_on_batch(x, y)
        model.predict(x, verbose=0)
    assert [one["verb"] for one in described] == ["train", "predict"]
    assert described[0]["arrays"] == [[[[8, *shape], "<f4"]], [[[8], "<i8"]], None]


class Own(layers.Layer):
    """A layer that no other process knows."""

    def compute_output_shape(self, shape):
        return shape

    def forward(self, x, call):
        return x, lambda dy: dy


class Unsaved(Own):
    """A layer that nobody has saved yet, in the manner of Keras."""

    def get_config(self):
        raise NotImplementedError


@pytest.mark.parametrize("own", ["layer", "loss", "call", "get_config"])
def test_what_no_file_could_hold_is_told_to_nobody(own, described):
    x = np.zeros((8, 3), np.float32)
    if own == "call":
        class Called(fc.Model):
            def __init__(self):
                super().__init__()
                self.dense = layers.Dense(2)

            def call(self, x):
                return self.dense(x)
        model = Called()
    else:
        first = {"layer": Own, "get_config": Unsaved}.get(own, layers.ReLU)
        model = fc.Sequential([fc.Input((3,)), first(), layers.Dense(2)])
    model.compile("sgd", (lambda y, p: fc.ops.mean(fc.ops.square(y - p), axis=-1)) if own == "loss" else "mse")
    model.train_on_batch(x, np.zeros((8, 2), np.float32))
    if own != "layer":
        assert described == [None]
    else:
        with pytest.raises(fc.errors.ModelFileError):
            reading.made_from(described[0]["structure"])


def test_weights_that_are_no_array_are_told_to_nobody(described):
    model = fc.Sequential([fc.Input((3,)), layers.Softmax()])
    model.compile("sgd", "mse")
    x = np.ones((4, 3), np.float32)
    found = model.forward_with_loss([x], [x], [[1.0, 2.0, 3.0, 4.0]], Call(0, 0))
    np.testing.assert_allclose(found.losses[0], 4 / 9 * np.arange(1, 5), rtol=1e-6)
    assert described == []


TRAIN = """
import os, sys
import numpy as np
import fastcnn as fc
from fastcnn.kernels.cpu.compile.policy import registry
fc.random.set_random_seed(1)
model = fc.Sequential([fc.Input((8, 8, 1)), fc.layers.MaxPooling2D(2), fc.layers.GlobalAveragePooling2D(),
                       fc.layers.BatchNormalization(), fc.layers.Activation("softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
x = np.random.default_rng(0).random((32, 8, 8, 1), np.float32)
model.fit(x, np.zeros(32, int), batch_size=8, verbose=0)
print(float(model.predict(x, verbose=0).sum()), model.get_weights()[0].tobytes().hex())
print(sum(sum(one.stats.cache_misses.values()) for one in registry.values()))
"""


def trained(cache, ahead):
    """Return what a process printed that trained and predicted, and how many kernels it compiled itself."""
    env = os.environ | {"FASTCNN_CACHE_DIR": str(cache), "FASTCNN_COMPILE_AHEAD": ahead, "NUMBA_NUM_THREADS": "2"}
    done = subprocess.run([sys.executable, "-c", TRAIN], env=env, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    figures, count = done.stdout.splitlines()
    return figures, int(count)


def test_a_training_whose_kernels_two_processes_compile_ends_with_the_same_bits(tmp_path):
    apart, alone = trained(tmp_path / "two", "1"), trained(tmp_path / "one", "0")
    assert apart[0] == alone[0]
    assert 0 < apart[1] <= alone[1]  # on a busy machine the other process may come too late for all
    assert trained(tmp_path / "two", "1") == (apart[0], 0)


def test_a_process_that_works_ahead_leaves_nothing_to_compile(tmp_path):
    model, shape, y = pixels()
    told = kernels_ahead._described(model, "train", [[((8, *shape), "<f4")], [(y.shape, "<f4")], None])
    code = "import json, sys; from fastcnn.models.rehearsed_kernels import work; work(json.load(sys.stdin))"
    env = os.environ | {"FASTCNN_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True,
                          input=json.dumps(told | {"parent": os.getpid()}))
    assert (done.returncode, done.stderr) == (0, "")
    assert {path.suffix for path in tmp_path.iterdir()} == {".nbc"}
    assert ahead._size(device.cpu.kernels.conv2d_forward) > ahead._size(device.cpu.kernels.add)
