"""EarlyStopping, and what all callbacks that monitor have in common."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.callbacks import EarlyStopping, ModelCheckpoint, ReduceLROnPlateau
from fastcnn.errors import ArgumentError
from tests.callbacks.models import X, model, same, train


def stopping(**options):
    return EarlyStopping("scripted", **{"mode": "min", "restore_best_weights": True} | options)


@pytest.mark.parametrize(("values", "patience", "epochs", "best"), [
    ([3, 2, 1, 2, 3, 4], 2, 5, 2), ([3, 2, 1, 2, 3, 0], 9, 6, 5), ([3, 3, 3], 0, 2, 0),
    ([3, None, None, 2, None, 4, 5], 1, 6, 3), ([np.nan, 2, np.nan, 3], 9, 4, 1)])
def test_the_best_weights_come_back_when_training_ends(values, patience, epochs, best):
    stop = stopping(patience=patience)
    one, script, history = train(values, stop)
    assert len(script.weights) == epochs
    assert len(history["loss"]) == epochs
    assert same(one.get_weights(), script.weights[best])
    assert (stop.best, stop.best_epoch) == (values[best], best)
    assert stop.stopped_epoch == (epochs - 1 if epochs < len(values) else 0)


def test_the_best_weights_come_back_at_ctrl_c():
    stop = stopping(patience=9)
    with pytest.raises(KeyboardInterrupt):
        train([3, 1, 2, 2], stop, one=(one := model()), at=3)
    assert (stop.best_epoch, stop.wait) == (1, 1)
    assert same(one.get_weights(), stop.best_weights)
    assert not one.stop_training


def test_nothing_comes_back_from_a_training_that_ends_in_its_first_epoch():
    one, stop = model(), stopping()
    with pytest.raises(KeyboardInterrupt):
        train([1, 2], stop, one=one, at=0)
    assert stop.best_weights is None


def test_the_last_weights_stay_unless_the_best_are_asked_for():
    one, script, _ = train([3, 1, 2, 2], stopping(patience=2, restore_best_weights=False))
    assert len(script.weights) == 4
    assert same(one.get_weights(), script.weights[-1])


def test_statistics_come_back_too_and_their_copies_take_no_memory_anew():
    one = fc.Sequential([fc.Input((4,)), layers.BatchNormalization(), layers.Dense(4)])
    one.compile("sgd", "mse")
    stop, places = stopping(patience=9), []

    def note(epoch, logs):
        places.append([array.ctypes.data for array in stop.best_weights])

    _, script, _ = train([4, 3, 2, 5], stop, fc.callbacks.LambdaCallback(on_epoch_end=note), one=one)
    assert same(one.get_weights(), script.weights[2])
    assert places[0] == places[1] == places[2]


@pytest.mark.parametrize(("options", "epochs"), [
    ({"min_delta": 0.5}, 2), ({"min_delta": -0.5}, 2), ({"min_delta": 0.3}, 3), ({"baseline": 1.5, "patience": 2}, 5),
    ({"start_from_epoch": 3, "patience": 0}, 5), ({"mode": "max", "patience": 1}, 2)])
def test_what_counts_as_better_is_said(options, epochs):
    _, script, _ = train([3, 2.6, 2.4, 2.3, 2.3, 2.3], stopping(**{"patience": 1} | options))
    assert len(script.weights) == epochs


def test_a_callback_is_used_again_as_if_it_were_new():
    stop = stopping(patience=1)
    for _ in range(2):
        _, script, _ = train([3, 1, 2, 2], stop)
        assert (len(script.weights), stop.best, stop.stopped_epoch) == (3, 1, 2)


def test_waiting_goes_on_from_its_state():
    whole, first, second = (stopping(patience=2) for _ in range(3))
    train([3, 1, 2, 2, 2], whole)
    train([3, 1, 2], first)
    state = first.get_state()
    second.set_model(type("Model", (), {"weights": (), "stop_training": False})())
    second._rises = False
    second.on_train_begin({})
    second.set_state(state)
    assert same(second.best_weights, first.best_weights)
    second.on_epoch_end(3, {"scripted": 2})
    assert second.model.stop_training
    assert (second.best, second.best_epoch, second.wait, second.stopped_epoch) == (1, 1, 2, 3)
    assert (whole.best, whole.best_epoch, whole.wait, whole.stopped_epoch) == (1, 1, 2, 3)


def test_what_happens_is_told_where_that_is_asked_for(capsys):
    train([1, 2, 3], stopping(patience=1, verbose=1))
    said = capsys.readouterr().out.split("\n\n")
    assert [line.strip() for line in said] == [
        "Epoch 2: early stopping", "Restoring model weights from the end of the best epoch: 1."]
    train([1, 2, 3], stopping(patience=1))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("kind", [EarlyStopping, ReduceLROnPlateau,
                                  lambda **given: ModelCheckpoint("m.safetensors", save_best_only=True, **given)])
def test_what_is_not_reported_cannot_be_monitored_and_that_is_told_before_the_first_step(kind):
    one = model(metrics=["mae"])
    for monitor, text in [("val_acc", r"monitor: 'val_acc' is not known; .*known are .*loss, mae, val_loss, val_mae$"),
                          ("val_mea", "did you mean 'val_mae'")]:
        with pytest.raises(ArgumentError, match=text):
            one.fit(X, X, verbose=0, validation_data=(X, X), callbacks=kind(monitor=monitor))
    with pytest.raises(ArgumentError, match=r"'val_loss' is not known; .*; give fit validation_data$"):
        one.fit(X, X, verbose=0, callbacks=kind())
    assert one.optimizer.iterations == 0
    with pytest.raises(ArgumentError, match="mode: 'smaller' is not known; known are auto, max, min"):
        kind(mode="smaller")


@pytest.mark.parametrize(("metric", "rises"), [("loss", False), ("accuracy", True), ("mae", False), ("auc", True)])
def test_metrics_say_which_way_is_better(metric, rises):
    one = fc.Sequential([fc.Input((4,)), layers.Dense(1, activation="sigmoid")])
    one.compile("sgd", "binary_crossentropy", metrics=["accuracy", "mae", "auc"])
    stop = EarlyStopping(f"val_{metric}", patience=9)
    y = (X[:, :1] > 0).astype("float32")
    one.fit(X, y, verbose=0, validation_data=(X, y), callbacks=stop)
    assert stop.improves(2.0, 1.0) == rises
    assert stop.improves(1.0, 2.0) != rises


def test_a_metric_that_does_not_say_which_way_is_better_is_asked_for_a_mode():
    def far(y_true, y_pred):
        return np.abs(y_true - y_pred).max(-1)

    one = model(metrics=[far])
    with pytest.raises(ArgumentError, match="expected mode='min' or mode='max' for monitor='far'"):
        one.fit(X, X, verbose=0, callbacks=EarlyStopping("far"))


def test_a_metric_of_several_numbers_cannot_be_monitored():
    one = fc.Sequential([fc.Input((4,)), layers.Dense(4, activation="softmax")])
    one.compile("sgd", "categorical_crossentropy", metrics=[fc.metrics.F1Score(average=None, name="f1")])
    with pytest.raises(ArgumentError, match=r"expected monitor='f1' to be one number, got an array of shape \(4,\)"):
        one.fit(X, np.eye(4, dtype="float32")[X.argmax(1)], verbose=0, callbacks=EarlyStopping("f1"))


def test_epochs_without_a_validation_are_not_counted():
    one, stop = model(), EarlyStopping(patience=1, restore_best_weights=True)
    one.optimizer.learning_rate = 0.0
    history = one.fit(X, X, epochs=9, verbose=0, validation_data=(X, X), validation_freq=2, callbacks=stop)
    assert len(history.history["loss"]) == 4
    assert len(history.history["val_loss"]) == 2
