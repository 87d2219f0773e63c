"""Functional models: branches, shared layers, models inside models, frozen parts, several inputs and outputs."""

import json

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import config, layers
from fastcnn.errors import ArgumentError, DataError
from fastcnn.layers import Call


@pytest.fixture(autouse=True)
def switch():
    before = config.fusion()
    yield
    config.set_fusion(before)


def images(n=4, shape=(8, 8, 3), seed=0, dtype="float64"):
    return np.random.default_rng(seed).standard_normal((n, *shape)).astype(dtype)


def residual(dtype="float64"):
    """A skip, a branch that is used twice, and batch normalization."""
    kw = {"dtype": dtype}
    inputs = fc.Input((8, 8, 3), **kw)
    x = layers.Conv2D(8, 3, padding="same", name="stem", **kw)(inputs)
    shortcut = x
    x = layers.BatchNormalization(**kw)(x)
    x = layers.ReLU(**kw)(x)
    x = layers.Conv2D(8, 3, padding="same", name="inner", **kw)(x)
    x = layers.Add(name="sum", **kw)([x, shortcut])
    x = layers.Concatenate(**kw)([layers.ReLU(**kw)(x), layers.Tanh(**kw)(x)])
    x = layers.GlobalAveragePooling2D(**kw)(x)
    return fc.Model(inputs, layers.Dense(5, activation="softmax", name="head", **kw)(x), name="residual")


def shared(dtype="float64"):
    """One convolution on two inputs, and on what it returns."""
    kw = {"dtype": dtype}
    a, b = fc.Input((8, 8, 3), name="a", **kw), fc.Input((8, 8, 3), name="b", **kw)
    conv = layers.Conv2D(3, 3, padding="same", activation="tanh", **kw)
    x = layers.Multiply(**kw)([conv(a), conv(conv(b))])
    return fc.Model([a, b], layers.Dense(4, **kw)(layers.Flatten(**kw)(x)), name="shared")


def two_heads(dtype="float64"):
    kw = {"dtype": dtype}
    inputs = fc.Input((8, 8, 3), **kw)
    x = layers.Conv2D(6, 3, activation="relu", **kw)(inputs)
    x = layers.Flatten(**kw)(x)
    return fc.Model(inputs, {"kind": layers.Dense(3, activation="softmax", name="k", **kw)(x),
                             "size": layers.Dense(1, name="s", **kw)(x)}, name="two_heads")


def nested(dtype="float64"):
    kw = {"dtype": dtype}
    inner = fc.Sequential([fc.Input((8, 8, 3), **kw), layers.Conv2D(4, 3, padding="same", name="conv", **kw),
                           layers.ReLU(**kw)], name="inner")
    body = fc.Input((8, 8, 4), **kw)
    branch = fc.Model(body, layers.Add(**kw)([layers.Conv2D(4, 1, name="conv", **kw)(body), body]), name="branch")
    inputs = fc.Input((8, 8, 3), **kw)
    x = branch(branch(inner(inputs)))
    return fc.Model(inputs, layers.Dense(4, **kw)(layers.Flatten(**kw)(x)), name="nested")


MODELS = {"residual": residual, "shared": shared, "two_heads": two_heads, "nested": nested}


def model_of(kind, dtype="float64"):
    fc.utils.set_random_seed(7)
    model = MODELS[kind](dtype)
    draw = np.random.default_rng(1)
    for p in model.weights:
        noise = 0.3 * draw.standard_normal(p.shape)
        p.assign(np.abs(noise) + 0.5 if "variance" in p.name else p.value + noise)
    return model


def inputs_of(model, n=3, seed=0):
    return tuple(images(n, shape[1:], seed + k, model.dtype) for k, shape in enumerate(model.input_shapes))


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("fused", [True, False])
def test_every_gradient_is_the_difference_quotient(kind, fused):
    config.set_fusion(fused)
    model = model_of(kind)
    xs = inputs_of(model)
    statistics = [(p, p.numpy()) for p in model.weights if not p.trainable]
    dys = None

    def outputs():
        for p, value in statistics:
            p.assign(value)
        ys, back = model.forward(xs if model.many_inputs else xs[0], Call(seed=1, step=1))
        return (ys if isinstance(ys, tuple) else (ys,)), back

    ys, back = outputs()
    dys = [np.random.default_rng(k).standard_normal(y.shape) for k, y in enumerate(ys)]
    for p in model.weights:
        p.zero_grad()
    dxs = back(tuple(dys) if len(dys) > 1 else dys[0])
    found = [*(dxs if isinstance(dxs, tuple) else (dxs,)), *(p.grad.copy() for p in model.trainable_weights)]
    draw = np.random.default_rng(3)
    for array, gradient in zip([*xs, *(p.array for p in model.trainable_weights)], found, strict=True):
        for index in (np.unravel_index(i, array.shape) for i in draw.choice(array.size, min(array.size, 12), False)):
            before, values = array[index], []
            for sign in (1, -1):
                array[index] = before + sign * 1e-6
                values.append(sum((y * dy).sum() for y, dy in zip(outputs()[0], dys, strict=True)))
            array[index] = before
            expected = (values[0] - values[1]) / 2e-6
            assert abs(gradient[index] - expected) <= 2e-6 * max(1, np.abs(gradient).max()), index


@pytest.mark.parametrize("kind", MODELS)
def test_inference_is_the_same_with_fusion_switched_off(kind):
    model = model_of(kind, "float32")
    xs = inputs_of(model, 5)
    x = list(xs) if model.many_inputs else xs[0]
    results = []
    for on in (True, False):
        config.set_fusion(on)
        for _ in range(3):  # the second makes a plan, the third follows it
            y = model.predict(x)
        results.append(list(y.values()) if isinstance(y, dict) else [y])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", MODELS)
def test_a_model_is_the_same_after_a_file(kind, tmp_path):
    model = model_of(kind, "float32")
    model.save(tmp_path / "m.safetensors")
    again = fc.saving.load_model(tmp_path / "m.safetensors")
    assert again.get_config() == json.loads(json.dumps(model.get_config()))
    xs = inputs_of(model)
    x = list(xs) if model.many_inputs else xs[0]
    for a, b in zip(_listed(again.predict(x)), _listed(model.predict(x)), strict=True):
        np.testing.assert_array_equal(a, b)


def _listed(y):
    return list(y.values()) if isinstance(y, dict) else y if isinstance(y, list) else [y]


def test_a_sub_model_shares_layers_and_needs_no_more_inputs_than_its_outputs():
    model = model_of("residual")
    features = fc.Model(model.input, model.get_layer("sum").output)
    x = images()
    assert features.predict(x).shape == (4, 8, 8, 8)
    assert features.get_layer("stem") is model.get_layer("stem")
    tail = fc.Model(model.get_layer("sum").output, model.output)
    np.testing.assert_allclose(tail.predict(features.predict(x)), model.predict(x), rtol=1e-12)
    assert "stem" not in [layer.name for layer in tail.layers]


def test_a_shared_layer_may_see_several_sizes():
    conv = layers.Conv2D(4, 3, padding="same", dtype="float64")
    a, b = fc.Input((8, 8, 3), dtype="float64"), fc.Input((6, 5, 3), dtype="float64")
    model = fc.Model([a, b], [conv(a), conv(b)])
    xs = [images(2), images(2, (6, 5, 3))]
    big, small = model.predict(xs)
    np.testing.assert_array_equal(big, conv.predict(xs[0]))
    alone = layers.Conv2D(4, 3, padding="same", dtype="float64")
    alone.build((None, 6, 5, 3))
    alone.set_weights(conv.get_weights())
    np.testing.assert_array_equal(small, alone.predict(xs[1]))
    with pytest.raises(ArgumentError, match="expected input"):
        conv(fc.Input((8, 8, 4), dtype="float64"))


def test_a_model_inside_may_see_another_size():
    inner = fc.Sequential([fc.Input((8, 8, 3)), layers.Conv2D(4, 3), layers.ReLU()])
    inputs = fc.Input((10, 12, 3))
    model = fc.Model(inputs, inner(inputs))
    assert model.output_shape == (None, 8, 10, 4)
    x = images(2, (10, 12, 3), dtype="float32")
    expected = np.maximum(inner.layers[0].for_shape((None, 10, 12, 3)).predict(x), 0)
    np.testing.assert_array_equal(model.predict(x), expected)


def test_frozen_parts_stay_and_cost_no_backward():
    model = model_of("nested", "float32")
    model.get_layer("inner").trainable = False
    model.compile("sgd", "mse")
    before = model.get_layer("inner").get_weights()
    x, y = images(8, dtype="float32"), np.zeros((8, 4), np.float32)
    seen = []
    for layer in model.get_layer("inner").layers:
        forward = layer.forward
        layer.forward = lambda x, call, forward=forward: _counted(forward(x, call), seen)
    config.set_fusion(False)
    model.fit(x, y, batch_size=4, epochs=2, verbose=0)
    assert not seen
    for a, b in zip(before, model.get_layer("inner").get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert model.get_layer("inner").trainable_weights == []
    assert len(model.trainable_weights) == 4


def _counted(result, seen):
    y, backward = result
    return y, lambda dy: (seen.append(1), backward(dy))[1]


def test_several_outputs_train_with_losses_and_metrics_of_their_own():
    model = model_of("two_heads", "float32")
    model.compile(fc.optimizers.SGD(0.01), {"kind": "sparse_categorical_crossentropy", "size": "mse"},
                  loss_weights={"size": 0.5}, metrics={"kind": ["accuracy"]})
    x = images(40, dtype="float32")
    y = {"kind": np.arange(40) % 3, "size": x.mean((1, 2, 3))[:, None]}
    history = model.fit(x, y, batch_size=8, epochs=4, verbose=0, validation_data=(x, y)).history
    assert list(history)[:4] == ["loss", "kind_loss", "size_loss", "kind_accuracy"]
    assert {f"val_{name}" for name in list(history)[:4]} <= set(history)
    assert history["loss"][-1] < history["loss"][0]
    logs = model.evaluate(x, y, return_dict=True)
    assert logs["loss"] == pytest.approx(logs["kind_loss"] + 0.5 * logs["size_loss"], rel=1e-5)
    assert set(model.predict(x)) == {"kind", "size"}


def test_the_weighted_sum_of_losses_has_the_sum_of_their_gradients():
    model = model_of("two_heads")
    x, kind, size = images(6), np.arange(6) % 3, np.arange(6.0)[:, None]
    gradients = []
    for losses, weights in (({"kind": "sparse_categorical_crossentropy"}, None), ({"size": "mse"}, None),
                            ({"kind": "sparse_categorical_crossentropy", "size": "mse"}, {"kind": 1, "size": 3})):
        model.compile(fc.optimizers.SGD(0.0), losses, loss_weights=weights)
        model.train_on_batch(x, {name: {"kind": kind, "size": size}[name] for name in losses})
        gradients.append([p.grad.copy() for p in model.trainable_weights])
    for a, b, both in zip(*gradients, strict=True):
        np.testing.assert_allclose(both, a + 3 * b, rtol=1e-9, atol=1e-12)


def test_regularizers_join_the_loss_and_the_gradients():
    plain, penalized = [], []
    for found, regularizer in ((plain, None), (penalized, "l2")):
        fc.utils.set_random_seed(3)
        dense = layers.Dense(2, dtype="float64")
        dense.build((None, 3))
        dense.kernel.regularizer = fc.regularizers.get(regularizer)
        model = fc.Sequential([fc.Input((3,)), dense])
        model.compile(fc.optimizers.SGD(0.0), "mse")
        x, y = np.ones((4, 3)), np.zeros((4, 2))
        found += [model.train_on_batch(x, y), dense.kernel.grad.copy(), model.evaluate(x, y)]
    w = dense.kernel.value
    assert penalized[0] == pytest.approx(plain[0] + 0.01 * (w ** 2).sum())
    assert penalized[2] == pytest.approx(plain[2] + 0.01 * (w ** 2).sum())
    np.testing.assert_allclose(penalized[1], plain[1] + 0.02 * w)


@pytest.mark.parametrize("fused", [True, False])
def test_activity_regularizers_join_the_loss_and_the_gradients(fused):
    config.set_fusion(fused)
    results = []
    for regularizer in (None, "l2"):
        fc.utils.set_random_seed(3)
        model = fc.Sequential([fc.Input((3,)), layers.Dense(2, dtype="float64", activity_regularizer=regularizer),
                               layers.Activation("tanh", dtype="float64")])
        model.compile(fc.optimizers.SGD(0.0), "mse")
        x = np.arange(12.0).reshape(4, 3) / 12
        results.append([model.train_on_batch(x, np.zeros((4, 2))), model.layers[0].kernel.grad.copy(), x])
    z = x @ model.layers[0].kernel.value
    assert results[1][0] == pytest.approx(results[0][0] + 0.01 * (z ** 2).sum() / 4)
    np.testing.assert_allclose(results[1][1], results[0][1] + x.T @ (0.02 * z / 4), rtol=1e-9)


class Halves(layers.Layer):
    def compute_output_shape(self, input_shape):
        return ((None, input_shape[-1] // 2),) * 2

    def forward(self, x, call=Call()):
        halves = np.split(self.checked(x), 2, axis=-1)
        return tuple(map(np.ascontiguousarray, halves)), lambda dys: np.concatenate(dys, axis=-1)


@pytest.mark.parametrize("fused", [True, False])
def test_a_penalty_on_an_output_that_nothing_else_is_asked_of_is_trained_and_evaluated(fused):
    config.set_fusion(fused)
    inputs = fc.Input((3,), dtype="float64")
    dense = layers.Dense(4, dtype="float64")
    a, b = Halves(dtype="float64", activity_regularizer="l2")(layers.Dropout(0.0, dtype="float64")(dense(inputs)))
    model = fc.Model(inputs, [layers.Dense(2, dtype="float64")(inputs), a, b])
    model.compile(fc.optimizers.SGD(0.0), ["mse", None, None])
    x = np.arange(12.0).reshape(4, 3) / 12
    y, z = [model.predict(x)[0], None, None], x @ dense.kernel.value
    penalty = pytest.approx(0.01 * (z ** 2).sum() / 4)
    assert [model.evaluate(x, y, return_dict=True)["loss"], model.train_on_batch(x, y)[0]] == [penalty, penalty]
    np.testing.assert_allclose(dense.kernel.grad, x.T @ (0.02 * z / 4), rtol=1e-9)


def test_class_weights_are_sample_weights():
    x, y = images(9, dtype="float32"), np.arange(9) % 3
    found = []
    for more in ({"class_weight": {0: 2.0, 2: 0.5}}, {"sample_weight": np.array([2.0, 1.0, 0.5])[y]}, {}):
        fc.utils.set_random_seed(3)
        model = fc.Sequential([fc.Input((8, 8, 3)), layers.Flatten(), layers.Dense(3, activation="softmax")])
        model.compile(fc.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
        found.append([model.train_on_batch(x, y, **more), *model.get_weights()])
    np.testing.assert_array_equal(found[0][1], found[1][1])
    assert found[0][0] == found[1][0] != found[2][0]


def test_layers_stand_in_the_order_of_their_depth():
    model = model_of("residual")
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == ["InputLayer", "Conv2D", "BatchNormalization", "ReLU", "Conv2D", "Add", "ReLU", "Tanh",
                     "Concatenate", "GlobalAveragePooling2D", "Dense"]


def test_a_model_is_put_together_with_operators_too():
    a = fc.Input((4,))
    b = layers.Dense(4)(a)
    model = fc.Model(a, a + b * a - b)
    x = np.random.default_rng(0).standard_normal((3, 4)).astype("float32")
    dense = next(layer for layer in model.layers if isinstance(layer, layers.Dense)).predict(x)
    np.testing.assert_allclose(model.predict(x), x + dense * x - dense, rtol=1e-6, atol=1e-6)


def subclassed():
    class Own(fc.Model):
        def train_step(self, data):
            return {}


def unconnected():
    return fc.Model(fc.Input((3,)), layers.Dense(2)(fc.Input((3,))))


def twice_named():
    x = fc.Input((3,))
    return fc.Model(x, layers.Dense(2, name="d")(layers.Dense(2, name="d")(x)))


MISTAKES = {
    "a subclass without tensors": (lambda: fc.Model(), ArgumentError, "expected inputs and outputs"),
    "another input": (unconnected, ArgumentError, "which is not among them"),
    "one name twice": (twice_named, ArgumentError, 'two "d"'),
    "an array as input": (lambda: fc.Model(np.zeros(3), fc.Input((3,))), ArgumentError, "got ndarray"),
    "two tensors for one": (lambda: layers.Dense(2)([fc.Input((3,)), fc.Input((3,))]), ArgumentError, "Concatenate"),
    "one tensor for two": (lambda: layers.Add()(fc.Input((3,))), ArgumentError, r"\(\[a, b\]\)"),
    "an array among tensors": (lambda: layers.Add()([fc.Input((3,)), np.zeros((1, 3))]), ArgumentError, "constants"),
    "another dtype": (lambda: layers.Dense(2)(fc.Input((3,), dtype="float64")), ArgumentError, "one dtype"),
    "a size that weights need": (lambda: layers.Dense(2)(layers.Flatten()(fc.Input((None, None, 3)))), ArgumentError,
                                 "Dense .*expected known sizes, .*GlobalAveragePooling2D"),
    "training in the graph": (lambda: layers.Dropout(0.5)(fc.Input((3,)), training=True), ArgumentError, "not offered"),
    "NumPy on a tensor": (lambda: np.exp(fc.Input((3,))), (ArgumentError, TypeError), "Tensor|symbolic"),
    "one input for two": (lambda: model_of("shared").predict(images()), ArgumentError, "list of 2 inputs"),
    "a dict without an input": (lambda: model_of("shared").predict({"a": images()}), ArgumentError, "none for b"),
    "different counts": (lambda: model_of("shared").predict([images(3), images(4)]), DataError, "as many"),
    "saving what begins inside": (lambda: fc.Model(model_of("residual").get_layer("sum").output,
                                                   model_of("residual").output), ArgumentError, "depend on"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_one_clear_sentence(case):
    wrong, kind, text = MISTAKES[case]
    with pytest.raises(kind, match=text) as caught:
        wrong()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("fused", [True, False])
def test_a_part_that_is_called_with_training_false_runs_as_in_inference_and_still_learns(fused):
    config.set_fusion(fused)
    kw = {"dtype": "float64"}
    fc.utils.set_random_seed(2)
    body = fc.Sequential([fc.Input((8, 8, 3), **kw), layers.Conv2D(4, 3, **kw), layers.BatchNormalization(**kw),
                          layers.ReLU(**kw), layers.Dropout(0.5, **kw)], name="body")
    norm = body.layers[1]
    norm.moving_mean.assign(np.full(4, 0.1))
    norm.moving_variance.assign(np.full(4, 2.0))
    inputs = fc.Input((8, 8, 3), **kw)
    x = body(inputs, training=False)
    model = fc.Model(inputs, layers.Dense(2, **kw)(layers.Flatten(**kw)(x)))
    model.compile(fc.optimizers.SGD(0.1), "mse")
    x, y = images(6), np.ones((6, 2))
    expected = ((model.predict(x) - y) ** 2).mean()
    before = model.get_weights()
    assert model.train_on_batch(x, y) == pytest.approx(expected, rel=1e-9)
    np.testing.assert_array_equal(norm.moving_mean.value, np.full(4, 0.1))
    np.testing.assert_array_equal(norm.moving_variance.value, np.full(4, 2.0))
    changed = [not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)]
    assert changed == [True, True, True, True, False, False, True, True]
    gamma, step = norm.gamma.array, 1e-6
    model.train_on_batch(x, y)  # the gradient at the present weights, then the step: undo it to difference
    after = [p.numpy() for p in model.weights]
    model.optimizer.learning_rate = 0.0
    model.train_on_batch(x, y)
    gradient, values = norm.gamma.grad[0], []
    for sign in (1, -1):
        gamma[0] += sign * step
        norm.gamma.version += 1
        values.append(((model.predict(x) - y) ** 2).mean())
        gamma[0] -= sign * step
    assert gradient == pytest.approx((values[0] - values[1]) / (2 * step), rel=1e-5)
    assert all(np.array_equal(a, p.value) for a, p in zip(after, model.weights, strict=True))


def test_the_average_of_the_weights_takes_their_place_at_the_end_of_fit():
    weights = []
    for average in (False, True):
        fc.utils.set_random_seed(4)
        model = fc.Sequential([fc.Input((3,)), layers.Dense(1, dtype="float64")])
        model.compile(fc.optimizers.SGD(0.1, use_ema=average, ema_momentum=0.5), "mse")
        seen = [model.layers[0].kernel.numpy()]
        keep = fc.callbacks.Callback()
        kernel = model.layers[0].kernel
        keep.on_train_batch_end = lambda batch, logs, seen=seen, kernel=kernel: seen.append(kernel.numpy())
        model.fit(np.eye(3), np.ones((3, 1)), batch_size=1, epochs=2, verbose=0, shuffle=False, callbacks=[keep])
        weights.append((seen, model.layers[0].kernel.numpy()))
    (seen, last), (_, averaged) = weights
    np.testing.assert_array_equal(seen[-1], last)
    expected = seen[1]  # of the first step
    for value in seen[2:]:
        expected = 0.5 * expected + 0.5 * value
    np.testing.assert_allclose(averaged, expected, rtol=1e-12)
