"""What tests of callbacks train: a line through points that no line goes through, in steps of one kernel."""

import numpy as np

import fastcnn as fc
from fastcnn import layers

X = np.random.default_rng(0).standard_normal((12, 4)).astype("float32")


def model(optimizer="sgd", metrics=()):
    """Return a compiled model of one layer."""
    made = fc.Sequential([fc.Input((4,)), layers.Dense(4)])
    made.compile(optimizer, "mse", metrics=list(metrics))
    return made


class Scripted(fc.callbacks.Callback):
    """Reports values that somebody wrote, one an epoch, and keeps what the others did then.

    Parameters
    ----------
    values : list
        Of ``val_loss``; None where an epoch has none.
    at : int, optional
        Ctrl-C is pressed in the first step of this epoch.
    """

    reports = ("scripted",)

    def __init__(self, values, at=None):
        self.values, self.at, self.weights, self.rates = values, at, [], []

    def on_train_batch_end(self, batch, logs):
        if self.at is not None and len(self.weights) == self.at:
            raise KeyboardInterrupt

    def on_epoch_begin(self, epoch, logs):
        self.rates.append(self.model.optimizer.learning_rate)

    def on_epoch_end(self, epoch, logs):
        self.weights.append([w.copy() for w in self.model.get_weights()])
        if self.values[epoch] is not None:
            logs["scripted"] = self.values[epoch]


def train(values, *callbacks, one=None, at=None, **options):
    """Train as many epochs as there are values; return the model, the script and the history."""
    script, one = Scripted(values, at), one or model()
    history = one.fit(X, X, epochs=len(values), verbose=0, callbacks=[script, *callbacks], **options)
    return one, script, history.history


def same(a, b):
    """Return whether two lists of weights have the same bits."""
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
