"""Where a graph rounds to bfloat16: between layers, forward and backward."""

import contextlib
import gc

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.graph.nodes import rounding
from fastcnn.graph.nodes.rounding import Rounding
from fastcnn.graph.rounding import rounded as rounding_of
from fastcnn.memory_pool import UNUSED, references

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


def _held(model, x):
    """Return the bytes that the way back holds after a pass forward."""
    used = lambda: sum(block[0].nbytes for pool in fc.device.cpu._pool().values() for block in pool.blocks
                       if references(block) != UNUSED)
    gc.collect()  # of other tests
    before = used()
    y, backward = model.forward(x, fc.layers.Call(wants_dx=False))
    y = y.copy()  # that is the caller's
    held = used() - before
    backward(np.ones_like(y))
    return held


def blocks(policy):
    """Return a model of products, normalizations, rectifiers, a shortcut, pooling and a gate."""
    fc.utils.set_random_seed(5)
    with fc.dtype_policies.as_written(policy):
        x = inputs = fc.Input((16, 16, 8))
        for _ in range(2):
            y = layers.BatchNormalization()(layers.Conv2D(32, 3, padding="same", use_bias=False)(x))
            y = layers.Conv2D(32, 3, padding="same", activation="relu")(layers.ReLU()(y))
            x = layers.ReLU()(layers.Add()([y, layers.Conv2D(32, 1)(x)]))
            x = layers.Multiply()([layers.Activation("silu")(x), layers.GlobalAveragePooling2D(keepdims=True)(x)])
            x = layers.MaxPooling2D(2)(x)
        return fc.Model(inputs, layers.Dense(4)(layers.Flatten()(x)))


@pytest.mark.usefixtures("fusion")
def test_what_training_holds_for_its_way_back_is_half_of_what_it_is_in_float32():
    x = np.random.default_rng(0).standard_normal((32, 16, 16, 8)).astype(np.float32)
    narrow, wide = (_held(blocks(policy), x) for policy in ("mixed_bfloat16", "float32"))
    # The way back of max pooling has bytes in both, and blocks come in steps of an eighth of their size.
    assert 0.45 * wide < narrow < 0.58 * wide


def test_predictions_store_16_bits_where_a_layer_writes_or_reads_them_so():
    """To others they would be a copy to make and one to undo: what a swish returns is rounded where it lies."""
    inputs = fc.Input((8, 8, 4))
    first = layers.Conv2D(8, 3, padding="same", activation="relu", **MIXED)(inputs)  # in 16 bits, to the next
    swished = layers.Conv2D(16, 3, padding="same", activation="silu", **MIXED)(first)  # not: nor does a reader
    window = layers.DepthwiseConv2D(3, **MIXED)(swished)  # in 16 bits, as what follows reads it
    y = layers.Conv2D(8, 1, **MIXED)(window)  # not: to a layer of float32
    model = fc.Model(inputs, layers.Flatten()(y))
    fc.config.set_fusion(False)  # one step a layer
    try:
        graph = rounding_of(model._executable.whole, True)
        plain = rounding_of(model._executable.whole)
    finally:
        fc.config.set_fusion(True)
    stored = {step.node.name: step.node._predicted_narrow for step in graph.steps if isinstance(step.node, Rounding)}
    names = [layer.name for layer in model.layers[1:5]]
    assert [stored[name] for name in names] == [(True,), (False,), (True,), (False,)]
    assert all(step.node._predicted_narrow == () for step in plain.steps if isinstance(step.node, Rounding))


def test_storing_in_16_bits_changes_no_bit_where_only_rounded_numbers_are_stored(monkeypatch, two_threads,
                                                                                   bfloat16_back_end):
    bfloat16_back_end("emulation")  # where kernels read 16 bits, more is rounded
    x = np.random.default_rng(1).standard_normal((20, 16, 16, 8)).astype(np.float32)
    fc.config.set_fusion(False)
    try:
        found = []
        for threads, stored in ((1, True), (2, True), (2, False)):
            two_threads(threads)
            model = blocks("mixed_bfloat16")
            steps = model._executable.get(len(x)).steps
            assert any(any(step.node.narrow) for step in steps)
            assert any(any(step.node.returns) for step in steps)
            if not stored:
                monkeypatch.setattr(rounding, "saving_by", lambda _: contextlib.nullcontext())
                for step in steps:
                    step.node.narrow, step.node.returns = (False,) * len(step.outputs), (False,) * len(step.inputs)
            y, backward = model.forward(x, fc.layers.Call(wants_dx=True))
            dx = backward(np.cos(np.arange(y.size, dtype=np.float32)).reshape(y.shape))
            found.append([y, dx, *(p.grad.copy() for p in model.trainable_weights)])
        for a, b, c in zip(*found, strict=True):
            np.testing.assert_array_equal(a, b)
            np.testing.assert_array_equal(a, c)
    finally:
        fc.config.set_fusion(True)


def test_what_a_layer_of_float32_reads_a_penalty_is_of_or_the_model_returns_lies_in_float32():
    x = inputs = fc.Input((4,))
    read = layers.Dense(3, **MIXED)(x)
    penalized = layers.Dense(3, activity_regularizer="l2", **MIXED)(layers.Dense(3, **MIXED)(read))
    returned = layers.ReLU(**MIXED)(penalized)
    model = fc.Model(inputs, [layers.Dense(2)(read), returned, layers.Flatten(**MIXED)(returned)])
    narrow = {step.node.name: step.node.narrow for step in rounding_of(model._executable.whole).steps
              if isinstance(step.node, Rounding)}
    assert [*narrow.values()] == [(False,), (True,), (False,), (False,), (False,)]


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
