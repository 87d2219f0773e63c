"""Training on a device whose arrays hide their numbers: every loss, optimizer and metric, and whole networks."""

import copy

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import device, dtype_policies, layers
from fastcnn.graph.derivatives import layer_errors
from fastcnn.layers import Call
from fastcnn.parameters import Parameter
from tests import test_losses, test_metrics, test_optimizers
from tests.mirror import mirror

DRAW = np.random.default_rng(11)
HOST = device.current()


def same(a, b):
    assert len(a) == len(b)
    for one, other in zip(a, b, strict=True):
        np.testing.assert_array_equal(one, other)


# --- losses, optimizers, metrics --------------------------------------------------------------------------------------

def _lost(loss, on, y, x, weights):
    losses, gradient = loss.forward(y, on.put(x), sample_weight=weights)
    assert device.of(losses) is device.of(gradient) is on
    return [on.get(losses), on.get(gradient)]


@pytest.mark.parametrize("name", [name for name in test_losses.EVERY if name not in test_losses.OF_SAMPLES])
def test_a_loss_looks_at_its_targets_alone(name):
    y, x = test_losses._case(name)
    loss = fc.losses.get(name)
    weights = None if loss.axes[0] is None or name in ("dice", "tversky") else test_losses.WEIGHTS
    for given in {id(w): w for w in (None, weights)}.values():
        same(_lost(loss, mirror, y, x, given), _lost(loss, HOST, y, x, given))


@pytest.mark.parametrize("name", ["categorical_crossentropy", "binary_crossentropy", "cosine_similarity"])
def test_a_loss_over_another_axis_does(name):
    y, x = test_losses._case(name)
    loss = type(fc.losses.get(name))(axis=2)
    same(_lost(loss, mirror, y, x, None), _lost(loss, HOST, y, x, None))


@pytest.mark.parametrize("name", test_losses.TARGETS)
def test_a_loss_of_logits_does(name):
    loss, y, x = fc.losses.get(name), test_losses.TARGETS[name], test_losses.LOGITS
    found = [[on.get(one) for one in loss.forward_from_logits(y, on.put(x))] for on in (mirror, HOST)]
    same(*found)


def test_a_loss_over_all_outputs_does():
    class Both(fc.losses.JointLoss):
        def call(self, y_true, y_pred):
            return fc.ops.mean((y_true[0] - y_pred[0]) ** 2, -1) + 2 * fc.ops.mean(abs(y_true[0] - y_pred[1]), -1)

    target, first, second = DRAW.standard_normal((3, 5, 4)).astype(np.float32)
    found = []
    for on in (mirror, HOST):
        with device.use(on):
            losses, gradients = Both().forward([target], [on.put(first), on.put(second)], sample_weight=np.arange(5.0))
            assert all(device.of(one) is on for one in (losses, *gradients))
            found.append([on.get(one) for one in (losses, *gradients)])
    same(*found)


def _stepped(name, on, **arguments):
    optimizer = fc.optimizers.get(name, **arguments)
    parameters = [Parameter(on.put(p.numpy()), p.name, p.path) for p in test_optimizers._parameters()]
    optimizer.exclude_from_weight_decay(parameters[1:2])
    optimizer.build(parameters)
    draw = np.random.default_rng(4)
    for _ in range(4):
        for p in parameters:
            on.copy(p.gradient, draw.standard_normal(p.shape))
        optimizer.step()
    optimizer.clear_gradients()
    optimizer.finalize_variable_values()
    state = optimizer.get_state()
    optimizer.set_state(state)
    assert all(device.of(p.array) is on for p in parameters)
    return [p.value for p in parameters] + [p.grad for p in parameters] + list(state.values())


@pytest.mark.parametrize("arguments", [
    {}, {"clipnorm": 0.5, "weight_decay": 0.01}, {"global_clipnorm": 0.5, "clipvalue": None},
    {"clipvalue": 0.1, "use_ema": True, "ema_overwrite_frequency": 2, "gradient_accumulation_steps": 2}], ids=str)
@pytest.mark.parametrize("name", test_optimizers.NAMES)
def test_an_optimizer_steps_by_kernels(name, arguments):
    same(_stepped(name, mirror, **arguments), _stepped(name, HOST, **arguments))


@pytest.mark.parametrize("name", ["l1", "l2", "l1_l2"])
def test_a_penalty_reads_one_number(name):
    x, found = DRAW.standard_normal((7, 5)).astype(np.float32), []
    for on in (mirror, HOST):
        gradient = on.zeros(x.shape, x.dtype)
        value = fc.regularizers.get(name).add_gradient(gradient, on.put(x))
        found.append([value, on.get(gradient)])
    same(*found)


# --- networks ---------------------------------------------------------------------------------------------------------

def _mixed():
    """Skips, norms of all kinds, a layer used twice, penalties, resizing, slices and a model inside."""
    inputs = fc.Input((8, 8, 3))
    shared = layers.Conv2D(8, 3, padding="same", activity_regularizer="l2", kernel_regularizer="l1")
    x = layers.Rescaling(0.5, -0.1)(inputs)
    x = layers.BatchNormalization()(shared(layers.Conv2D(8, 1)(x)))
    x = layers.Activation("relu")(x)
    x = layers.Add()([x, shared(x)])
    x = layers.GroupNormalization(4)(layers.Conv2DTranspose(8, 2, strides=2)(x))
    x = layers.LayerNormalization()(layers.PReLU()(x))
    x = layers.Concatenate()([layers.AveragePooling2D(2)(x), layers.MaxPooling2D(2)(x)])
    x = layers.Dropout(0.2)(layers.UpSampling2D(2, interpolation="bilinear")(x))
    frozen = layers.BatchNormalization(trainable=False)
    inner = fc.Sequential([fc.Input((16, 16, 16)), layers.DepthwiseConv2D(3, strides=2), frozen])
    x = layers.GlobalAveragePooling2D()(inner(x))
    return fc.Model(inputs, layers.Dense(10, activation="softmax", kernel_regularizer="l2")(x))


def _volumes():
    return fc.Sequential([fc.Input((6, 6, 6, 2)), layers.Conv3D(4, 3, activation="relu"), layers.MaxPooling3D(2),
                          layers.Conv3DTranspose(2, 2), layers.Flatten(), layers.Dense(2)])


def _residual():
    """What prediction folds: norms into convolutions, borders, additions, an inverted residual."""
    inputs = fc.Input((8, 8, 8))
    x = layers.ZeroPadding2D(1)(inputs)
    x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(16, 3, use_bias=False)(x)))
    y = layers.ReLU(6.0)(layers.BatchNormalization()(layers.Conv2D(32, 1)(x)))
    y = layers.ReLU(6.0)(layers.BatchNormalization()(layers.DepthwiseConv2D(3, padding="same")(y)))
    y = layers.BatchNormalization()(layers.Conv2D(16, 1)(y))
    x = layers.ReLU()(layers.Add()([layers.BatchNormalization()(layers.Conv2D(16, 3, padding="same")(x)), y]))
    return fc.Model(inputs, layers.Dense(10)(layers.Flatten()(x)))


def _images(*shape):
    return np.random.default_rng(1).random(shape).astype(np.float32), np.random.default_rng(2).integers(0, 10, shape[0])


CROSS = {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"], "weighted_metrics": ["accuracy"]}
NETWORKS = {
    "LeNet-5": (fc.applications.LeNet5, _images(40, 28, 28, 1), {**CROSS, "optimizer": "adam"}),
    "the convnet": (fc.applications.ConvNet, _images(24, 28, 28, 1), {**CROSS, "optimizer": "sgd"}),
    "skips, norms, shared": (_mixed, _images(20, 8, 8, 3), {
        **CROSS, "optimizer": fc.optimizers.AdamW(0.01, clipnorm=1.0), "loss_weights": 0.3}),
    "what is folded": (_residual, _images(20, 8, 8, 8), {
        "loss": fc.losses.SparseCategoricalCrossentropy(from_logits=True), "optimizer": "momentum"}),
    "volumes": (_volumes, (_images(12, 6, 6, 6, 2)[0], DRAW.random((12, 2), np.float32)), {
        "loss": "mse", "metrics": ["mae", "rmse"], "optimizer": fc.optimizers.RMSprop(0.01, use_ema=True)}),
}


def _trained(name, on, path):
    make, (x, y), how = NETWORKS[name]
    fc.utils.clear_session()
    fc.utils.set_random_seed(5)
    with device.use(on):
        model = make()
    optimizer = how["optimizer"]
    if not isinstance(optimizer, str):
        optimizer = type(optimizer).from_config(optimizer.get_config())
    model.compile(**{**how, "optimizer": optimizer})
    assert all(device.of(p.array) is on for p in model.weights)
    weights = np.linspace(0.5, 1.5, len(x), dtype=np.float32)
    logs = model.fit(x, y, 8, epochs=2, verbose=0, sample_weight=weights, validation_data=(x[:9], y[:9])).history
    predicted = [model.predict(x), model.predict(x[:3]), model.predict(x[:3]), model.predict(x[:3]), model(x[:2]),
                 model.predict_on_batch(x)]
    assert all(type(one) is np.ndarray for one in predicted)
    model.save(path)
    with device.use(on):
        again = fc.saving.load_model(path)
    assert all(device.of(p.array) is on for p in again.weights)
    same([again.predict(x)], [predicted[0]])
    tested = np.array([model.evaluate(x, y), again.evaluate(x, y)])
    further = [m.train_on_batch(x, y) for m in (model, again)]
    return [np.array(list(logs.values())), *predicted, tested, np.array(further), *model.get_weights(),
            *again.get_weights()]


class Block(layers.Layer):
    """A residual block, made of layers."""

    def __init__(self, filters, **kwargs):
        super().__init__(**kwargs)
        self.conv, self.norm = layers.Conv2D(filters, 3, padding="same"), layers.BatchNormalization()

    def compute_output_shape(self, input_shape):
        return self.norm.compute_output_shape(self.conv.compute_output_shape(input_shape))

    def create_weights(self, input_shape):
        self.conv.build(input_shape)
        self.norm.build(self.conv.output_shape)

    def forward(self, x, call):
        y, conv_backward = self.conv.forward(self.checked(x), call)
        y, norm_backward = self.norm.forward(y, call)
        return y, lambda dy: conv_backward(norm_backward(dy))

    def predict(self, x):
        return self.norm.predict(self.conv.predict(self.checked(x)))


class CalledBlock(layers.Layer):
    """The same with a skip, as what it does with tensors."""

    def __init__(self, filters, **kwargs):
        super().__init__(**kwargs)
        self.steps = [layers.Conv2D(filters, 3, padding="same"), layers.BatchNormalization(), layers.ReLU()]

    def call(self, x):
        y = x
        for step in self.steps:
            y = step(y)
        return layers.Add()([x, y])


def test_layers_made_of_layers_live_where_they_are_built():
    x, y = _images(12, 6, 6, 4)
    found = []
    for on in (mirror, HOST):
        fc.utils.set_random_seed(7)
        with device.use(on):
            parts = [Block(4), CalledBlock(4), Block(8), layers.Flatten(), layers.Dense(10)]
            model = fc.Sequential([fc.Input((6, 6, 4)), *parts])
        model.compile("adam", fc.losses.SparseCategoricalCrossentropy(from_logits=True))
        model.fit(x, y, 4, epochs=2, verbose=0)
        assert all(device.of(p.array) is on for p in model.weights)
        found.append([model.predict(x), *model.get_weights()])
    same(*found)


def test_weights_go_through_files_and_copies_from_one_device_to_another(tmp_path):
    x, _ = _images(4, 28, 28, 1)
    host = fc.applications.LeNet5()
    with device.use(mirror):
        hidden = fc.applications.LeNet5()
    host.save_weights(tmp_path / "whole.safetensors")
    hidden.load_weights(tmp_path / "whole.safetensors")
    same([hidden.predict(x)], [host.predict(x)])
    hidden.set_weights([w * np.float32(0.5) for w in hidden.get_weights()])
    hidden.save_weights(tmp_path / "half.safetensors")
    host.load_weights(tmp_path / "half.safetensors")
    same([copy.deepcopy(hidden).predict(x)], [host.predict(x)])  # to where new parameters live
    with device.use(mirror):
        copied = copy.deepcopy(host)
    assert all(device.of(p.array) is mirror for p in copied.weights)
    same([copied.predict(x)], [host.predict(x)])


def test_a_training_takes_no_memory_after_its_first_epoch():
    make, (x, y), how = NETWORKS["LeNet-5"]
    with device.use(mirror):
        model = make()
    model.compile(**how)
    model.fit(x, y, 8, verbose=0)
    before = mirror.allocated
    model.fit(x, y, 8, epochs=2, verbose=0)
    assert mirror.allocated == before


@pytest.mark.parametrize("fusion", [True, False], ids=["fused", "as it is"])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_trains_to_the_same_bits(name, fusion, tmp_path):
    before = fc.config.fusion()
    fc.config.set_fusion(fusion)
    try:
        same(*[_trained(name, on, tmp_path / f"{on.name}.safetensors") for on in (mirror, HOST)])
    finally:
        fc.config.set_fusion(before)


def test_gradients_are_checked_where_the_layers_live():
    x, y = np.random.default_rng(6).standard_normal((4, 5)), np.arange(4) % 3
    found = []
    for on in (mirror, HOST):
        fc.utils.set_random_seed(1)
        with device.use(on):
            parts = layers.Dense(4, activation="tanh"), layers.BatchNormalization(), layers.Dense(3)
            model = fc.Sequential([fc.Input((5,)), *parts])
            model.compile("sgd", fc.losses.SparseCategoricalCrossentropy(from_logits=True))
            found.append(fc.check_gradients(model, x, y))
    assert found[0].verdict == "right"
    assert [row[1:] for row in found[0]] == [row[1:] for row in found[1]]


def test_layers_are_looked_at_alone_where_they_live():
    with device.use(mirror), dtype_policies.everywhere("float64"):
        parts = layers.Dense(4, activation="tanh"), layers.BatchNormalization(), layers.Dense(3)
        model = fc.Sequential([fc.Input((5,)), *parts])
        errors = list(layer_errors(model.layer_graph(), [mirror.put(np.random.default_rng(6).random((4, 5)))], Call()))
    assert [one.of for one in errors] == ["its input", "kernel", "bias", "its input", "gamma", "beta", "its input",
                                          "kernel", "bias"]
    assert max(one.error for one in errors) < 1e-6


def test_a_loss_of_triplets_looks_at_its_classes_alone():
    x, y = np.random.default_rng(2).standard_normal((12, 5)).astype(np.float32), np.arange(12) % 3
    for mining in ("all", "semi-hard", "hard"):
        loss = fc.losses.Triplet(mining=mining)
        same(_lost(loss, mirror, y, x, None), _lost(loss, HOST, y, x, None))


@pytest.mark.parametrize("name", [name for name in fc.metrics._CLASSES if name not in (
    "Mean", "Sum", *test_metrics.OF_OTHER_THINGS) and (
    not name.startswith("Mean") or any(part in name for part in ("Abs", "Squ", "IoU")))])
def test_a_metric_sees_outputs_on_the_host(name):
    labels, x = np.arange(12) % 3, np.random.default_rng(3).random((12, 4)).astype(np.float32)
    sparse = name.startswith("Sparse")
    y, found = labels if sparse else np.eye(3, dtype=np.float32)[labels], []
    for on in (mirror, HOST):
        fc.utils.clear_session()
        fc.utils.set_random_seed(1)
        with device.use(on):
            model = fc.Sequential([fc.Input((4,)), layers.Dense(3, activation="sigmoid")])
        model.compile("sgd", "sparse_categorical_crossentropy" if sparse else "mse", metrics=[test_metrics._made(name)])
        found.append(model.train_on_batch(x, y) + model.evaluate(x, y))
    same(*found)
