"""Callbacks: which hooks are called, and with what."""

import errno
import io

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError

X = np.random.default_rng(0).standard_normal((12, 4)).astype("float32")


def model():
    made = fc.Sequential([fc.Input((4,)), layers.Dense(4)])
    made.compile("sgd", "mse")
    return made


class Note(fc.callbacks.Callback):
    def __init__(self):
        self.seen = []

    def on_batch_begin(self, batch, logs):
        self.seen.append(("begin", batch))

    def on_batch_end(self, batch, logs):
        self.seen.append(("end", batch, *logs))


def test_the_short_names_of_the_hooks_of_a_batch_are_called():
    note = Note()
    model().fit(X, X, batch_size=6, verbose=0, callbacks=note)
    assert note.seen == [("begin", 0), ("end", 0, "loss"), ("begin", 1), ("end", 1, "loss")]


class Hooks(fc.callbacks.Callback):
    """Notes every hook of evaluation and prediction, and what it is told."""

    def __init__(self):
        self.seen = []


def noting(hook):
    return lambda self, *given: self.seen.append((hook.removeprefix("on_"), *given[:-1], sorted(given[-1])))


for what in ("test", "predict", "test_batch", "predict_batch"):
    for when in ("begin", "end"):
        setattr(Hooks, f"on_{what}_{when}", noting(f"on_{what}_{when}"))

EVALUATION = [("test_begin", []), ("test_batch_begin", 0, []), ("test_batch_end", 0, ["loss"]),
              ("test_batch_begin", 1, []), ("test_batch_end", 1, ["loss"]), ("test_end", ["loss"])]


def test_evaluation_has_hooks_alone_and_within_a_training():
    alone, within = Hooks(), Hooks()
    model().evaluate(X, X, batch_size=6, callbacks=alone)
    model().fit(X, X, epochs=2, verbose=0, callbacks=within, validation_data=(X, X), validation_batch_size=6)
    assert alone.seen == EVALUATION
    assert within.seen == 2 * EVALUATION
    assert alone.params == {"epochs": 1, "steps": 2, "samples": 12, "batch_size": 6, "verbose": 0, "initial_epoch": 0}


def test_prediction_has_hooks_that_see_the_outputs_of_each_batch():
    outputs = []

    class Keep(Hooks):
        def on_predict_batch_end(self, batch, logs):
            super().on_predict_batch_end(batch, logs)
            outputs.append(logs["outputs"])

    hooks = Keep()
    y = model().predict(X, batch_size=6, callbacks=[hooks])
    assert hooks.seen == [("predict_begin", []), ("predict_batch_begin", 0, []), ("predict_batch_end", 0, ["outputs"]),
                          ("predict_batch_begin", 1, []), ("predict_batch_end", 1, ["outputs"]), ("predict_end", [])]
    np.testing.assert_array_equal(np.concatenate(outputs), y)


def test_evaluation_and_prediction_are_stopped_after_a_batch():
    class Stop(fc.callbacks.Callback):
        def on_test_batch_end(self, batch, logs):
            self.model.stop_evaluating = batch == 1

        def on_predict_batch_end(self, batch, logs):
            self.model.stop_predicting = batch == 1

    one = model()
    assert one.evaluate(X, X, batch_size=4, callbacks=[Stop()]) == one.evaluate(X[:8], X[:8], batch_size=4)
    np.testing.assert_array_equal(one.predict(X, batch_size=4, callbacks=[Stop()]), one.predict(X[:8], batch_size=4))
    assert one.evaluate(X, X) == one.evaluate(X, X, callbacks=fc.callbacks.Callback())


@pytest.mark.parametrize("hook", ["on_train_batch_end", "on_batch_end"])
def test_training_that_is_stopped_within_an_epoch_is_validated(hook):
    def stop(self, batch, logs):
        self.model.stop_training = True

    stops = type("Stop", (fc.callbacks.Callback,), {hook: stop})
    stopped = model()
    history = stopped.fit(X, X, batch_size=4, epochs=3, verbose=0, callbacks=[stops()], validation_data=(X, X)).history
    assert history.keys() == {"loss", "val_loss"}
    assert stopped.optimizer.iterations == 1
    assert history["val_loss"] == [stopped.evaluate(X, X)]


@pytest.mark.parametrize(("verbose", "expected"), [(0, 0), (1, 1), (2, 2), ("auto", 2)])
def test_params_say_what_is_trained(verbose, expected, capsys):
    note = Note()
    model().fit(X, X, batch_size=5, epochs=2, verbose=verbose, callbacks=[note])
    assert note.params == {"epochs": 2, "steps": 3, "samples": 12, "batch_size": 5, "verbose": expected,
                           "initial_epoch": 0}


def test_the_history_of_an_interrupted_fit_stays_with_the_model():
    class PressedInTheThird(fc.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs):
            if epoch == 2:
                raise KeyboardInterrupt

    one = model()
    assert one.history is None
    with pytest.raises(KeyboardInterrupt):
        one.fit(X, X, epochs=5, verbose=0, callbacks=PressedInTheThird())
    assert len(one.history.history["loss"]) == 2
    assert one.fit(X, X, epochs=1, verbose=0) is one.history


@pytest.mark.parametrize("fault", [BrokenPipeError(), ValueError("I/O operation on closed file"),
                                   OSError(errno.ENOSPC, "No space left on device"), OSError(errno.EIO, "a terminal")])
def test_output_that_takes_nothing_costs_no_training(monkeypatch, fault):
    class Refusing(io.StringIO):
        def write(self, text):
            raise fault

    monkeypatch.setattr("sys.stdout", Refusing())
    assert len(model().fit(X, X, epochs=2, verbose=2).history["loss"]) == 2


class Checks(Hooks):
    """Notes what it may look at, and perhaps refuses."""

    def __init__(self, refuses=False):
        super().__init__()
        self.names, self._refuses = None, refuses

    def check(self, names):
        self.names = names
        if self._refuses:
            raise ArgumentError("not this one")

    def on_train_begin(self, logs):
        self.seen.append("begin")


class Reports(fc.callbacks.Callback):
    reports = ("mine",)

    def on_epoch_end(self, epoch, logs):
        logs["mine"] = 7.0


def test_before_anything_begins_callbacks_know_what_will_be_reported():
    checks, one = Checks(), model()
    one.compile("sgd", "mse", metrics=["mae"])
    history = one.fit(X, X, verbose=0, callbacks=[checks, Reports()], validation_data=(X, X)).history
    assert checks.names == ["loss", "mae", "val_loss", "val_mae", "mine"]
    assert set(history) == set(checks.names)
    one.fit(X, X, verbose=0, callbacks=[checks])
    assert checks.names == ["loss", "mae"]


def test_the_losses_of_several_outputs_are_known_by_name():
    x = fc.Input((4,))
    one = fc.Model(x, [layers.Dense(4, name="a")(x), layers.Dense(4, name="b")(x)])
    one.compile("sgd", ["mse", "mse"], metrics=[["mae"], []])
    checks = Checks()
    assert list(one.fit(X, [X, X], verbose=0, callbacks=[checks]).history) == checks.names
    assert checks.names == ["loss", "a_loss", "b_loss", "a_mae"]


def test_a_callback_that_refuses_keeps_all_others_from_beginning():
    one, first = model(), Checks()
    before = one.get_weights()
    with pytest.raises(ArgumentError, match="not this one"):
        one.fit(X, X, verbose=0, callbacks=[first, Checks(refuses=True)])
    assert first.names == ["loss"]
    assert first.seen == []
    assert one.history is None
    for a, b in zip(before, one.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


class Interrupted(fc.callbacks.Callback):
    def __init__(self, seen, fails=False):
        self.seen, self._fails = seen, fails

    def on_train_interrupted(self, error):
        self.seen.append(error)
        if self._fails:
            raise ValueError("nor could I end")

    def on_train_end(self, logs):
        raise AssertionError("training came to no end")


@pytest.mark.parametrize("hook", ["on_train_begin", "on_epoch_begin", "on_train_batch_end", "on_epoch_end"])
def test_whatever_ends_a_training_is_told_to_every_callback_and_raised(hook):
    def press(self, *given):
        raise KeyboardInterrupt

    seen, presses = [], type("Presses", (fc.callbacks.Callback,), {hook: press})
    with pytest.raises(KeyboardInterrupt) as caught:
        model().fit(X, X, verbose=0, callbacks=[Interrupted(seen, fails=True), presses(), Interrupted(seen)])
    assert seen == [caught.value, caught.value]
    assert caught.value.__notes__ == ["Interrupted: nor could I end"]


def test_a_history_goes_on_from_its_state():
    history = model().fit(X, X, epochs=2, verbose=0)
    state = history.get_state()
    assert state == {"epoch": [0, 1], "history": history.history}
    other = fc.callbacks.History()
    other.set_state(state)
    other.on_epoch_end(2, {"loss": 0.5})
    assert (other.epoch, len(other.history["loss"])) == ([0, 1, 2], 3)
    assert len(state["history"]["loss"]) == len(history.history["loss"]) == 2, "both keep their own"


def test_the_state_of_another_callback_is_refused():
    with pytest.raises(ArgumentError, match=r"^History: expected a state of epoch, history, got wait"):
        fc.callbacks.History().set_state({"wait": 1})
    with pytest.raises(ArgumentError, match=r"^Callback: expected a state of nothing, got epoch"):
        fc.callbacks.Callback().set_state({"epoch": []})
    assert fc.callbacks.Callback().get_state() == {}
