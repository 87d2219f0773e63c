"""Where a graph rounds to bfloat16: between layers, forward and backward."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.graph.nodes.rounding import Rounding

pytest.importorskip("ml_dtypes")

MIXED = {"dtype": "mixed_bfloat16"}


@pytest.fixture(params=[True, False], ids=["fused", "layer by layer"])
def fusion(request):
    """Run with and without fusion."""
    fc.config.set_fusion(request.param)
    yield request.param
    fc.config.set_fusion(True)


def _has_16_bits(x):
    return not (np.ascontiguousarray(x, np.float32).view(np.uint32) & 0xFFFF).any()


class Seen(layers.Layer):
    """A layer of float32 that keeps what it was given, forward and backward."""

    def compute_output_shape(self, input_shape):
        return input_shape

    def forward(self, x, call=None):
        self.x = x

        def backward(dy):
            self.dy = dy
            return dy

        return x, backward

    def predict(self, x):
        self.x = x
        return x


def network(**last):
    seen = Seen(), Seen()
    return fc.Sequential([
        fc.Input((8, 8, 3)), layers.Conv2D(8, 3, padding="same", use_bias=False, **MIXED),
        layers.BatchNormalization(**MIXED), layers.ReLU(**MIXED), seen[0], layers.Conv2D(16, 3, **MIXED), seen[1],
        layers.Flatten(**MIXED), layers.Dense(5, **last)]), seen


@pytest.mark.usefixtures("fusion")
def test_what_layers_hand_on_is_rounded_and_what_the_model_returns_is_not():
    model, seen = network(**MIXED)
    x = np.random.default_rng(0).standard_normal((5, 8, 8, 3)).astype(np.float32)
    y = model.predict(x)
    assert y.dtype == np.float32
    assert not _has_16_bits(y)
    assert all(_has_16_bits(one.x) for one in seen)
    np.testing.assert_array_equal(model.predict(x), y)
    model(x, training=True)
    assert all(_has_16_bits(one.x) for one in seen)


@pytest.mark.usefixtures("fusion")
def test_gradients_between_layers_are_rounded_and_those_of_parameters_are_not():
    model, _ = network(**MIXED)
    x = np.random.default_rng(0).standard_normal((20, 8, 8, 3)).astype(np.float32)
    y, backward = model.forward(x, fc.layers.Call(wants_dx=False))
    backward(np.random.default_rng(1).standard_normal(y.shape).astype(np.float32))
    # Where a gradient leaves a layer it is a sum in float32; it is rounded where the next layer takes it.
    dense = model.layers[-1]
    rounded = np.random.default_rng(1).standard_normal(y.shape).astype(np.float32).astype("bfloat16").astype(np.float32)
    np.testing.assert_allclose(dense.bias.grad, rounded.sum(0), rtol=1e-5)
    assert all(p.grad.dtype == np.float32 and not _has_16_bits(p.grad) for p in model.trainable_weights)
    assert all(p.dtype == np.float32 for p in model.weights)


def test_steps_of_float32_are_left_alone_and_a_graph_of_them_is_the_same():
    model = fc.Sequential([fc.Input((4,)), layers.Dense(3), layers.Dense(2, **MIXED), layers.Dense(2)])
    steps = model.prediction_graph().steps
    assert [type(step.node) is Rounding for step in steps] == [False, True, False]
    assert (steps[1].node.enters, steps[1].node.leaves) == ((True,), (True,))
    plain = fc.Sequential([fc.Input((4,)), layers.Dense(3)])
    assert type(plain.prediction_graph().steps[0].node) is not Rounding


def test_layers_of_two_policies_are_not_joined():
    first = layers.Conv2D(4, 3, use_bias=False)
    model = fc.Sequential([fc.Input((6, 6, 2)), first, layers.BatchNormalization(**MIXED), layers.ReLU(**MIXED)])
    told = [one for one in model.fusions(1) if "bfloat16" in one.reason]
    assert told
    assert all("alone computes in bfloat16" in one.reason for one in told)


def test_an_input_of_float32_that_others_read_too_stays_as_it_is():
    inputs = fc.Input((4,))
    model = fc.Model(inputs, [layers.Flatten(**MIXED)(inputs), layers.Flatten()(inputs)])
    x = np.full((2, 4), 1 + 2.0**-12, np.float32)
    narrow, wide = model.predict(x)
    assert (narrow == 1).all()
    assert (wide == x).all()
    assert (x == np.float32(1 + 2.0**-12)).all()


def test_a_small_prediction_that_is_replayed_has_the_bits_of_one_that_is_not():
    model, _ = network(**MIXED)
    model = fc.Sequential([layer for layer in model.layers if not isinstance(layer, Seen)])
    draw = np.random.default_rng(2)
    model.build((None, 8, 8, 3))
    many = draw.standard_normal((6, 8, 8, 3)).astype(np.float32)
    one_by_one = [model.predict(x[None]) for x in many]
    assert model._executable.replay is not None
    assert any(capture is not None for capture in model._executable.replay._captures.values())
    for x, y in zip(many, one_by_one, strict=True):
        np.testing.assert_array_equal(model._executable._infer([x[None]])[0], y)


def test_training_takes_no_fresh_memory_after_its_first_epoch():
    model, _ = network(activation="softmax")
    model.compile("adam", "sparse_categorical_crossentropy")
    draw = np.random.default_rng(3)
    x, y = draw.standard_normal((64, 8, 8, 3)).astype(np.float32), draw.integers(0, 5, 64)
    model.fit(x, y, epochs=2, batch_size=16, verbose=0)
    before = fc.device.cpu.allocated
    model.fit(x, y, epochs=2, batch_size=16, verbose=0)
    assert fc.device.cpu.allocated == before
    slots = [np.asarray(one) for one in model.optimizer.variables]
    assert all(one.dtype == np.float32 for one in slots if one.ndim)
