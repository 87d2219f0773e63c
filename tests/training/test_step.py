"""The seam between gradients and optimizer: what is seen there, what may be changed, and training in two processes."""

import multiprocessing

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.training import Batch, train_step

DRAW = np.random.default_rng(0)
X = DRAW.standard_normal((32, 8, 8, 1)).astype("float32")
LABELS = DRAW.integers(0, 3, 32)


def compiled(optimizer=None):
    fc.utils.set_random_seed(7)
    model = fc.Sequential([fc.Input((8, 8, 1)), layers.Conv2D(4, 3, activation="tanh"), layers.AveragePooling2D(2),
                           layers.Flatten(), layers.Dense(3, activation="softmax")])  # fmt: skip
    model.compile(optimizer or fc.optimizers.SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy",
                  metrics=["accuracy"])
    return model


def weights(model):
    return np.concatenate([w.ravel() for w in model.get_weights()])


class OnGradients(fc.callbacks.Callback):
    def __init__(self, act):
        self.act = act

    def on_gradients(self, segments):
        self.act(segments)


def test_the_gradients_of_a_step_are_seen_before_the_optimizer_changes_the_values():
    model, seen = compiled(fc.optimizers.SGD(0.5)), []
    before = weights(model)

    def look(segments):
        seen.extend(np.concatenate([s.gradients[place] for _, place in s.places()]) for s in segments)
        paths = [p.path.split("/")[-1] for s in segments for p in s.parameters]
        assert paths == ["kernel", "bias", "kernel", "bias"]

    model.fit(X, LABELS, batch_size=32, verbose=0, callbacks=[OnGradients(look)])
    (gradients,) = seen
    assert np.abs(gradients).max() > 0
    np.testing.assert_array_equal(before - np.float32(0.5) * gradients, weights(model))


def test_gradients_that_are_changed_in_place_are_what_the_optimizer_reads():
    def halve(segments):
        for segment in segments:
            segment.gradients *= np.float32(0.5)

    halved, slow = compiled(fc.optimizers.SGD(0.5)), compiled(fc.optimizers.SGD(0.25))
    halved.fit(X, LABELS, batch_size=16, verbose=0, callbacks=[OnGradients(halve)])
    slow.fit(X, LABELS, batch_size=16, verbose=0)
    np.testing.assert_allclose(weights(halved), weights(slow), rtol=1e-6)  # halves are exact, products round alike


def test_layers_that_are_frozen_have_no_gradients_to_see():
    model, sizes = compiled(), []
    act = OnGradients(lambda segments: sizes.append(sum(s.gradients.size for s in segments)))
    model.fit(X, LABELS, batch_size=32, verbose=0, callbacks=act)
    model.layers[0].trainable = False
    model.fit(X, LABELS, batch_size=32, verbose=0, callbacks=act)
    assert sizes == [model.count_params(), model.layers[-1].count_params()]


def test_accumulated_gradients_are_seen_once_for_each_update_whole_and_before_they_are_clipped():
    model, seen = compiled(fc.optimizers.SGD(0.1, gradient_accumulation_steps=2, global_clipnorm=1e-3)), []
    model.fit(X, LABELS, batch_size=8, shuffle=False, verbose=0,
              callbacks=OnGradients(lambda segments: seen.append(segments[0].gradients.copy())))  # fmt: skip
    assert len(seen) == 2
    half = compiled()
    half.fit(X[:16], LABELS[:16], batch_size=16, verbose=0, shuffle=False, callbacks=OnGradients(
        lambda segments: np.testing.assert_allclose(segments[0].gradients * 2, seen[0], rtol=1e-4, atol=1e-6)))
    assert np.linalg.norm(seen[0]) > 1e-3


def test_a_step_of_one_s_own_takes_a_function():
    model, seen = compiled(), []
    model.train_on_batch(X, LABELS)
    train_step(model, Batch([X], [LABELS], None), lambda segments: seen.append(len(segments)))
    assert seen == [1]
    assert model.optimizer.iterations == 2


def test_nobody_is_asked_where_nobody_listens(monkeypatch):
    def never(self):
        raise AssertionError("somebody asked for the segments")

    monkeypatch.setattr(fc.optimizers.Optimizer, "segments", property(never))
    compiled().fit(X, LABELS, verbose=0, callbacks=fc.callbacks.Callback())
    with pytest.raises(AssertionError, match="somebody asked"):
        compiled().fit(X, LABELS, verbose=0, callbacks=OnGradients(print))


# --- two processes ----------------------------------------------------------------------------------------------------


class Averaged(fc.callbacks.Callback):
    """The mean of the gradients of two processes, over a pipe: both add in the same order, so both have the same."""

    def __init__(self, pipe, is_first):
        self.pipe, self.is_first = pipe, is_first

    def on_gradients(self, segments):
        for segment in segments:
            self.pipe.send_bytes(segment.gradients)
            other = np.frombuffer(self.pipe.recv_bytes(), segment.gradients.dtype)
            first, second = (segment.gradients, other) if self.is_first else (other, segment.gradients)
            np.add(first, second, out=segment.gradients)
            segment.gradients *= segment.gradients.dtype.type(0.5)


def train_half(pipe, rank):
    """Train on every other half batch, and send the weights, the loss and the metrics."""
    mine = slice(8 * rank, 8 * rank + 8)
    batches = [(X[k : k + 16][mine], LABELS[k : k + 16][mine]) for k in (0, 16)]
    model = compiled()
    model.fit(batches, epochs=3, shuffle=False, verbose=0, callbacks=Averaged(pipe, rank == 0))
    model.evaluate(batches)
    pipe.send((weights(model), model.metrics))


def test_two_processes_that_average_their_gradients_are_one_with_the_joined_batch():
    context = multiprocessing.get_context("spawn")  # a fork would copy locks of the threads that kernels run on
    here, there = context.Pipe()
    process = context.Process(target=train_half, args=(there, 1))
    process.start()
    try:
        there.close()  # if the other process dies, reading from it ends
        done, result = context.Pipe()
        train_half(Both(here, done), 0)
        (own, metrics), (other, others) = result.recv(), here.recv()
    finally:
        process.join(60)
    assert process.exitcode == 0
    np.testing.assert_array_equal(own, other)
    one = compiled()
    one.fit(X, LABELS, batch_size=16, epochs=3, shuffle=False, verbose=0)
    # the mean over 16 samples against that of two means over 8: a few roundings in each of six steps
    np.testing.assert_allclose(own, weights(one), rtol=1e-5, atol=1e-6)
    assert np.abs(own - weights(compiled())).max() > 0.01
    metrics[0].merge_state(others)
    assert metrics[0].result() == one.evaluate(X, LABELS, return_dict=True)["accuracy"]


class Both:
    """Bytes go to the other process, the result to this one."""

    def __init__(self, pipe, result):
        self.send_bytes, self.recv_bytes, self.send = pipe.send_bytes, pipe.recv_bytes, result.send
