"""Sequential: structure, training on real digits, and every mistake in one clear sentence."""

import ast
import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError, DataError


@pytest.fixture(scope="module")
def digits():
    (x, y), (x_test, y_test) = fc.datasets.digits.load_data()
    return (x[..., None] / np.float32(16), y), (x_test[..., None] / np.float32(16), y_test)


def small(**kwargs):
    return fc.Sequential([
        fc.Input((8, 8, 1)), layers.Conv2D(8, 3, activation="relu", **kwargs), layers.MaxPooling2D(2, **kwargs),
        layers.Flatten(**kwargs), layers.Dropout(0.2, **kwargs), layers.Dense(10, activation="softmax", **kwargs)])


def compiled(seed=1, **kwargs):
    fc.utils.set_random_seed(seed)
    model = small(**kwargs)
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def digest(model):
    return hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest()


def test_a_small_network_learns_real_digits(digits):
    (x, y), (x_test, y_test) = digits
    model = compiled()
    model.optimizer.learning_rate = 5e-3
    history = model.fit(x, y, batch_size=32, epochs=12, verbose=0, validation_split=0.1)
    assert list(history.history) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert history.epoch == list(range(12))
    assert history.history["loss"][-1] < 0.3 * history.history["loss"][0]
    loss, accuracy = model.evaluate(x_test, y_test)
    assert accuracy > 0.95
    p = model.predict(x_test)
    assert p.shape == (len(x_test), 10)
    np.testing.assert_allclose(p.sum(1), 1, rtol=1e-5)
    assert np.mean(p.argmax(1) == y_test) == pytest.approx(accuracy)
    assert model.evaluate(x_test, y_test, return_dict=True) == {"loss": loss, "accuracy": accuracy}


def test_one_seed_is_one_model_and_two_seeds_are_two(digits, two_threads):
    (x, y), _ = digits
    digests = []
    for seed, threads in ((1, 1), (1, 2), (2, 2)):
        two_threads(threads)
        model = compiled(seed)
        model.fit(x[:300], y[:300], batch_size=32, epochs=2, verbose=0)
        digests.append(digest(model))
    assert digests[0] == digests[1]
    assert digests[1] != digests[2]


@pytest.mark.parametrize("layer", ["omp", "workqueue"])
def test_every_threading_layer_trains_the_same_model(layer):
    code = """
import tests.models.test_sequential as t, fastcnn as fc, numpy as np
from fastcnn.kernels.cpu.compile import threads
(x, y), _ = fc.datasets.digits.load_data()
model = t.compiled()
model.fit(x[:200, :, :, None] / np.float32(16), y[:200], batch_size=32, epochs=1, verbose=0)
print(threads.layer(), t.digest(model))
"""
    def run(**env):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **env})
        if "threading layer" in done.stderr:
            pytest.skip(f"{layer} is not installed here")
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    _, expected = run()
    used, found = run(NUMBA_THREADING_LAYER=layer)
    assert used == layer
    assert found == expected


def test_training_takes_no_memory_after_its_first_epoch(digits):
    (x, y), _ = digits
    model = compiled()
    seen = []

    class Count(fc.callbacks.Callback):
        def on_epoch_end(self, epoch, logs):
            seen.append(fc.device.cpu.allocated)

    model.fit(x[:500], y[:500], batch_size=64, epochs=4, verbose=0, callbacks=[Count()])
    assert len(set(seen)) == 1


def test_a_result_that_is_kept_is_never_overwritten(digits):
    (x, y), _ = digits
    model = compiled()
    kept = model(x[:32])
    before = kept.copy()
    model.fit(x[:200], y[:200], batch_size=32, epochs=2, verbose=0)
    np.testing.assert_array_equal(kept, before)


def train_on_every_kind_of_array():
    """Train and predict from all sorts of arrays, and print how many types each kernel was compiled for."""
    from fastcnn.kernels.cpu.compile.policy import registry

    (x, y), _ = fc.datasets.digits.load_data()
    x, y = x[:40, :, :, None] / np.float32(16), y[:40]
    for dtype in ("float32", "float64"):
        model = compiled(dtype=dtype)
        for source in (x, x.astype("float64"), (x * 16).astype("uint8"), (x * 16).astype("int16")):
            model.fit(source, y, batch_size=16, epochs=1, verbose=0)
            frozen = source.copy()
            frozen.flags.writeable = False
            model.predict(frozen)
            model.predict(np.repeat(source, 2, axis=0)[::2])
    print({name: len(kernel.signatures) for name, kernel in registry.items() if kernel.signatures})


def test_kernels_are_compiled_once_for_a_type():
    code = "import tests.models.test_sequential as t; t.train_on_every_kind_of_array()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    types = ast.literal_eval(done.stdout)
    assert types.pop("layout.arrays.gather") == 6  # from uint8, float32 and float64, to float32 and float64
    assert max(types.values()) == 2, types  # 1 where only one of the types has batches that fill its lanes


def test_float64_trains_through_the_same_kernels(digits):
    (x, y), _ = digits
    single, double = compiled(), compiled(dtype="float64")
    double.set_weights([w.astype("float64") for w in single.get_weights()])
    a = single.fit(x[:200], y[:200], batch_size=50, epochs=1, verbose=0, shuffle=False).history["loss"]
    b = double.fit(x[:200], y[:200], batch_size=50, epochs=1, verbose=0, shuffle=False).history["loss"]
    assert a == pytest.approx(b, rel=1e-4)


def test_a_training_that_goes_on_is_the_same_as_one_in_a_piece(digits):
    (x, y), _ = digits
    whole, parts, again = compiled(), compiled(), compiled()
    whole.fit(x[:200], y[:200], batch_size=32, epochs=3, verbose=0)
    parts.fit(x[:200], y[:200], batch_size=32, epochs=1, verbose=0)
    parts.fit(x[:200], y[:200], batch_size=32, epochs=3, initial_epoch=1, verbose=0)
    assert digest(parts) == digest(whole)
    for _ in range(3):  # each epoch that a model begins has an order of its own
        again.fit(x[:200], y[:200], batch_size=32, epochs=1, verbose=0)
    assert digest(again) == digest(whole)


def test_automatic_names_are_in_snake_case():
    fc.utils.clear_session()
    made = [layers.Conv2DTranspose(1, 2), layers.Conv2DTranspose(1, 2), layers.PReLU(), layers.ReLU(),
            layers.GlobalAveragePooling1D(), layers.BatchNormalization()]
    assert [layer.name for layer in made] == ["conv2d_transpose", "conv2d_transpose_1", "p_re_lu", "re_lu",
                                              "global_average_pooling1d", "batch_normalization"]


def test_train_on_batch_and_predict_on_batch_are_steps_of_fit(digits):
    (x, y), _ = digits
    one, two = compiled(), compiled()
    one.fit(x[:64], y[:64], batch_size=32, epochs=1, verbose=0, shuffle=False)
    for begin in (0, 32):
        loss, accuracy = two.train_on_batch(x[begin : begin + 32], y[begin : begin + 32])
    assert 0 <= accuracy <= 1 < loss
    assert digest(one) == digest(two)
    np.testing.assert_array_equal(one.predict_on_batch(x[:5]), two.predict(x[:5]))
    assert two.test_on_batch(x[:8], y[:8], return_dict=True).keys() == {"loss", "accuracy"}


def test_structure_is_kerass(digits, capsys):
    model = small()
    assert model.input_shape == (None, 8, 8, 1)
    assert model.output_shape == (None, 10)
    assert [type(layer).__name__ for layer in model.layers] == ["Conv2D", "MaxPooling2D", "Flatten", "Dropout", "Dense"]
    assert [w.shape for w in model.get_weights()] == [(3, 3, 1, 8), (8,), (72, 10), (10,)]
    assert [w.name for w in model.trainable_weights] == ["kernel", "bias", "kernel", "bias"]
    assert model.count_params() == 80 + 730
    assert model.get_layer(index=0) is model.layers[0]
    assert model.get_layer(model.layers[-1].name) is model.layers[-1]
    model.summary()
    printed = capsys.readouterr().out
    assert "810" in printed
    assert "(N, 6, 6, 8)" in printed
    assert max(map(len, printed.splitlines())) <= 80


def test_a_model_without_an_input_is_built_by_its_first_data(digits):
    (x, _), _ = digits
    model = fc.Sequential([layers.Flatten(), layers.Dense(10)])
    with pytest.raises(ArgumentError, match="built"):
        model.count_params()
    assert model.predict(x[:3]).shape == (3, 10)
    assert model.input_shape == (None, 8, 8, 1)


def test_frozen_layers_do_not_change(digits):
    (x, y), _ = digits
    model = compiled()
    model.layers[0].trainable = False
    before = model.layers[0].get_weights()
    model.fit(x[:64], y[:64], batch_size=32, epochs=1, verbose=0)
    for a, b in zip(before, model.layers[0].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_callback_ends_training_after_the_current_step(digits):
    (x, y), _ = digits
    model = compiled()

    class Stop(fc.callbacks.Callback):
        def on_train_batch_end(self, batch, logs):
            self.model.stop_training = batch == 1

    model.fit(x, y, batch_size=32, epochs=5, verbose=0, callbacks=[Stop()])
    assert model.optimizer.iterations == 2


def test_validation_data_and_verbose_lines(digits, capsys):
    (x, y), (x_test, y_test) = digits
    model = compiled()
    model.fit(x[:64], y[:64], epochs=2, validation_data=(x_test, y_test), verbose=2)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("epoch 2/2 - 2/2 - ")
    assert "val_accuracy" in lines[1]


def test_binary_and_categorical_targets_and_logits(digits):
    (x, y), _ = digits
    rows = fc.utils.to_categorical(y, 10)
    for loss, targets, activation, metric in (
            (fc.losses.SparseCategoricalCrossentropy(from_logits=True), y, None, "accuracy"),
            ("categorical_crossentropy", rows, "softmax", "categorical_accuracy"),
            ("binary_crossentropy", rows, "sigmoid", "binary_accuracy"),
            ("mse", rows, None, None)):
        fc.utils.set_random_seed(1)
        model = fc.Sequential([fc.Input((8, 8, 1)), layers.Flatten(), layers.Dense(10, activation=activation)])
        model.compile("adam", loss, metrics=[metric] if metric else None)
        history = model.fit(x[:400], targets[:400], epochs=4, verbose=0).history
        assert history["loss"][-1] < history["loss"][0]
        if metric:
            assert history[metric][-1] > history[metric][0]


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "nesterov", "adam", fc.optimizers.Adam(1e-3, beta_1=0.8)])
def test_every_optimizer_lowers_the_loss(optimizer, digits):
    (x, y), _ = digits
    fc.utils.set_random_seed(1)
    model = fc.Sequential([fc.Input((8, 8, 1)), layers.Flatten(), layers.Dense(10, activation="softmax")])
    model.compile(optimizer, "sparse_categorical_crossentropy")
    history = model.fit(x[:400], y[:400], epochs=4, verbose=0).history["loss"]
    assert history[-1] < history[0]


MISTAKES = {
    "not compiled": (lambda m, x, y: small().fit(x, y), ArgumentError, "call compile"),
    "no loss": (lambda m, x, y: m.compile("adam", []), ArgumentError, "expected a loss"),
    "unknown optimizer": (lambda m, x, y: m.compile("adm", "mse"), ArgumentError, "did you mean 'adam'"),
    "unknown loss": (lambda m, x, y: m.compile("adam", "sparse_categorical"), ArgumentError,
                     "did you mean 'sparse_categorical_crossentropy'"),
    "unknown metric": (lambda m, x, y: (m.compile("adam", "mse", metrics=["acuracy"]), m.fit(x, y)), ArgumentError,
                       "accuracy"),
    "grey without a channel": (lambda m, x, y: m.fit(x[..., 0, 0], y), ArgumentError, r"got \(20, 8\)"),
    "counts differ": (lambda m, x, y: m.fit(x, y[:-1]), DataError, "as many targets as samples"),
    "labels outside": (lambda m, x, y: m.fit(x, y + 3), DataError, r"labels 0\.\.9"),
    "nothing": (lambda m, x, y: m.fit(x[:0], y[:0]), DataError, "at least one sample"),
    "text": (lambda m, x, y: m.fit(x.astype(str), y), DataError, "expected numbers in x"),
    "a generator": (lambda m, x, y: m.fit(one for one in [x]), ArgumentError, r"batch 0: expected \(x, y\) or"),
    "a path": (lambda m, x, y: m.predict("cat.png"), DataError, "got <U7; read files into an array first"),
    "complex": (lambda m, x, y: m.predict(x.astype(complex)), DataError, "expected numbers in x"),
    "batch size": (lambda m, x, y: m.fit(x, y, batch_size=0), ArgumentError, "batch_size"),
    "validation split": (lambda m, x, y: m.fit(x, y, validation_split=1), ArgumentError, "validation_split"),
    "another shape": (lambda m, x, y: m.predict(x[:, :4]), ArgumentError, r"\(N, 8, 8, 1\)"),
    "no such layer": (lambda m, x, y: m.get_layer("conv"), ArgumentError, "conv2d"),
    "no layer": (lambda m, x, y: fc.Sequential([3]), ArgumentError, "expected a layer"),
    "a class": (lambda m, x, y: fc.Sequential([layers.ReLU]), ArgumentError, r"a layer, got .*; write ReLU\(\.\.\.\)"),
    "weights": (lambda m, x, y: m.set_weights([np.zeros(3)] * 4), ArgumentError, r"kernel \(3, 3, 1, 8\) got \(3,\)"),
    "names": (lambda m, x, y: fc.Sequential([layers.ReLU(name="a"), layers.ReLU(name="a")]), ArgumentError, '"a"'),
    "class weights": (lambda m, x, y: m.fit(x, y, class_weight={"a": 1}), ArgumentError, "class_weight"),
    "metrics in the wrong place": (lambda m, x, y: (m.compile("adam", "mse", ["mae"]), m.fit(x, y)), ArgumentError,
                                   r"metrics=\[\.\.\.\]"),
    "channels first": (lambda m, x, y: layers.Conv2D(3, 3, data_format="channels_first"), ArgumentError,
                       "channels-last"),
    "an unknown argument": (lambda m, x, y: layers.Conv2D(3, 3, stride=2), TypeError, "strides"),
    "too large a window": (lambda m, x, y: fc.Sequential([fc.Input((2, 2, 1)), layers.Conv2D(3, 3)]), ArgumentError,
                           'padding="same"'),
    "another type": (lambda m, x, y: m.layers[0].forward(x.astype("float64")), ArgumentError, "float32"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_clear_sentence(mistake, digits):
    (x, y), _ = digits
    model = compiled()
    before = digest(model)
    act, error, message = MISTAKES[mistake]
    with pytest.raises(error, match=message) as caught:
        act(model, x[:20], y[:20])
    assert "\n" not in str(caught.value)
    assert digest(model) == before
