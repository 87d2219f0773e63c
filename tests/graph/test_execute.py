"""What runs in a step of training: nothing that nobody wants."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import config, device, layers
from fastcnn.layers import Call


@pytest.fixture(autouse=True)
def switch():
    before = config.fusion()
    yield
    config.set_fusion(before)


def wide(**kwargs):
    """Three convolutions, too wide for narrow runs, and a dense layer."""
    return fc.Sequential([fc.Input((6, 6, 60)), *(layers.Conv2D(60, 5, padding="same", **kwargs) for _ in range(3)),
                          layers.Flatten(), layers.Dense(3, activation="softmax")])


def kernels_of(run):
    """Return the names of the kernels that a function calls, each with the sizes of its first argument."""
    with device.cpu.recording() as calls:
        run()
    return [(kernel.__name__, args[0].size) for kernel, args in calls]


def count(calls, name):
    return sum(name in kernel for kernel, _ in calls)


@pytest.mark.parametrize("fused", [True, False])
def test_a_step_makes_no_gradient_of_the_models_input(fused):
    config.set_fusion(fused)
    model = wide()
    model.compile("sgd", "sparse_categorical_crossentropy")
    x, y = np.ones((2, 6, 6, 60), np.float32), np.zeros(2, int)
    model.train_on_batch(x, y)
    calls = kernels_of(lambda: model.train_on_batch(x, y))
    assert count(calls, "backward_weights") == 4
    assert count(calls, "backward_input") == 3  # of all but the first
    calls = kernels_of(lambda: model.forward(x, Call(wants_dx=True))[1](np.ones((2, 3), np.float32)))
    assert count(calls, "backward_input") == 4


def test_a_narrow_run_at_the_beginning_makes_no_gradient_of_its_input():
    model = fc.Sequential([fc.Input((8, 8, 2)), layers.Conv2D(4, 3), layers.ReLU(), layers.Flatten(), layers.Dense(3)])
    model.compile("sgd", "mse")
    x, y = np.ones((32, 8, 8, 2), np.float32), np.zeros((32, 3), np.float32)
    sizes = [size for name, size in kernels_of(lambda: model.train_on_batch(x, y)) if name == "lanes_backward"]
    assert sizes == [0]


@pytest.mark.parametrize("fused", [True, False])
def test_what_lies_below_the_first_layer_that_learns_has_no_way_back(fused):
    config.set_fusion(fused)
    model = wide(activation="relu")
    for layer in model.layers[:2]:
        layer.trainable = False
    model.compile("sgd", "sparse_categorical_crossentropy")
    x, y = np.ones((2, 6, 6, 60), np.float32), np.zeros(2, int)
    calls = kernels_of(lambda: model.train_on_batch(x, y))
    assert count(calls, "backward_weights") == 2
    assert count(calls, "backward_input") == 1
    model.layers[2].trainable = False
    model.layers[-1].trainable = False
    calls = kernels_of(lambda: model.forward(x, Call(wants_dx=False))[1](np.ones((2, 3), np.float32)))
    assert count(calls, "backward") == 0


@pytest.mark.parametrize("fused", [True, False])
def test_a_layer_that_is_frozen_and_thawed_learns_again(fused):
    config.set_fusion(fused)
    model = wide()
    x = np.random.default_rng(0).standard_normal((20, 6, 6, 60)).astype(np.float32)
    y = np.arange(20) % 3

    def moves(batch):
        model.compile(fc.optimizers.SGD(1e-4), "sparse_categorical_crossentropy")
        before = model.layers[0].get_weights()
        model.train_on_batch(x[:batch], y[:batch])
        return not np.array_equal(before[0], model.layers[0].get_weights()[0])

    for trainable in (False, True, False, True):
        model.layers[0].trainable = trainable
        for batch in (2, 20):
            assert moves(batch) == trainable


def test_a_narrow_layer_that_is_frozen_leaves_its_run_and_comes_back():
    model = fc.Sequential([fc.Input((8, 8, 2)), layers.Conv2D(4, 3), layers.ReLU(), layers.Flatten(), layers.Dense(3)])
    kinds = lambda: type(model._run(32).steps[0].node).__name__
    found = [kinds()]
    for trainable in (False, True):
        model.layers[0].trainable = trainable
        found.append(kinds())
    assert found == ["BatchInterleaved", "Conv2D", "BatchInterleaved"]
