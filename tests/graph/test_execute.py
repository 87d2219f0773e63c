"""What runs in a step of training, and what does not: nothing that nobody wants."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import config, device, layers, regularizers
from fastcnn.graph import execute
from fastcnn.graph.steps import Graph, GraphStep
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
    kinds = lambda: type(model._executable.get(32).steps[0].node).__name__
    found = [kinds()]
    for trainable in (False, True):
        model.layers[0].trainable = trainable
        found.append(kinds())
    assert found == ["BatchInterleaved", "Conv2D", "BatchInterleaved"]


def _penalized_node(scale):
    """A node of one's own: its input times a number."""
    return SimpleNamespace(many_inputs=False, trainable_weights=(), predict=lambda x: scale * x,
                           forward=lambda x, call: (scale * x, lambda dy: scale * dy))


def test_a_penalty_on_an_output_is_divided_by_the_batch_and_its_gradient_joins_that_of_others():
    double, triple = (GraphStep(_penalized_node(scale), (k,), (k + 1,), regularizer=regularizers.L2(0.5))
                      for k, scale in enumerate((2.0, 3.0)))
    graph, x = Graph([0], [2], [double, triple], 3), np.array([[1.0, -2.0], [0.5, 3.0]])
    for penalties in ([], None):
        (y,), back = execute.forward(graph, [x], Call(wants_dx=True), penalties)
        np.testing.assert_array_equal(y, 6 * x)
        # The sum of 0.5 (2 x)^2 and 0.5 (6 x)^2, over a batch of two; dy is 1, or nobody wants y but for its penalty.
        if penalties is not None:
            assert penalties == pytest.approx([np.square(2 * x).sum() / 4, np.square(6 * x).sum() / 4], rel=1e-12)
        for dy, more in ((np.ones_like(x), 6), (None, 0)):
            _, back = execute.forward(graph, [x], Call(wants_dx=True), penalties)
            np.testing.assert_allclose(back([dy])[0], 4 / 2 * x + 36 / 2 * x + more, rtol=1e-12)
    found = []
    np.testing.assert_array_equal(execute.infer(graph, [x], found)[0], 6 * x)
    assert found == pytest.approx([np.square(2 * x).sum() / 4, np.square(6 * x).sum() / 4], rel=1e-12)
    assert execute.infer(graph, [x[:0]], found)[0].shape == (0, 2)
    assert found[2:] == [0, 0], "of an empty batch there is none"
    back = execute.forward(graph, [x[:0]], Call(wants_dx=True))[1]
    assert back([x[:0]])[0].shape == (0, 2)


def test_each_of_several_outputs_is_penalized():
    both = SimpleNamespace(many_inputs=False, trainable_weights=(), output_shape=((None, 2), (None, 2)),
                           forward=lambda x, call: ((2 * x, 3 * x), lambda dys: 2 * dys[0] + 3 * dys[1]))
    graph, x = Graph([0], [1, 2], [GraphStep(both, (0,), (1, 2), regularizer=regularizers.L2(0.5))], 3), np.ones((4, 2))
    penalties = []
    _, back = execute.forward(graph, [x], Call(wants_dx=True), penalties)
    assert penalties == [4 * 8 * 0.5 / 4, 9 * 8 * 0.5 / 4]
    np.testing.assert_allclose(back([x, None])[0], 2 * (1 + 2 / 4) + 3 * 3 / 4, rtol=1e-12)
    _, back = execute.forward(graph, [x], Call(wants_dx=True))
    np.testing.assert_allclose(back([None, None])[0], 2 * 2 / 4 + 3 * 3 / 4, rtol=1e-12)


def test_a_step_is_told_of_its_call_and_what_else_it_is():
    told = []

    def node():
        return SimpleNamespace(many_inputs=False, trainable_weights=(),
                               forward=lambda x, call: (told.append(call) or x, lambda dy: dy))

    steps = [GraphStep(node(), (0,), (1,)), GraphStep(node(), (1,), (2,), use=3),
             GraphStep(node(), (2,), (3,), training=False)]
    for training in (True, False):
        told.clear()
        execute.forward(Graph([0], [3], steps, 4), [np.ones(2)], Call(7, 5, True, training))
        assert told == [Call(7, 5, True, training, 0), Call(7, 5, True, training, 3), Call(7, 5, True, False, 0)]


def test_a_graph_is_given_as_many_arrays_as_it_has_inputs_and_gradients_as_outputs():
    graph, x = Graph([0], [1], [GraphStep(_penalized_node(2.0), (0,), (1,))], 2), np.ones((1, 2))
    for run in (lambda xs: execute.infer(graph, xs), lambda xs: execute.forward(graph, xs, Call())):
        for xs in ([], [x, x]):
            with pytest.raises(ValueError, match="zip"):
                run(xs)
    back = execute.forward(graph, [x], Call(wants_dx=True))[1]
    with pytest.raises(ValueError, match="zip"):
        back([x, x])


def test_an_array_is_let_go_when_its_last_reader_has_run():
    model = fc.Sequential([fc.Input((8, 8, 4)), *(layers.Conv2D(4, 1, use_bias=False) for _ in range(6))])
    x, size = np.ones((1000, 8, 8, 4), np.float32), []

    def blocks(run):
        def alone():  # a thread begins with no block of its own
            run()
            size.append(sum(block[0].size > x.nbytes for pool in device.cpu._pool().values() for block in pool.blocks))

        thread = threading.Thread(target=alone)
        thread.start()
        thread.join()
        return size.pop()

    config.set_fusion(False)
    graph = model._executable.get(1000, predicts=True)
    assert blocks(lambda: execute.infer(graph, [x])) == 2, "what is read, and what is written"

    def step():
        (y,), back = execute.forward(graph, [x], Call(wants_dx=False))
        back([y])

    assert blocks(step) <= 8, "the six outputs, and two gradients"
