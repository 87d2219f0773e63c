"""The graphs of a model do not disturb one another, whichever thread or call wants which of them first."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import config, layers
from fastcnn.graph import executable
from fastcnn.graph.nodes import fused_conv
from fastcnn.graph.nodes.fused_conv import FusedConv
from fastcnn.graph.rules import Rule, added
from fastcnn.traits import NONE


@pytest.fixture(autouse=True)
def switch():
    before = config.fusion()
    yield
    config.set_fusion(before)


def normalized(**kwargs):
    model = fc.Sequential([fc.Input((4, 4, 3)), layers.Conv2D(2, 3, **kwargs), layers.BatchNormalization()])
    model.layers[1].moving_mean.assign([1.0, 2.0])
    return model


def test_a_graph_that_is_made_while_another_thread_changes_a_setting_is_not_kept_for_that_one(monkeypatch):
    model, make = normalized(), executable.rules.for_prediction

    def interrupted(*args):
        config.set_fusion(False)
        model.prediction_graph()  # another thread's
        return make(*args)

    monkeypatch.setattr(executable.rules, "for_prediction", interrupted)
    config.set_fusion(True)
    assert len(model.prediction_graph().steps) == 1
    config.set_fusion(False)
    assert len(model.prediction_graph().steps) == 2


def test_folding_in_two_threads_at_once_leaves_the_layers_own_weights_alone(monkeypatch):
    model = normalized()
    conv, x = model.layers[0], np.ones((1, 4, 4, 3), np.float32)
    node, other = model.prediction_graph().steps[0].node, []
    assert isinstance(node, FusedConv)
    before, expected, make = conv.get_weights(), conv.predict(x) - np.float32([1, 2]), fused_conv.Parameter

    def interrupted(value, name, path):
        parameter = make(value, name, path)
        if name == "bias" and not other:
            other.append(None)
            other[0] = node.predict(x)  # another thread's, between the two parameters of this one
        return parameter

    monkeypatch.setattr(fused_conv, "Parameter", interrupted)
    for _ in range(2):
        np.testing.assert_allclose(node.predict(x), expected, rtol=1e-2)
    np.testing.assert_allclose(other[0], expected, rtol=1e-2)
    for a, b in zip(before, conv.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_graph_of_logits_does_not_share_its_steps_with_the_whole_one():
    a, b = fc.Input((3,)), fc.Input((4,))
    logits = layers.Dense(4)(a)
    model = fc.Model([a, b], [layers.Softmax()(logits), layers.Add()([logits, b])])
    x = [np.ones((2, 3), np.float32), np.ones((2, 4), np.float32)]
    model.compile("sgd", ["sparse_categorical_crossentropy", "mse"])
    y = [np.zeros(2, int), np.zeros((2, 4))]
    model.train_on_batch(x, y)
    model(x, training=True)
    model.train_on_batch(x, y)


class Halved:
    """Calls no kernel, so that nothing of it may be captured."""

    traits, replayable, many_inputs, parameters = NONE, False, False, ()

    def __init__(self, match):
        self.layer = match.nodes[0]
        self.input_shape = self.output_shape = self.layer.input_shape

    def predict(self, x):
        return self.layer.predict(x) / 2


def test_a_rule_that_is_added_for_a_while_reaches_graphs_and_captures_and_leaves_with_its_context():
    model = fc.Sequential([fc.Input((5,)), layers.Dense(4), layers.Tanh(name="tanh")])
    rule = Rule("a fused layer", (lambda node: isinstance(node, FusedConv),), Halved, prediction=True)
    draw = np.random.default_rng(0)
    xs = [draw.standard_normal((2, 5)).astype(np.float32) for _ in range(4)]
    before = [model.predict(x) for x in xs]  # the last by a capture
    with added(rule):
        for _ in range(2):
            for x, y in zip(xs, before, strict=True):
                np.testing.assert_array_equal(model.predict(x), y / 2)
        assert model.fusions()[-1].layers == (model.layers[0].name, "tanh")
    for x, y in zip(xs, before, strict=True):
        np.testing.assert_array_equal(model.predict(x), y)
