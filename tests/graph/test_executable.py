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

    def interrupted(value, name, path, **more):
        parameter = make(value, name, path, **more)
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


def test_graphs_are_made_once_for_each_use_and_again_when_a_setting_or_a_frozen_layer_changes():
    model = normalized()
    get = model._executable.get
    one, many = get(1), get(64)
    assert get(2) is one
    assert get(65) is many is not one, "as many images as fill the lanes of vectors run in another graph"
    assert get(1, predicts=True) is get(3, predicts=True) is not one
    for change in (lambda: setattr(model.layers[0], "trainable", False),
                   lambda: setattr(model.layers[0], "trainable", True),
                   lambda: config.set_winograd(False), lambda: config.set_winograd(True),
                   lambda: config.set_fusion(False)):
        before = get(1)
        change()
        assert get(1) is not before
        assert get(1) is get(2)
    unfused = get(1)
    assert [type(step.node).__name__ for step in unfused.steps] == ["Conv2D", "BatchNormalization"]
    assert get(64, predicts=True) is not unfused
    assert get(1, (0,)) is None, "without fusion nobody is given logits"
    assert unfused.steps[0] is not model._executable.whole.steps[0]


def test_what_runs_between_tensors_is_what_the_model_between_them_does():
    x = inputs = fc.Input((4,), dtype="float64")
    x = layers.Dense(3, dtype="float64")(x)
    y = layers.Tanh(dtype="float64")(x)
    part, values = executable.between([inputs], [y, x], np.dtype("float64"), "part"), np.ones((2, 4))
    for found in (part.infer([values]), part.forward([values], layers.Call())[0]):
        for a, b in zip(found, fc.Model(inputs, [y, x]).predict(values), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)
    assert part.multiply_adds() == 12
    with pytest.raises(fc.errors.ArgumentError, match=r"^part: expected outputs that depend on its inputs alone"):
        executable.between([x], [layers.Add(dtype="float64")([inputs, inputs])], np.dtype("float64"), "part")


def test_fusions_of_a_model_without_a_softmax_tell_of_no_logits():
    def told(last):
        model = fc.Sequential([fc.Input((3,)), layers.Dense(4), last])
        return [(one.mode, one.node) for one in model._executable.fusions(2, (0,)) if "softmax" in one.rule]

    assert told(layers.Softmax()) == [("training", "nothing")]
    assert told(layers.Tanh()) == []
