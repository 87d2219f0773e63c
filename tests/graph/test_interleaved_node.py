"""Which layers are stages of a narrow run, and where its node finds their parameters."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import device, geometry, layers
from fastcnn.activations.names import clip
from fastcnn.graph.nodes.batch_interleaved import BatchInterleaved, stages_of
from fastcnn.kernels import codes
from fastcnn.layers import Call
from fastcnn.parameter_blocks import Block


def chain(*made, shape=(8, 8, 2)):
    return fc.Sequential([fc.Input(shape), *made]).layers


def conv(**kwargs):
    return layers.Conv2D(3, 3, **kwargs)


def test_stages_are_told_as_the_kernels_take_them():
    found = stages_of(chain(
        conv(padding="same", activation="tanh"), layers.MaxPooling2D(2), layers.Conv2D(4, (2, 1), use_bias=False),
        layers.ReLU(6.0), layers.AveragePooling2D((1, 2)), layers.Conv2D(1, 1)))
    assert found == ((3, (3, 3), "same", True, codes.TANH, 0.0, geometry.MAX_POOL, (2, 2)),
                     (4, (2, 1), "valid", False, codes.CLIP, 6.0, geometry.AVERAGE_POOL, (1, 2)),
                     (1, (1, 1), "valid", True, codes.LINEAR, 0.0, geometry.NO_POOL, (1, 1)))


NO_PART, PLAIN = "is no part of a stage", "has strides, dilation or groups"
STAGES = {
    "an activation, then a pooling": (lambda: (conv(), layers.ReLU(), layers.MaxPooling2D(2)), None),
    "two activations": (lambda: (conv(), layers.ReLU(), layers.Tanh()), NO_PART),
    "an activation after one of its own": (lambda: (conv(activation="relu"), layers.Tanh()), NO_PART),
    "a pooling after one of its own": (lambda: (conv(activation="relu"), layers.MaxPooling2D(2)), None),
    "two poolings": (lambda: (conv(), layers.MaxPooling2D(2), layers.MaxPooling2D(2)), NO_PART),
    "an activation after a pooling": (lambda: (conv(), layers.MaxPooling2D(2), layers.ReLU()), NO_PART),
    "a pooling first": (lambda: (layers.MaxPooling2D(2), conv()), NO_PART),
    "an activation first": (lambda: (layers.ReLU(), conv()), NO_PART),
    "dropout": (lambda: (conv(), layers.Dropout(0.5)), NO_PART),
    "a convolution after a pooling": (lambda: (conv(), layers.AveragePooling2D(2), conv(padding="same")), None),
    "an overlapping pooling": (lambda: (conv(), layers.AveragePooling2D(3, 1)), "windows that overlap, or a border"),
    "a pooling with a border": (lambda: (conv(padding="same"), layers.MaxPooling2D(3, padding="same")),
                                "windows that overlap, or a border"),
    "strides": (lambda: (conv(strides=2),), PLAIN),
    "strides of rows": (lambda: (conv(strides=(2, 1)),), PLAIN),
    "dilation": (lambda: (conv(dilation_rate=(1, 2)),), PLAIN),
    "groups": (lambda: (layers.Conv2D(4, 3, groups=2),), PLAIN),
    "softmax": (lambda: (conv(), layers.Softmax()), "an activation of two numbers"),
    "a function that wants its input": (lambda: (conv(activation="gelu"),), "whose derivative wants its input"),
    "two bounds": (lambda: (conv(), layers.Activation(clip(-1.0, 2.0))), "an activation of two numbers"),
}


@pytest.mark.parametrize("name", STAGES)
def test_a_layer_is_part_of_a_stage_or_why_not(name):
    make, reason = STAGES[name]
    if reason is None:
        assert stages_of(chain(*make()))
    else:
        with pytest.raises(ValueError, match=reason):
            stages_of(chain(*make()))


def node_and_layers():
    made = chain(layers.Conv2D(3, 3, dtype="float64"), layers.ReLU(dtype="float64"),
                 layers.Conv2D(2, 3, dtype="float64"), layers.MaxPooling2D(2, dtype="float64"))
    return BatchInterleaved(made), made


def gradients(node, x):
    for p in node.parameters:
        p.zero_grad()
    y, back = node.forward(x, Call(wants_dx=True))
    return [y, back(np.ones_like(y)), *[p.grad.copy() for p in node.parameters]]


def one_by_one(made, x):
    backs, parameters = [], [p for layer in made for p in layer.parameters]
    for p in parameters:
        p.zero_grad()
    for layer in made:
        x, back = layer.forward(x, Call(wants_dx=True))
        backs.append(back)
    dy = np.ones_like(x)
    for back in reversed(backs):
        dy = back(dy)
    return [x, dy, *[p.grad.copy() for p in parameters]]


def test_a_node_follows_parameters_wherever_they_lie():
    node, made = node_and_layers()
    x = np.random.default_rng(0).standard_normal((5, 8, 8, 2))
    first, second = made[0].parameters, made[2].parameters
    plain = one_by_one(made, x)

    def same():
        for a, b in zip(gradients(node, x), plain, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(node.predict(x), plain[0], rtol=1e-9, atol=1e-11)

    same()
    other = fc.layers.Dense(2, dtype="float64")
    other.build((None, 3))
    for order, side_by_side in (([*first, *second], True), ([*other.parameters, *first, *second], True),
                                ([*first, *second, *other.parameters], True),
                                ([*first, *other.parameters, *second], False), ([*second, *first], False)):
        Block(order)
        same()
        flat, sums = node._memory()
        assert (sums is not None) == side_by_side
        assert np.shares_memory(flat, first[0].array) == side_by_side
    Block(second)
    same()
    assert node._memory()[1] is None, "in two blocks"
    first[0].assign(2 * first[0].array)
    plain = one_by_one(made, x)
    same()


def test_a_node_declares_what_it_stands_for():
    node, made = node_and_layers()
    assert node.parameters == [*made[0].parameters, *made[2].parameters] == node.trainable_weights
    assert (node.input_shape, node.output_shape) == ((None, 8, 8, 2), (None, 2, 2, 2))
    x = np.ones((3, 8, 8, 2))
    assert node.forward(x, Call(wants_dx=False))[1](np.ones((3, 2, 2, 2))) is None
    assert node.predict(x[:0]).shape == (0, 2, 2, 2)
    assert node.many_inputs is False
    assert device.of(node.predict(x)) is device.cpu
