"""fastcnn writes .keras, .h5 and .weights.h5, Keras opens them, and the other way: structure, weights, training.

All rows of the layers' table are branches of one model, since making a model is what takes Keras its time.
"""

import os

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")
pytest.importorskip("h5py")

import fastcnn as fc  # noqa: E402
from fastcnn import losses, metrics, optimizers  # noqa: E402
from fastcnn.models.files import keras_calls, keras_table  # noqa: E402
from fastcnn.models.files.keras_entries import Entries  # noqa: E402
from tests import checks  # noqa: E402
from tests.peers.test_applications_keras import SIZES, SLOW, _images, _offered_on_torch, _pair  # noqa: E402
from tests.peers.test_blocks_keras import classes  # noqa: E402

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")]

SUFFIXES = (".keras", ".h5")
BOTH_WAYS = {"to Keras": (fc, keras), "from Keras": (keras, fc), "back": (fc, fc)}
RNG = np.random.default_rng(7)
X = RNG.standard_normal((4, 6, 6, 3)).astype(np.float32)
#: Rows that Keras's own layer cannot do, or does otherwise where its arrays are PyTorch's.
KERAS_CANNOT = {
    ("AveragePooling2D", "overlapping, same"), ("AveragePooling3D", "overlapping, same"),  # it counts the border
    *(("RandomCrop", name) for name in ("a part", "of a smaller image")),  # in inference it leaves images whole
}
#: Layers that are no branch: an input of its own, and a function that is passed with the file.
APART = ("InputLayer", "Lambda")


def _branch(case, kind, k):
    layer = case.make(dtype="float32", name=f"{kind.lower()}_{k}")
    shapes = case.shape if isinstance(case.shape[0], tuple) else (case.shape,)
    inputs = [fc.Input(shape) for shape in shapes]
    outputs = layer(inputs if layer.many_inputs else inputs[0])
    return layer, inputs, outputs if isinstance(outputs, (tuple, list)) else (outputs,)


def _holds(layer, inputs, outputs, suffix):
    entries = Entries(is_old=suffix == ".h5")
    keras_calls.entry(entries, fc.Model(inputs, list(outputs)))
    assert all(f'"{layer.name}"' in told for told in entries.refused)
    return not entries.refused


@pytest.fixture(scope="module")
def rows():
    """The rows of the table as branches, with weights that are no zeros or ones, and some data."""
    rng, found = np.random.default_rng(0), []
    for kind, cases in checks.TABLE.items():
        for k, case in enumerate(cases if kind not in APART else ()):
            layer, inputs, outputs = _branch(case, kind, k)
            for p in layer.weights:
                if p.dtype.kind == "i":  # weights of 8 bits
                    p.assign(rng.integers(-127, 128, p.shape))
                    continue
                noise = rng.standard_normal(p.shape)
                p.assign(np.abs(noise) + 0.5 if "variance" in p.name else p.value + 0.3 * noise)
            xs = [rng.uniform(0.5, 2, (2, *one.shape[1:])).astype(np.float32) for one in inputs]
            found.append((kind, case, layer, inputs, outputs, xs))
    return found


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_layer_is_written_for_keras_or_refused_by_name(tmp_path, rows, suffix):
    kept = [row for row in rows if _holds(*row[2:5], suffix)]
    whole = {kind for kind, *_ in rows} - {kind for kind, *_ in kept}
    none = keras_table.NOT_KERAS | keras_table.BASES | {"SeparableConv1D"}  # whose row is causal
    assert whole <= none | ({"LayerScale"} if suffix == ".h5" else set())
    inputs = [one for row in kept for one in row[3]]
    outputs = [one for row in kept for one in row[4]]
    model = fc.Model(inputs, outputs)
    model.save(tmp_path / f"all{suffix}")
    xs = [x for row in kept for x in row[5]]
    expected = model.predict(xs)
    again = fc.saving.load_model(tmp_path / f"all{suffix}")
    for one, other in zip(again.predict(xs), expected, strict=True):
        np.testing.assert_array_equal(one, other)
    theirs = keras.saving.load_model(tmp_path / f"all{suffix}")
    got = iter(zip(theirs.predict(xs, verbose=0), expected, strict=True))
    for kind, case, _, _, branch, _ in kept:
        for _ in branch:
            one, other = next(got)
            if (kind, case.name) not in KERAS_CANNOT:
                np.testing.assert_allclose(one, other, rtol=0, atol=2e-5 * abs(other).max() + 1e-7,
                                           err_msg=f"{kind}, {case.name}")


def _close(got, expected):
    assert type(got) is type(expected)
    pairs = [(got[k], expected[k]) for k in expected] if isinstance(expected, dict) else zip(
        got, expected, strict=True) if isinstance(expected, list) else [(got, expected)]
    for one, other in pairs:
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5 * abs(other).max() + 1e-7)


def inside(k):
    """Models inside, one of them frozen in its call; layers used several times; operations; several outputs."""
    conv = k.Sequential([k.Input((4, 4, 2)), k.layers.Conv2D(2, 3, padding="same"), k.layers.BatchNormalization()])
    begin = k.Input((4, 4, 2))
    cut = k.Model(begin, k.layers.ReLU(6.0)(k.layers.Conv2D(2, 1)(begin)))
    first, second = k.Input((6, 6, 3)), k.Input((6, 6, 3))
    shared = k.layers.Conv2D(2, 3, activation=k.layers.LeakyReLU(0.1), kernel_regularizer="l2",
                             kernel_initializer=k.initializers.HeNormal(seed=3),
                             kernel_constraint=k.constraints.MaxNorm(0.5), bias_constraint="non_neg")  # fmt: skip
    x = conv(cut(shared(first)), training=False)
    x = k.layers.Add()([x, cut(conv(shared(second)))])
    return k.Model([first, second], [cut(x), k.layers.Concatenate()([x, x])]), [X, X[::-1].copy()]


def dicts(k):
    """Inputs and outputs by name, of a model inside, too."""
    inputs = {name: k.Input((6, 6, 3), name=name) for name in "pq"}
    sums = k.layers.Add()([k.layers.Conv2D(2, 3)(inputs["q"]), k.layers.Conv2D(2, 3)(inputs["p"])])
    inner = k.Model(inputs, sums)
    outer = {name: k.Input((6, 6, 3), name=name) for name in "ab"}
    y = inner({"p": outer["b"], "q": outer["a"]})
    return k.Model(outer, {"o": y, "s": k.layers.ReLU()(y)}), {"a": X, "b": X[::-1].copy()}


def frozen(k):
    """Layers that are not trained, and float64."""
    model = k.Sequential([k.Input((6, 6, 3), dtype="float64"), k.layers.Conv2D(2, 3, dtype="float64"),
                          k.layers.BatchNormalization(trainable=False, dtype="float64"),
                          k.layers.Flatten(dtype="float64"), k.layers.Dense(2, dtype="float64")])  # fmt: skip
    model.layers[0].trainable = False
    return model, X.astype(np.float64)


def operations(k):
    """Operations of tensors, numbers and arrays."""
    ops, inputs = k.ops, k.Input((6, 6, 3))
    x = ops.transpose(inputs * ops.mean(inputs, axis=(1, 2), keepdims=True), (0, 2, 1, 3))
    x = ops.reshape(x, (-1, 36, 3))
    x = ops.concatenate([x, x[:, ::2][:, 0:1] + x, ops.exp(-ops.square(x))], axis=-1)
    x = ops.where(ops.greater(x, 0.1), x, ops.abs(x) ** 2)
    x = ops.clip(ops.maximum(ops.sum(x, axis=1), 0.5) / 3.0, 0.1, 4.0)
    return k.Model(inputs, k.layers.Dense(3)(x)), X


def open_sizes(k):
    """An input of any size."""
    inputs = k.Input((None, None, 3))
    x = k.layers.Conv2D(2, 3, padding="same", activation="relu")(inputs)
    return k.Model(inputs, k.layers.GlobalAveragePooling2D()(k.layers.BatchNormalization()(x))), X


NETWORKS = [(make, suffix) for make in (inside, dicts, frozen, operations, open_sizes) for suffix in SUFFIXES
            if (make, suffix) != (operations, ".h5")]  # in which Keras takes them for layers


@pytest.mark.parametrize("way", BOTH_WAYS)
@pytest.mark.parametrize(("make", "suffix"), NETWORKS, ids=[f"{make.__name__}{suffix}" for make, suffix in NETWORKS])
def test_a_network_is_what_it_was(tmp_path, way, make, suffix):
    writer, reader = BOTH_WAYS[way]
    model, x = make(writer)
    model.set_weights([RNG.uniform(0.1, 0.5, np.shape(w)) for w in model.get_weights()])
    model.save(tmp_path / f"m{suffix}")
    again = reader.saving.load_model(tmp_path / f"m{suffix}")
    expected = model.predict(x)
    _close(again.predict(x), expected)
    assert len(again.trainable_weights) == len(model.trainable_weights)
    bounds = [layer.kernel_constraint.max_value for one in (model, again) for layer in one.layers
              if getattr(layer, "kernel_constraint", None) is not None]
    assert bounds == ([0.5, 0.5] if make is inside else [])
    if suffix == ".keras":
        model.save_weights(tmp_path / "m.weights.h5")
        again.set_weights([np.zeros_like(w) for w in again.get_weights()])
        again.load_weights(tmp_path / "m.weights.h5")
        _close(again.predict(x), expected)


@pytest.mark.parametrize("way", BOTH_WAYS)
@pytest.mark.parametrize("kind", ["Net", "Block"])
def test_layers_and_models_of_one_s_own_are_what_they_were(tmp_path, way, kind):
    writer, reader = BOTH_WAYS[way]
    (block, net), others = classes(writer), dict(zip(("Block", "Net"), classes(reader), strict=True))
    inputs = writer.Input((6, 6, 3))
    model = writer.Model(inputs, block(4)(block(3)(inputs))) if kind == "Block" else net()
    model.build((None, 6, 6, 3)) if writer is fc else model(X)
    model.set_weights([RNG.uniform(0.2, 0.8, np.shape(w)) for w in model.get_weights()])
    model.save(tmp_path / "m.keras")
    model.save_weights(tmp_path / "m.weights.h5")
    again = reader.saving.load_model(tmp_path / "m.keras", custom_objects=others)
    _close(again.predict(X), model.predict(X))
    again.set_weights([np.zeros_like(w) for w in again.get_weights()])
    again.load_weights(tmp_path / "m.weights.h5")
    _close(again.predict(X), model.predict(X))


TRAINED = {"Adam": [{}, {"amsgrad": True, "use_ema": True}], "SGD": [{}, {"momentum": 0.9}],
           "RMSprop": [{"momentum": 0.9, "centered": True, "gradient_accumulation_steps": steps} for steps in (2, 3)]}
OPTIMIZERS = [(name, more) for name in ("Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion",
                                        "Nadam", "RMSprop", "SGD") for more in TRAINED.get(name, [{}])]


@pytest.mark.parametrize("way", BOTH_WAYS)
@pytest.mark.parametrize(("name", "more"), OPTIMIZERS, ids=[
    f"{name}{''.join(f' {key}={value}' for key, value in more.items())}" for name, more in OPTIMIZERS])
def test_training_goes_on_where_it_was(tmp_path, way, name, more):
    writer, reader = BOTH_WAYS[way]
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((12, 5)).astype(np.float32), rng.integers(0, 3, 12)
    model = writer.Sequential([writer.Input((5,)), writer.layers.Dense(4, activation="relu", kernel_regularizer="l2"),
                               writer.layers.BatchNormalization(), writer.layers.Dense(3, activation="softmax")])
    rate = writer.optimizers.schedules.ExponentialDecay(0.05, 3, 0.5) if name == "Adam" else 0.01
    model.compile(getattr(writer.optimizers, name)(rate, **more), "sparse_categorical_crossentropy",
                  metrics=["accuracy"])
    model.fit(x, y, batch_size=4, epochs=1, shuffle=False, verbose=0)
    model.save(tmp_path / "m.keras")
    again = reader.saving.load_model(tmp_path / "m.keras")
    for k in range(4):
        expected = model.train_on_batch(x[k:k + 6], y[k:k + 6], return_dict=True)
        got = again.train_on_batch(x[k:k + 6], y[k:k + 6], return_dict=True)
        assert set(got) == set(expected)
        assert float(got["loss"]) == pytest.approx(float(expected["loss"]), rel=1e-5)


def test_training_goes_on_from_a_legacy_file_of_keras(tmp_path):
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)])
    model.compile("adam", keras.losses.MeanSquaredError())
    x, y = np.ones((4, 5), np.float32), np.zeros((4, 2), np.float32)
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "m.h5")
    again = fc.saving.load_model(tmp_path / "m.h5")
    assert again.optimizer.iterations == 1
    assert again.train_on_batch(x, y) == pytest.approx(float(model.train_on_batch(x, y)), rel=1e-5)


def _kinds(room, base):
    return [getattr(room, name) for name in room.__all__ if isinstance(getattr(room, name), type)
            and issubclass(getattr(room, name), base) and getattr(room, name) is not base]


def test_every_loss_metric_and_schedule_that_keras_lacks_is_listed():
    found = {(module, kind.__name__) for module, room, theirs, base in (
        ("keras.losses", losses, keras.losses, losses.Loss), ("keras.metrics", metrics, keras.metrics, metrics.Metric),
        ("keras.optimizers.schedules", optimizers.schedules, keras.optimizers.schedules,
         optimizers.schedules.LearningRateSchedule))
        for kind in _kinds(room, base) if not hasattr(theirs, kind.__name__)}
    refused = {name for _, name in found}
    assert refused == keras_table.NO_OBJECTS - {"SuitingCrossentropy"}
    assert not {(module, name) for module, names in keras_table.OBJECTS_OF.items() for name in names} & found


def test_functions_of_one_s_own_are_found_by_name(tmp_path):
    def squares(k):
        def mine(y, p):
            return k.ops.mean(k.ops.square(y - p), axis=-1)
        return mine

    x, y = np.ones((4, 3), np.float32), np.ones((4, 2), np.float32)
    for writer, reader in BOTH_WAYS.values():
        model = writer.Sequential([writer.Input((3,)), writer.layers.Dense(2)])
        model.compile("sgd", squares(writer))
        model.fit(x, y, verbose=0)
        model.save(tmp_path / "m.keras")
        again = reader.saving.load_model(tmp_path / "m.keras", custom_objects={"mine": squares(reader)})
        assert again.evaluate(x, y, verbose=0) == pytest.approx(model.evaluate(x, y, verbose=0), rel=1e-5)


@pytest.mark.parametrize("way", BOTH_WAYS)
def test_code_is_run_only_where_the_caller_says_so(tmp_path, way):
    writer, reader = BOTH_WAYS[way]
    model = writer.Sequential([writer.Input((3,)), writer.layers.Lambda(lambda x: x**2 + 1)])
    model.save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match="safe_mode=False"):
        reader.saving.load_model(tmp_path / "m.keras")
    again = reader.saving.load_model(tmp_path / "m.keras", safe_mode=False)
    x = np.full((2, 3), 3, np.float32)
    _close(again.predict(x), model.predict(x))


SLOWER = [name for name in {**SIZES, **SLOW} if name != "MobileNet"]
NAMES = ["MobileNet", *(pytest.param(name, marks=pytest.mark.slow) for name in SLOWER)]


@pytest.mark.parametrize("name", NAMES)
def test_every_application_is_written_and_read_both_ways(tmp_path, name):
    ours, theirs = _pair(name, size={**SIZES, **SLOW}[name])
    x = _images(ours)
    expected = theirs.predict(x, verbose=0)
    for suffix in SUFFIXES if not name.startswith("ConvNeXt") else (".keras",):  # Keras's .h5 lacks its LayerScale
        ours.save(tmp_path / f"ours{suffix}")
        with _offered_on_torch():
            theirs.save(tmp_path / f"theirs{suffix}")
            again = keras.saving.load_model(tmp_path / f"ours{suffix}").predict(x, verbose=0)
        for got in (again, fc.saving.load_model(tmp_path / f"theirs{suffix}").predict(x)):
            np.testing.assert_allclose(got, expected, rtol=0, atol=1e-4 * abs(expected).max())
