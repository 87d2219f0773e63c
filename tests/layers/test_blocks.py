"""Layers that hold layers: a residual block as a class, with both verbs written by hand."""

import copy

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError
from fastcnn.layers import Call
from tests import checks
from tests.checks import Case

RNG = np.random.default_rng(0)
X = RNG.standard_normal((6, 6, 5, 3)).astype(np.float32)
Y = RNG.standard_normal((6, 2)).astype(np.float32)


class Residual(layers.Layer):
    """y = scale * (norm(conv2(relu(conv1(x)))) + shortcut(x)), where conv1 and the rest stand in a list and a dict."""

    def __init__(self, filters=4, rate=0.0, **kwargs):
        super().__init__(**kwargs)
        dtype = self.dtype.name
        self.first = [layers.Conv2D(filters, 3, padding="same", kernel_regularizer="l2", dtype=dtype),
                      layers.ReLU(dtype=dtype), layers.Dropout(rate, seed=7, dtype=dtype)]
        self.second = layers.Conv2D(filters, 3, padding="same", activation="tanh", dtype=dtype)
        self.ways = {"shortcut": layers.Conv2D(filters, 1, use_bias=False, dtype=dtype)}
        self.filters = filters

    def compute_output_shape(self, input_shape):
        return *input_shape[:-1], self.filters

    def create_weights(self, input_shape):
        self.scale = self.add_weight("scale", (1,), "ones")
        shape = input_shape
        for layer in (*self.first, self.second):
            layer.build(shape)
            shape = layer.output_shape
        self.ways["shortcut"].build(input_shape)

    def forward(self, x, call=Call()):
        inside, ways, h = call._replace(wants_dx=True), [], x
        for layer in self.first:
            h, way = layer.forward(h, call if layer is self.first[0] else inside)
            ways.append(way)
        h, way = self.second.forward(h, inside)
        skip, shortcut = self.ways["shortcut"].forward(x, call)
        total = h + skip

        def backward(dy):
            self.scale.gradient[...] += (dy * total).sum()
            dy = dy * self.scale.array
            dx = way(dy)
            for one in reversed(ways):
                dx = one(dx)
            other = shortcut(dy)
            return dx + other if call.wants_dx else None

        return self.scale.array * total, backward

    def predict(self, x):
        h = x
        for layer in (*self.first, self.second):
            h = layer.predict(h)
        return self.scale.array * (h + self.ways["shortcut"].predict(x))


ROWS = [
    Case("residual", lambda **more: Residual(**more), (7, 6, 3)),
    Case("residual, dropout", lambda **more: Residual(5, 0.4, **more), (7, 6, 3), random=True),
]


@pytest.mark.parametrize("case", ROWS, ids=lambda case: case.name)
def test_a_block_obeys_the_laws_of_layers(case, two_threads):
    for law in checks.LAWS:
        law(case)
    checks.any_number_of_threads(case, two_threads)


def network(**kwargs):
    fc.utils.set_random_seed(5)
    return fc.Sequential([fc.Input((6, 5, 3)), Residual(**kwargs), Residual(3), layers.GlobalAveragePooling2D(),
                          layers.Dense(2)])


def trained(**kwargs):
    model = network(**kwargs)
    model.compile("sgd", "mse")
    model.fit(X, Y, batch_size=3, epochs=2, verbose=0)
    return model


def test_parameters_come_in_keras_s_order_its_own_first_and_are_counted_once():
    block = network().layers[0]
    names = ["scale", "first/0/kernel", "first/0/bias", "second/kernel", "second/bias", "ways/shortcut/kernel"]
    assert [path for path, _ in block.weights_by_path()] == names
    assert [id(p) for _, p in block.weights_by_path()] == list(map(id, block.weights))
    assert block.count_params() == 1 + 3 * 3 * 3 * 4 + 4 + 3 * 3 * 4 * 4 + 4 + 3 * 4
    block.again = [block.second, block.first[0]]
    assert len(block.weights) == len(names)


def test_a_network_of_blocks_trains_all_of_their_parameters():
    before, model = network().get_weights(), trained(rate=0.2)
    assert all(not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert model.penalized == [model.layers[0].first[0].kernel, model.layers[1].first[0].kernel]


def test_a_block_that_is_frozen_stays_and_so_do_the_layers_it_holds():
    model = network()
    block, other = model.layers[:2]
    block.trainable, other.second.trainable = False, False
    assert not block.second.trainable
    assert not block.trainable_weights
    assert len(block.non_trainable_weights) == 6
    model.compile("sgd", "mse")
    before = [p.numpy() for p in model.weights]
    model.fit(X, Y, verbose=0)
    moved = [not np.array_equal(a, p.value) for a, p in zip(before, model.weights, strict=True)]
    assert moved == [False] * 6 + [True] * 3 + [False] * 2 + [True] * 3
    block.trainable = True
    assert block.second.trainable


def test_a_block_that_is_made_frozen_holds_frozen_layers():
    block = Residual(trainable=False)
    block.build((None, 6, 5, 3))
    assert not any(one.trainable for one in block.held_layers().values())


@pytest.mark.parametrize("how", ["deepcopy", "save", "config"])
def test_a_network_of_blocks_is_copied_and_saved_with_what_is_frozen_in_it(how, tmp_path):
    model = trained(rate=0.2)
    model.layers[1].second.trainable = False
    if how == "deepcopy":
        again = copy.deepcopy(model)
    elif how == "save":
        model.save(tmp_path / "m.safetensors")
        again = fc.saving.load_model(tmp_path / "m.safetensors", custom_objects={"Residual": Residual})
    else:
        again = fc.Sequential.from_config(model.get_config(), custom_objects={"Residual": Residual})
        again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert not again.layers[1].second.trainable
    assert again.layers[1].ways["shortcut"].trainable
    assert len(again.trainable_weights) == len(model.trainable_weights)


def test_weights_are_saved_by_the_attributes_that_hold_their_layers(tmp_path):
    model = trained()
    model.save_weights(tmp_path / "w.safetensors")
    paths = list(model.named_weights())
    assert paths[1] == f"{model.layers[0].name}/first/0/kernel"
    other = network()
    other.load_weights(tmp_path / "w.safetensors")
    np.testing.assert_array_equal(other.predict(X), model.predict(X))


def test_a_twin_for_another_shape_shares_the_parameters_of_the_layers_that_are_held():
    model = trained()
    twin = model.for_shape((None, 4, 4, 3))
    other = fc.Sequential([fc.Input((4, 4, 3)), Residual(), Residual(3), layers.GlobalAveragePooling2D(),
                           layers.Dense(2)])
    other.set_weights(model.get_weights())
    small = np.ascontiguousarray(X[:, :4, :4])
    np.testing.assert_array_equal(twin.predict(small), other.predict(small))
    assert list(map(id, twin.weights)) == list(map(id, model.weights))
    twin.compile("sgd", "mse")
    before = model.get_weights()
    twin.fit(small, Y, verbose=0)
    assert all(not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    model.predict(X)


def test_a_block_used_twice_trains_one_set_of_parameters_and_draws_twice():
    block, x = Residual(3, 0.5), fc.Input((6, 5, 3))
    model = fc.Model(x, [block(x), block(block(x))])
    assert len(model.weights) == 6
    once, twice = model(X, training=True)
    block.scale.assign([0.0])
    assert not np.array_equal(once, twice)


def test_a_block_first_in_a_model_may_hand_on_what_it_is_told():
    class Two(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.a, self.b = layers.Dense(3), layers.Dense(3)

        def create_weights(self, input_shape):
            self.a.build(input_shape)
            self.b.build(input_shape)

        def forward(self, x, call=Call()):
            h, first = self.a.forward(x, call)
            y, second = self.b.forward(h, call)
            return y, lambda dy: first(second(dy))

    model = fc.Sequential([fc.Input((3,)), Two()])
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.fit(X[:, 0, 0], X[:, 1, 1], verbose=0)
    assert all(not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_a_block_that_could_not_be_built_is_built_anew():
    class Late(Residual):
        def create_weights(self, input_shape):
            super().create_weights(input_shape)
            if input_shape[1] > 6:
                raise ArgumentError("too large")

    block = Late()
    with pytest.raises(ArgumentError, match="too large"):
        block.build((None, 7, 7, 2))
    block.build((None, 6, 5, 3))
    assert len(block.weights) == 6


class Scale(layers.Layer):
    """y = factor * conv(x), with a kernel's verb for the product and a node of ONNX for it."""

    replayable = True

    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.conv = layers.Conv2D(4, 3, padding="same", activation="relu")
        self.scale = layers.Rescaling(factor)

    def compute_output_shape(self, input_shape):
        return *input_shape[:-1], 4

    def create_weights(self, input_shape):
        self.conv.build(input_shape)
        self.scale.build(self.conv.output_shape)

    def forward(self, x, call=Call()):
        h, first = self.conv.forward(x, call)
        y, second = self.scale.forward(h, call._replace(wants_dx=True))
        return y, lambda dy: first(second(dy))

    def predict(self, x):
        return self.scale.predict(self.conv.predict(x))

    def write_onnx(self, writer, inputs):
        return writer.node("Mul", [writer.layer(self.conv, inputs), writer.constant([2.0], "factor")])


def scaled(kind=Scale):
    return fc.Sequential([fc.Input((6, 5, 3)), kind(), layers.GlobalAveragePooling2D(), layers.Dense(2)])


def test_a_block_that_says_so_is_replayed_and_forgets_it_when_a_parameter_within_changes():
    model, one = scaled(), X[:1]
    for _ in range(3):
        model.predict(one)
    assert any(model._executable.replay._captures.values())
    first = model.predict(one)
    model.layers[0].conv.kernel.assign(2 * model.layers[0].conv.kernel.value)
    np.testing.assert_allclose(model.predict(one), model.predict(X)[:1], rtol=1e-5, atol=1e-6)
    assert not np.array_equal(model.predict(one), first)
    silent = type("Silent", (Scale,), {"replayable": False})
    other = scaled(silent)
    for _ in range(3):
        other.predict(one)
    assert not any(other._executable.replay._captures.values())


def test_a_block_that_holds_a_layer_that_is_not_replayable_is_not_replayed():
    model = scaled()
    model.layers[0].scale = type("Own", (layers.Rescaling,), {"predict": lambda self, x: 2 * x, "replayable": False})(2)
    model.layers[0].scale.build((None, 6, 5, 4))
    for _ in range(3):
        model.predict(X[:1])
    assert not any(model._executable.replay._captures.values())


def test_a_layer_of_one_s_own_is_exported_by_what_it_writes(tmp_path):
    pytest.importorskip("onnx")
    model = scaled()
    for layout in ("channels_last", "channels_first"):
        path = fc.onnx.export(model, tmp_path / f"{layout}.onnx", layout=layout)
        again = fc.onnx.load(path)
        np.testing.assert_allclose(again.predict(X), model.predict(X), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("write", "message"), [
    (None, r"or layers with write_onnx\(self, writer, inputs\), got Own"),
    (lambda self, writer, inputs: None, "to return the name of its output, or 1 of them, got None"),
    (lambda self, writer, inputs: [inputs, inputs], "to return the name of its output, or 1 of them, got"),
    (lambda self, writer, inputs: writer.layer(self.conv.held, inputs), "expected a layer of fastcnn to export, or"),
])
def test_a_layer_that_is_not_written_is_told_by_name(write, message, tmp_path):
    pytest.importorskip("onnx")
    base = layers.Layer if write is None else Scale
    kind = type("Own", (base,), {} if write is None else {"write_onnx": write})
    if write is None:
        kind.predict = lambda self, x: x
    model = scaled(kind)
    held = type("Held", (layers.Layer,), {})()
    held.build((None, 6, 5, 3))
    if write is not None:
        model.layers[0].conv.held = held
    with pytest.raises(ArgumentError, match=message):
        fc.onnx.export(model, tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())


class Late(layers.Layer):
    """Makes its layer where its parameters are made."""

    def create_weights(self, input_shape):
        self.dense = layers.Dense(input_shape[-1])
        self.dense.build(input_shape)

    def forward(self, x, call=Call()):
        return self.dense.forward(x, call)


class Trunk(layers.Layer):
    """Holds a model."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.trunk = fc.Sequential([layers.Dense(3), layers.BatchNormalization()])

    def create_weights(self, input_shape):
        self.trunk.build(input_shape)

    def forward(self, x, call=Call()):
        return self.trunk.forward(x, call)

    def predict(self, x):
        return self.trunk.predict(x)


class Around(layers.Layer):
    """Takes a layer as an argument, and one in a list."""

    def __init__(self, layer, others=(), **kwargs):
        super().__init__(**kwargs)
        self.layer, self.others = layer, list(others)

    def call(self, x):
        for layer in (self.layer, *self.others):
            x = layer(x)
        return x


HOLDERS = {
    "late": (Late, lambda one: one.dense), "a model": (Trunk, lambda one: one.trunk.layers[1]),
    "arguments": (lambda: Around(layers.Dense(3), [layers.ReLU(), Around(layers.Dense(3, use_bias=False))]),
                  lambda one: one.others[1].layer),
}  # fmt: skip


@pytest.mark.parametrize("how", ["deepcopy", "save", "config"])
@pytest.mark.parametrize("holder", HOLDERS)
def test_layers_that_are_made_late_within_models_or_by_others_are_copied_and_saved(holder, how, tmp_path):
    make, part = HOLDERS[holder]
    model, x = fc.Sequential([fc.Input((2, 3)), make()]), X[:, 0, :2]
    model.set_weights([RNG.uniform(0.5, 1, p.shape).astype(np.float32) for p in model.weights])
    part(model.layers[0]).trainable = False
    own = {"Late": Late, "Trunk": Trunk, "Around": Around}
    if how == "deepcopy":
        again = copy.deepcopy(model)
    elif how == "save":
        model.save(tmp_path / "m.safetensors")
        again = fc.saving.load_model(tmp_path / "m.safetensors", custom_objects=own)
        with pytest.raises(fc.errors.ModelFileError, match="unknown classes '"):
            fc.saving.load_model(tmp_path / "m.safetensors")
    else:
        again = fc.Sequential.from_config(model.get_config(), custom_objects=own)
        again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    assert part(again.layers[0]) is not part(model.layers[0])
    assert not part(again.layers[0]).trainable
    assert len(again.trainable_weights) == len(model.trainable_weights)


@pytest.mark.parametrize("make", [Late, Trunk, lambda: Around(layers.Dense(3))])
def test_twins_of_holders_share_what_they_hold(make):
    layer = make()
    layer.build((None, 3))
    twin, x = layer.for_shape((None, 2, 3)), X[:, 0, :2]
    assert list(map(id, twin.weights)) == list(map(id, layer.weights))
    row = np.ascontiguousarray(x[:, 1])
    np.testing.assert_allclose(twin.predict(x)[:, 1], layer.predict(row), rtol=1e-5, atol=1e-6)
    y, backward = twin.forward(x)
    backward(np.ones_like(y))
    assert any(p.grad.any() for p in layer.trainable_weights)


def test_a_constructor_that_does_not_call_its_base_s_is_told():
    class Silent(fc.Model):
        def __init__(self):
            self.dense = layers.Dense(2)

        def call(self, x):
            return self.dense(x)

    with pytest.raises(AttributeError, match=r"Silent: expected its __init__ to call super\(\).__init__\(\) first"):
        Silent().predict(X)
