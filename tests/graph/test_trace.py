"""What lies between tensors: the order of layers, and the same calls on other shapes."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.graph import trace
from fastcnn.layers import Call


def test_calls_on_other_shapes_are_of_twins_with_the_same_parameters():
    inputs = fc.Input((8, 8, 2))
    x = layers.Conv2D(3, 3, name="conv")(inputs)
    model = fc.Model(inputs, layers.Add(name="add")([x, layers.ReLU(name="relu")(x)]))
    moved, there = trace.moved(model.traced, [(None, 6, 5, 2)])
    assert [node.layer.name for node in moved.nodes] == ["conv", "relu", "add"]
    assert [node.layer.output_shape for node in moved.nodes] == [(None, 4, 3, 3)] * 3
    assert moved.outputs[0].shape == (None, 4, 3, 3)
    assert moved.inputs == [there[id(model.traced.inputs[0])]]
    assert [layer.name for layer in moved.layers] == [layer.name for layer in model.traced.layers]
    assert moved.nodes[0].layer.weights[0] is model.layers[1].weights[0]
    assert model.layers[1].output_shape == (None, 6, 6, 3), "the layers themselves do not hear of it"


def test_a_model_between_layers_counts_depth_from_what_it_is_given():
    inputs = fc.Input((4,))
    first, second, third = (layers.Dense(4, name=name) for name in ("first", "second", "third"))
    middle = first(inputs)
    outputs = layers.Add(name="sum")([third(second(middle)), middle])
    whole, part = trace.trace([inputs], [outputs], "whole"), trace.trace([middle], [outputs], "part")
    assert [layer.name for layer in whole.layers][1:] == ["first", "second", "third", "sum"]
    assert [node.layer.name for node in part.nodes] == ["second", "third", "sum"]
    assert [layer.name for layer in part.layers][-3:] == ["second", "third", "sum"]
    assert first not in part.layers[1:]


class Halves(layers.Layer):
    """Two outputs: the first and the second half of the channels."""

    def compute_output_shape(self, input_shape):
        half = (*input_shape[:-1], input_shape[-1] // 2)
        return half, half

    def forward(self, x, call=Call()):
        half = x.shape[-1] // 2
        return (x[..., :half].copy(), x[..., half:].copy()), lambda dys: np.concatenate(dys, -1)


def test_an_output_that_nobody_reads_has_a_gradient_of_zero():
    inputs = fc.Input((4,))
    model = fc.Model(inputs, layers.Rescaling(3.0)(Halves()(inputs)[1]))
    y, back = model.forward(np.arange(8, dtype=np.float32).reshape(2, 4))
    np.testing.assert_array_equal(y, [[6, 9], [18, 21]])
    np.testing.assert_array_equal(back(np.ones((2, 2), np.float32)), [[0, 0, 3, 3]] * 2)


def names(traced):
    return [layer.name for layer in traced.layers]


def test_layers_are_ordered_by_their_largest_distance_from_an_output_and_then_by_when_they_are_met():
    a, b = fc.Input((4,), name="a"), fc.Input((4,), name="b")
    x = layers.Dense(4, name="x")(a)
    y = layers.Dense(4, name="y")(b)
    z = layers.Add(name="z")([layers.ReLU(name="short")(y), layers.ReLU(name="long")(layers.Dense(4, name="w")(x))])
    traced = trace.trace([a, b], [z, y])
    assert names(traced) == ["a", "b", "x", "y", "w", "short", "long", "z"]
    assert [node.layer.name for node in traced.nodes] == ["y", "short", "x", "w", "long", "z"]
    assert names(trace.trace([b, a], [z])) == names(trace.trace([a, b], [z])), "Keras orders them by the outputs"


def test_a_layer_that_is_called_twice_is_as_far_as_its_furthest_call():
    inputs, shared = fc.Input((4,), name="in"), layers.Dense(4, name="shared")
    x = layers.Dense(4, name="between")(shared(inputs))
    traced = trace.trace([inputs], [layers.Add(name="sum")([shared(x), inputs])])
    assert names(traced) == ["in", "shared", "between", "sum"]
    assert [node.layer.name for node in traced.nodes] == ["shared", "between", "shared", "sum"]
    graph = trace.opened(traced)
    assert [step.use for step in graph.steps] == [0, 0, 1, 0]


def test_an_input_that_nothing_reads_comes_last_of_the_nearest():
    a, b = fc.Input((4,), name="a"), fc.Input((4,), name="b")
    traced = trace.trace([a, b], [layers.Dense(2, name="x")(a)])
    assert sorted(names(traced)) == ["a", "b", "x"]
    assert names(traced)[0] == "a"
    assert names(traced)[1] == "b", "Keras's place of it: before all that are met"


def test_an_output_that_depends_on_another_input_is_refused_by_the_name_of_who_asks():
    a, b = fc.Input((4,), name="a"), fc.Input((4,), name="b")
    output = layers.Add()([a, b])
    with pytest.raises(fc.errors.ArgumentError, match=r"somebody: expected outputs that depend on its inputs alone, "
                                                      r"but they depend on .*b.*; add its tensor to inputs"):
        trace.trace([a], [output], "somebody")


def test_models_inside_are_opened_and_run_as_they_were_called():
    inside = fc.Input((4,))
    inner = fc.Model(inside, [layers.ReLU(name="relu")(layers.Dropout(0.5, name="drop")(inside)), inside])
    inputs = fc.Input((4,))
    y, same = inner(inputs, training=False)
    again, _ = inner(y)
    outputs = [layers.Add(name="sum")([again, same]), inputs]
    graph = trace.opened(fc.Model(inputs, outputs).traced)
    assert [(step.node.name, step.inputs, step.outputs, step.training, step.use) for step in graph.steps] == [
        ("drop", (0,), (1,), False, 0), ("relu", (1,), (2,), False, 0),
        ("drop", (2,), (3,), True, 1), ("relu", (3,), (4,), True, 1), ("sum", (4, 0), (5,), True, 0)]
    assert (graph.inputs, graph.outputs, graph.slots) == ([0], [5, 0], 6)


def test_layers_that_run_are_those_of_models_and_of_layers_that_hold_some_each_once():
    class Holding(layers.Layer):
        def __init__(self, inner, **kwargs):
            super().__init__(**kwargs)
            self.inner = inner

        def forward(self, x, call=Call()):
            return self.inner.forward(self.checked(x), call)

    dense, holding = layers.Dense(4, name="dense"), Holding(layers.ReLU(name="held"), name="holding")
    inner = fc.Sequential([fc.Input((4,)), dense, holding])
    found = trace.leaves([layers.InputLayer((4,)), inner, dense, layers.ReLU(name="relu")])
    assert [layer.name for layer in found] == ["dense", "holding", "held", "relu"]


def test_calls_that_are_moved_share_twins_and_keep_how_they_were_called():
    inputs, shared = fc.Input((8, 8, 2), name="in"), layers.Conv2D(2, 3, padding="same", name="shared")
    x = shared(layers.Dropout(0.5, name="drop")(shared(inputs), training=False))
    model = fc.Model(inputs, [layers.Add(name="sum")([x, inputs]), inputs])
    moved, there = trace.moved(model.traced, [(None, 6, 5, 2)])
    first, drop, second, total = moved.nodes
    assert first.layer is second.layer
    assert [node.training for node in moved.nodes] == [node.training for node in model.traced.nodes]
    assert (drop.training, total.layer.input_shape) == (False, ((None, 6, 5, 2),) * 2)
    assert [layer.name for layer in moved.layers] == [layer.name for layer in model.traced.layers]
    assert moved.inputs[0].node.layer is not inputs.node.layer
    assert moved.outputs[1] is moved.inputs[0] is there[id(model.traced.inputs[0])]
    assert {id(layer) for layer in moved.layers} == {id(first.layer), id(drop.layer), id(total.layer),
                                                     id(moved.inputs[0].node.layer)}
    part = trace.trace([model.traced.nodes[0].outputs[0]], [x], "part")
    moved, _ = trace.moved(part, [(None, 4, 4, 2)])
    assert [node.layer.name for node in moved.nodes] == ["drop", "shared"]
    assert moved.outputs[0].shape == (None, 4, 4, 2)


class Deeper(fc.Model):
    """As many layers as a sample is long, of one tensor or of the sum of two."""

    def call(self, x):
        x = x[0] + x[1] if isinstance(x, (list, tuple)) else x
        for k in range(x.shape[1]):
            x = layers.ReLU(name=f"{self.name}_{k}")(x) if k else layers.Tanh(name=f"{self.name}_0")(x)
        return x


@pytest.mark.parametrize("several", [False, True])
def test_a_model_whose_call_goes_by_shapes_is_opened_for_those_that_come(several):
    graphs = []
    for length in (1, 3):
        inputs = fc.Input((length,))
        outputs = Deeper(name="deeper")([inputs, inputs] if several else inputs)
        graphs.append(trace.opened(fc.Model(inputs, outputs).traced))
    assert [sum("deeper" in step.node.name for step in graph.steps) for graph in graphs] == [1, 3]


def test_a_tensor_that_is_given_brings_its_layer_no_nearer_though_another_output_of_it_is_wanted():
    x = fc.Input((4,), name="x")
    given, wanted = Halves(name="halves")(x)
    y = given
    for name in ("first", "second", "third"):
        y = layers.ReLU(name=name)(y)
    assert names(trace.trace([x, given], [y, wanted])) == ["first", "second", "x", "third", "halves"]
    assert names(trace.trace([x, given], [wanted, y])) == ["first", "x", "second", "halves", "third"]
    assert names(trace.trace([x], [y, wanted])) == ["x", "halves", "first", "second", "third"]
