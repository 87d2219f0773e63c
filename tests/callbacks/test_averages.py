"""Averages of weights: the statistics that belong to them, and that what was validated is what is kept."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.callbacks import (
    BackupAndRestore,
    Callback,
    EarlyStopping,
    LambdaCallback,
    ModelCheckpoint,
    StochasticWeightAveraging,
    StopAtStep,
    SwapEMAWeights,
)
from fastcnn.errors import ArgumentError
from tests.callbacks.models import same

DRAW = np.random.default_rng(0)
X = DRAW.standard_normal((40, 6)).astype("float32")
Y = (X @ DRAW.standard_normal((6, 3))).astype("float32")
HELD = X[:9] + 0.5, Y[:9]

AVERAGES = {"ema": lambda: SwapEMAWeights(), "ema on epochs": lambda: SwapEMAWeights(swap_on_epoch=True),
            "mean": lambda: StochasticWeightAveraging(1)}


def network(use_ema=True):
    """A network of which the statistics follow slowly, so that those of training are far from the averages'."""
    fc.utils.set_random_seed(5)
    model = fc.Sequential([fc.Input((6,)), layers.Dense(8), layers.BatchNormalization(momentum=0.9), layers.ReLU(),
                           layers.Dense(3)])
    model.compile(fc.optimizers.SGD(0.05, momentum=0.9, use_ema=use_ema, ema_momentum=0.8), "mse", metrics=["mae"])
    return model


def trained(which, *others, epochs=4, before=(), **options):
    model = network(which != "mean")
    given = {"x": X, "y": Y, "batch_size": 8} | options
    history = model.fit(**given, epochs=epochs, verbose=0, validation_data=HELD,
                        callbacks=[*before, *([AVERAGES[which]()] if which else ()), *others])
    return model, history.history


def statistics(model):
    return [w.numpy() for w in model.weights if not w.trainable]


@pytest.mark.parametrize("which", AVERAGES)
def test_the_averages_have_the_statistics_of_the_training_data(which):
    model, _ = trained(which)
    hidden = fc.Model(model.inputs, model.layers[0].output).predict(X)
    mean, variance = statistics(model)
    np.testing.assert_allclose(mean, hidden.mean(0), rtol=1e-5, atol=1e-6)
    parts = hidden[fc.random.generator(model.seed).permutation(40)].reshape(5, 8, 8)  # the mean over batches of 8
    np.testing.assert_allclose(variance, parts.var(1).mean(0), rtol=1e-5)


@pytest.mark.parametrize("which", AVERAGES)
@pytest.mark.parametrize("comes_first", [True, False])
def test_what_was_validated_is_what_is_saved_and_what_comes_back_to_the_bit(which, comes_first, tmp_path):
    files = ModelCheckpoint(tmp_path / "{epoch}.safetensors")
    best = ModelCheckpoint(tmp_path / "best.safetensors", save_best_only=True)
    stop = EarlyStopping(patience=9, restore_best_weights=True)
    keep = [files, best, stop]
    model, history = trained(which, *(() if comes_first else keep), before=keep if comes_first else (), epochs=6)
    figures = list(zip(history["val_loss"], history["val_mae"], strict=True))
    for epoch, figure in enumerate(figures, 1):
        saved = fc.saving.load_model(tmp_path / f"{epoch}.safetensors")
        assert saved.evaluate(*HELD) == list(figure)
    assert fc.saving.load_model(tmp_path / "best.safetensors").evaluate(*HELD) == list(min(figures))
    assert model.evaluate(*HELD) == list(min(figures))
    assert best.best == stop.best == min(figures)[0]


@pytest.mark.parametrize("which", AVERAGES)
def test_the_model_that_fit_leaves_has_the_last_figure(which):
    model, history = trained(which)
    assert model.evaluate(*HELD) == [history["val_loss"][-1], history["val_mae"][-1]]


class Pausing(Callback):
    """Pauses after so many steps, as Ctrl-C does to the command line."""

    def __init__(self, backup, steps):
        self.backup, self.steps = backup, steps

    def on_train_batch_end(self, batch, logs):
        if self.model.optimizer.iterations == self.steps:
            self.backup.pause()


@pytest.mark.parametrize("which", AVERAGES)
def test_a_pause_within_an_epoch_leaves_averages_and_a_training_that_goes_on_from_the_weights(which, tmp_path):
    files, (again, paused) = ModelCheckpoint(tmp_path / "{epoch}.safetensors"), [network(which != "mean") for _ in "ab"]
    backup = BackupAndRestore(tmp_path / "backup")
    with pytest.raises(KeyboardInterrupt):
        paused.fit(X, Y, batch_size=8, epochs=4, verbose=0, validation_data=HELD,
                   callbacks=[AVERAGES[which](), files, backup, Pausing(backup, 13)])
    if which == "mean":  # of the ends of epochs
        wanted = fc.saving.load_model(tmp_path / "2.safetensors")
    else:  # what an epoch leaves that ends here
        wanted, _ = trained(which, StopAtStep(13))
    assert same(paused.get_weights(), wanted.get_weights())
    assert not paused.optimizer.has_averages_in_place
    again.fit(X, Y, batch_size=8, epochs=4, verbose=0, validation_data=HELD,
              callbacks=[AVERAGES[which](), files, BackupAndRestore(tmp_path / "backup")])
    assert same(again.get_weights(), trained(which)[0].get_weights())


@pytest.mark.parametrize("comes_first", [True, False])
def test_the_best_averages_come_back_from_a_pause_and_from_a_validation_that_is_interrupted(comes_first, tmp_path):
    def press(batch, logs):
        if model.optimizer.iterations == 15:
            raise KeyboardInterrupt

    files, model = ModelCheckpoint(tmp_path / "best.safetensors", save_best_only=True), network()
    backup = BackupAndRestore(tmp_path / "backup")
    for end in (Pausing(backup, 13), LambdaCallback(on_test_batch_end=press)):
        each = [SwapEMAWeights(swap_on_epoch=True), EarlyStopping(patience=9, restore_best_weights=True)]
        with pytest.raises(KeyboardInterrupt):
            model.fit(X, Y, batch_size=8, epochs=4, verbose=0, validation_data=HELD,
                      callbacks=[*(each if comes_first else each[::-1]), files, backup, end])
        assert same(model.get_weights(), fc.saving.load_model(tmp_path / "best.safetensors").get_weights())


def test_images_of_a_pipeline_give_statistics_as_they_are_in_a_validation():
    pipeline = fc.augmentation.Pipeline([layers.RandomTranslation(0.3, 0.3), layers.RandomBrightness(0.5)], seed=1,
                                        mean=100.0, std=50.0)
    x, y = DRAW.integers(0, 256, (40, 6, 6, 1)).astype("uint8"), Y
    fc.utils.set_random_seed(5)
    model = fc.Sequential([fc.Input((6, 6, 1)), layers.Flatten(), layers.Dense(8), layers.BatchNormalization(),
                           layers.Dense(3)])
    model.compile(fc.optimizers.SGD(0.01, use_ema=True, ema_momentum=0.8), "mse")
    history = model.fit(x, y, batch_size=8, epochs=2, verbose=0, augmentation=pipeline, validation_data=(x[:9], y[:9]),
                        callbacks=SwapEMAWeights())
    hidden = fc.Model(model.inputs, model.layers[1].output).predict(x, augmentation=pipeline)
    np.testing.assert_allclose(statistics(model)[0], hidden.mean(0), rtol=1e-4, atol=1e-5)
    assert model.evaluate(x[:9], y[:9], augmentation=pipeline) == history.history["val_loss"][-1]


def test_an_optimizer_with_averages_alone_leaves_them_with_their_statistics():
    alone, _ = trained("ema")
    plain = network()
    plain.fit(X, Y, batch_size=8, epochs=4, verbose=0)
    assert same(plain.get_weights(), alone.get_weights())


@pytest.mark.parametrize("which", AVERAGES)
def test_training_has_the_bits_that_it_has_without_them(which):
    found = []
    for one in (which, None):
        seen = []
        model = network(which != "mean")
        look = LambdaCallback(on_train_batch_end=lambda batch, logs, seen=seen, m=model: seen.append(m.get_weights()))
        history = model.fit(X, Y, batch_size=8, epochs=3, verbose=0, validation_data=HELD,
                            callbacks=[look, *([AVERAGES[one]()] if one else ())])
        found.append((seen, history.history["loss"]))
    for with_it, without in zip(*[one[0] for one in found], strict=True):
        assert same(with_it, without)
    assert found[0][1] == found[1][1]


def test_callbacks_before_it_see_the_weights_of_training_when_an_epoch_begins():
    model, begun, ended = network(), [], []
    look = LambdaCallback(on_epoch_begin=lambda epoch, logs: begun.append(model.get_weights()),
                          on_train_batch_end=lambda batch, logs: ended.append(model.get_weights()))
    model.fit(X, Y, batch_size=8, epochs=3, verbose=0, callbacks=[look, SwapEMAWeights(swap_on_epoch=True)])
    assert same(begun[1], ended[4])
    assert same(begun[2], ended[9])


class Numbered:
    """Batches by number, which remembers what it was asked."""

    def __init__(self):
        self.asked = []

    def __len__(self):
        return 5

    def __getitem__(self, number):
        self.asked.append(number)
        return X[number::5], Y[number::5]


class Told:
    """An iterable whose passes differ, and which tells where it stands."""

    def __init__(self):
        self.passes = 0

    def __iter__(self):
        self.passes += 1
        order = np.random.default_rng(self.passes).permutation(len(X))
        return ((X[order[k : k + 8]], Y[order[k : k + 8]]) for k in range(0, len(X), 8))

    def get_state(self):
        return self.passes

    def set_state(self, state):
        self.passes = state


@pytest.mark.parametrize("make", [Numbered, Told, lambda: [(X[k : k + 8], Y[k : k + 8]) for k in range(0, 40, 8)]])
def test_batches_of_any_kind_give_statistics_and_go_on_as_without(make):
    weights = []
    for which in ("ema", None):
        seen = []
        model = network()
        look = LambdaCallback(on_epoch_end=lambda epoch, logs, seen=seen, m=model: seen.append(m.get_weights()))
        model.fit(make(), epochs=3, verbose=0, validation_data=HELD,
                  callbacks=[look, *([AVERAGES[which]()] if which else ())])
        weights.append(seen)
        hidden = fc.Model(model.inputs, model.layers[0].output).predict(X)
        np.testing.assert_allclose(statistics(model)[0], hidden.mean(0), rtol=1e-5, atol=1e-6)
    for a, b in zip(*weights, strict=True):
        assert same(a, b)


def test_an_iterator_is_not_read_and_a_warning_says_what_becomes_of_the_statistics():
    def endless():
        while True:
            yield X[:8], Y[:8]

    model = network()
    with pytest.warns(UserWarning, match="keep the statistics of normalization that training had, since an iterator"):
        model.fit(endless(), steps_per_epoch=3, verbose=0, validation_data=HELD, callbacks=SwapEMAWeights())


def test_frozen_normalization_keeps_its_statistics():
    model = network()
    model.layers[1].trainable = False
    before = statistics(model)
    model.fit(X, Y, batch_size=8, verbose=0, validation_data=HELD, callbacks=SwapEMAWeights())
    assert same(statistics(model), before)


def test_the_mean_of_weights_is_that_of_the_ends_of_the_epochs_that_count():
    ends = []
    model = network(use_ema=False)
    model.fit(X, Y, batch_size=8, epochs=5, verbose=0, callbacks=[
        StochasticWeightAveraging(2),
        LambdaCallback(on_epoch_end=lambda epoch, logs: ends.append([w.numpy() for w in model.trainable_weights]))])
    for found, *counted in zip(model.trainable_weights, *ends[2:], strict=True):
        np.testing.assert_allclose(found.value, np.mean(counted, 0), rtol=1e-5, atol=1e-7)


def test_without_an_epoch_that_counts_there_is_no_mean():
    plain, other = network(use_ema=False), network(use_ema=False)
    plain.fit(X, Y, batch_size=8, epochs=2, verbose=0)
    other.fit(X, Y, batch_size=8, epochs=2, verbose=0, callbacks=StochasticWeightAveraging(2))
    assert same(plain.get_weights(), other.get_weights())


def test_bad_arguments_and_two_averages_at_once_are_refused():
    for wrong in (-1, 1.5, True):
        with pytest.raises(ArgumentError, match="expected start_from_epoch to be an integer from 0"):
            StochasticWeightAveraging(wrong)
    with pytest.raises(ArgumentError, match="expected an optimizer without use_ema"):
        network().fit(X, Y, verbose=0, callbacks=StochasticWeightAveraging())
