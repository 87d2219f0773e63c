"""Callbacks: which hooks are called, with what, and which are refused."""

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


@pytest.mark.parametrize("hook", [f"on_{what}_{when}" for what in ("test", "predict", "test_batch", "predict_batch")
                                  for when in ("begin", "end")])
def test_a_hook_that_is_never_called_is_refused(hook):
    with pytest.raises(ArgumentError, match=rf"^Mine: {hook} is not offered; .*on_epoch_end.*$"):
        type("Mine", (fc.callbacks.Callback,), {hook: lambda self, logs: None})


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
