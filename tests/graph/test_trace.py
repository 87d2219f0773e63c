"""What lies between tensors: the order of layers, and the same calls on other shapes."""

import numpy as np

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
