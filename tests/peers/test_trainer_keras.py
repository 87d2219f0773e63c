"""compile and fit beside Keras: the same weights, data and steps, the same logs under the same names."""

import numpy as np
import pytest

import fastcnn as fc

keras = pytest.importorskip("keras")

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")]

DRAW = np.random.default_rng(0)
X = DRAW.standard_normal((24, 4)).astype("float32")
Y = DRAW.standard_normal((24, 3)).astype("float32")
LABELS = DRAW.integers(0, 3, 24)
ROWS = np.eye(3, dtype="float32")[LABELS]
YES = (LABELS > 0).astype("float32")
OPTIONS = {"batch_size": 8, "verbose": 0, "shuffle": False}


def both(units=3, activation=None):
    """Return one network twice, ours and Keras's, with the same weights."""
    made = [k.Sequential([k.Input((4,)), k.layers.Dense(5, activation="tanh"), k.layers.Dense(units, activation)])
            for k in (fc, keras)]
    made[0].set_weights([np.asarray(w) for w in made[1].get_weights()])
    return made


def assert_close(ours, theirs):
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, np.asarray(b), rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize(("y", "units", "activation"), [
    (LABELS, 3, "softmax"), (LABELS[:, None], 3, "softmax"), (ROWS, 3, "softmax"), (YES, 1, "sigmoid"),
    (YES[:, None], 1, "sigmoid")], ids=["labels", "a column", "rows", "binary", "a binary column"])
def test_accuracy_and_crossentropy_mean_what_they_mean_in_keras(y, units, activation):
    found = []
    for model in both(units, activation):
        model.compile("sgd", "crossentropy", metrics=["accuracy", "acc"])
        found.append(model.fit(X, y, epochs=2, **OPTIONS).history)
    assert found[0].keys() == found[1].keys()
    assert_close(found[0].values(), [found[1][name] for name in found[0]])


@pytest.mark.parametrize("metrics", [
    {"metrics": ["mae", "mae"], "weighted_metrics": ["mae", "mse", "mae"]}, {"weighted_metrics": ["mse", "mse"]}],
    ids=["plain and weighted", "weighted"])
def test_metrics_have_kerass_names(metrics):
    logs = []
    for model in both():
        model.compile("sgd", "mse", **metrics)
        logs.append(model.evaluate(X, Y, sample_weight=np.linspace(0, 2, 24), return_dict=True, verbose=0))
    assert logs[0].keys() == logs[1].keys()
    assert_close(logs[0].values(), [logs[1][name] for name in logs[0]])


@pytest.mark.parametrize("weights", [{"class_weight": {0: 0.1, 2: 3.0}}, {"sample_weight": np.linspace(0, 2, 24)}],
                         ids=["of classes", "of samples"])
def test_weights_count_where_they_do_in_keras(weights):
    found = []
    for model in both(activation="softmax"):
        model.compile("sgd", "sparse_categorical_crossentropy", weighted_metrics=["accuracy"])
        found.append(model.fit(X, LABELS, epochs=2, validation_split=0.3, **weights, **OPTIONS).history)
    assert found[0].keys() == found[1].keys()
    assert_close(found[0].values(), [found[1][name] for name in found[0]])


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop"])
def test_a_layer_frozen_for_a_while_goes_on_as_in_keras(optimizer):
    models = both()
    for model in models:
        model.compile(optimizer, "mse")
        for trainable in (True, False, True):
            model.layers[0].trainable = trainable
            model.fit(X, Y, **OPTIONS)
    assert models[0].optimizer.iterations == int(models[1].optimizer.iterations) == 9
    assert_close(models[0].get_weights(), models[1].get_weights())


def test_the_default_optimizer_is_kerass():
    models = both()
    for model in models:
        model.compile(loss="mse")
        model.fit(X, Y, **OPTIONS)
    assert_close(models[0].get_weights(), models[1].get_weights())


@pytest.mark.parametrize("k", [fc, keras], ids=["fastcnn", "keras"])
def test_hooks_are_called_where_keras_calls_them(k):
    seen = []

    class Note(k.callbacks.Callback):
        def on_batch_begin(self, batch, logs=None):
            seen.append(f"begin {batch}")

        def on_batch_end(self, batch, logs=None):
            seen.append(f"end {batch}")
            self.model.stop_training = batch == 1

        def on_epoch_end(self, epoch, logs=None):
            seen.append(sorted(logs))

    model = both()[k is keras]
    model.compile("sgd", "mse")
    model.fit(X, Y, epochs=3, callbacks=[Note()], validation_data=(X, Y), **OPTIONS)
    assert seen == ["begin 0", "end 0", "begin 1", "end 1", ["loss", "val_loss"]]


class Note:
    """What a training's hooks are called with: mixed into a callback of either library."""

    def __init__(self):
        super().__init__()
        self.seen = []


for hook in ("train_begin", "train_end", "test_begin", "test_end", "predict_begin", "predict_end"):
    setattr(Note, f"on_{hook}", lambda self, logs=None, hook=hook: self.seen.append(hook))
for hook in ("epoch_begin", "epoch_end", "train_batch_begin", "train_batch_end", "test_batch_begin", "test_batch_end",
             "predict_batch_begin", "predict_batch_end"):
    setattr(Note, f"on_{hook}", lambda self, n, logs=None, hook=hook: self.seen.append(
        (hook, n, sorted(logs or {}))))  # fmt: skip


def noted(k):
    return type("Noted", (Note, k.callbacks.Callback), {})()


@pytest.mark.filterwarnings("ignore:.*ran out of data:UserWarning", "ignore:.*the data ran out:UserWarning")
@pytest.mark.parametrize("more", [
    {"epochs": 3, "steps_per_epoch": 2}, {"epochs": 2, "steps_per_epoch": 5}, {"epochs": 2, "steps_per_epoch": 3},
    {"epochs": 4, "validation_freq": 2}, {"epochs": 4, "validation_freq": [1, 4]},
    {"epochs": 2, "validation_steps": 2}, {"epochs": 2, "validation_batch_size": 5},
    {"epochs": 2, "batch_size": None, "steps_per_epoch": 5, "validation_steps": 4},
    {"epochs": 5, "initial_epoch": 3}], ids=str)
def test_steps_and_frequencies_mean_what_they_mean_in_keras(more):
    seen, found = [], []
    for model, k in zip(both(), (fc, keras), strict=True):
        model.compile("sgd", "mse", metrics=["mae"])
        note = noted(k)
        found.append(model.fit(X, Y, validation_data=(X[:20], Y[:20]), callbacks=[note], **(OPTIONS | more)).history)
        seen.append(note.seen)
    assert seen[0] == seen[1]
    assert found[0].keys() == found[1].keys()
    assert_close(found[0].values(), [found[1][name] for name in found[0]])


def test_hooks_of_evaluation_and_prediction_are_called_where_keras_calls_them():
    seen = []
    for model, k in zip(both(), (fc, keras), strict=True):
        model.compile("sgd", "mse")
        note = noted(k)
        model.evaluate(X, Y, 10, 0, None, 2, [note])  # the arguments stand where Keras's do
        model.predict(X, 10, 0, 2, [note])
        seen.append(note.seen)
    assert seen[0] == seen[1]


class Dataset(keras.utils.PyDataset):
    """Keras's own class, with batches that differ in size."""

    def __init__(self, **more):
        super().__init__(**more)
        self.epochs = 0

    def __len__(self):
        return 4

    def __getitem__(self, index):
        part = slice(7 * index, 7 * index + 7)
        return X[part], LABELS[part]

    def on_epoch_end(self):
        self.epochs += 1


@pytest.mark.filterwarnings("ignore:.*ran out of data:UserWarning")
def test_a_dataset_of_keras_s_and_its_generator_train_both_libraries_alike():
    for given in (Dataset, lambda: (Dataset()[k % 4] for k in range(8))):
        found = []
        for model in both(activation="softmax"):
            model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
            found.append(model.fit(given(), epochs=2, steps_per_epoch=4, verbose=0, shuffle=False,
                                   validation_data=Dataset()).history)  # fmt: skip
            found[-1]["weights"] = np.concatenate([np.ravel(w) for w in model.get_weights()])
            found[-1]["prediction"] = np.asarray(model.predict(Dataset(), verbose=0))
            found[-1]["evaluation"] = np.asarray(model.evaluate(Dataset(), verbose=0))
        assert found[0].keys() == found[1].keys()
        assert_close(found[0].values(), [found[1][name] for name in found[0]])
    data = Dataset()
    ours = both(activation="softmax")[0]
    ours.compile("sgd", "sparse_categorical_crossentropy")
    ours.fit(data, epochs=3, verbose=0)
    assert data.epochs == 3
