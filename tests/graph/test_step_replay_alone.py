"""Replayed training steps whose surroundings change: gradients, memory, inputs, threads, other networks."""

import weakref

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers, losses, training
from fastcnn.graph import step_replay

STEPS = 14


def images(seed=0, count=STEPS, n=4):
    return list(np.random.default_rng(seed).standard_normal((count, n, 8, 8, 3), dtype=np.float32))


def features(x):
    return layers.Flatten()(layers.Conv2D(20, 3, activation="relu")(x))


def replay_of(model):
    """Return what replays the steps of a model; None if nothing does."""
    made = [graph.replay for one in model.executables.made() for graph in one._made[1].values() if graph is not None]
    return next((one for one in made if one is not None), None)


def stepped(model, batches):
    """Return the losses of steps, and the weights then."""
    model.optimizer.build(model.trainable_weights)
    found = [training.train_step(model, batch).losses for batch in batches]
    return [one for some in found for one in some], model.get_weights()


def both(run, monkeypatch):
    """Return what a function returns with replayed steps and without."""
    found = []
    for first in (2, 1 << 30):
        monkeypatch.setattr(step_replay, "_FIRST", first)
        fc.utils.set_random_seed(3)
        found.append(run())
    return found


def assert_equal(one, other):
    for found, expected in zip(one, other, strict=True):
        assert all(map(np.array_equal, found, expected))


class Towards(losses.Loss):
    """The squared distance to a number; `then` is called in the middle of each step."""

    def __init__(self, gives_gradient=lambda count: True, then=lambda: None):
        super().__init__()
        self._gives_gradient, self._then, self._count = gives_gradient, then, 0

    def forward(self, y_true, y_pred, wants_gradient=True, sample_weight=None):
        self._then()
        self._count += 1
        far = y_pred - np.float32(0.25)
        return (far * far).sum(1), 2 * far / len(far) if self._gives_gradient(self._count) else None


@pytest.mark.parametrize("first", [True, False])
def test_outputs_may_have_a_gradient_in_some_steps_alone(first, monkeypatch):
    def run():
        inputs = fc.Input((8, 8, 3))
        x = layers.BatchNormalization(momentum=0.9)(features(inputs))
        model = fc.Model(inputs, [layers.Dense(3, name="a")(x), layers.Dense(2, name="b")(x)])
        model.compile("adam", {"a": "mse", "b": Towards(lambda count: first == (count < 9))})
        ys = [np.ones((4, 3), np.float32), np.ones((4, 2), np.float32)]
        _, values = stepped(model, [training.Batch([x], ys, None) for x in images()])
        return values, [model.predict(images()[0])[0]]

    assert_equal(*both(run, monkeypatch))


def test_an_array_that_was_both_inputs_may_be_two_later(monkeypatch):
    def run():
        inputs = [fc.Input((8, 8, 3)), fc.Input((8, 8, 3))]
        convolution = layers.Conv2D(20, 3, activation="relu")
        x = layers.Concatenate()([convolution(inputs[0]), convolution(inputs[1])])
        model = fc.Model(inputs, layers.Dense(3)(layers.Flatten()(x)))
        model.compile("sgd", "mse")
        ys = [np.ones((4, 3), np.float32)]
        return stepped(model, [training.Batch([x, x if k < 7 else other], ys, None)
                               for k, (x, other) in enumerate(zip(images(), images(1), strict=True))])

    assert_equal(*both(run, monkeypatch))


def test_memory_may_be_given_back_in_the_middle_of_a_step(monkeypatch):
    def run():
        inputs = fc.Input((8, 8, 3))
        model = fc.Model(inputs, layers.Dense(3)(features(inputs)))
        model.compile("sgd", Towards(then=fc.device.release))
        return stepped(model, [training.Batch([x], [np.ones((4, 3), np.float32)], None) for x in images()])

    assert_equal(*both(run, monkeypatch))


def plain(units=20):
    inputs = fc.Input((8, 8, 3))
    model = fc.Model(inputs, layers.Dense(3)(layers.Dense(units)(features(inputs))))
    model.compile("sgd", "mse")
    return model


def regressions():
    return [training.Batch([x], [np.ones((4, 3), np.float32)], None) for x in images()]


def test_another_thread_may_predict_at_any_time(monkeypatch):
    def run():
        model = plain()
        asked = step_replay.StepReplay._is_as_it_was

        def meanwhile(replay):
            found = asked(replay)
            replay.let_go()  # as a prediction does
            return found

        monkeypatch.setattr(step_replay.StepReplay, "_is_as_it_was", meanwhile)
        found = stepped(model, regressions())
        monkeypatch.setattr(step_replay.StepReplay, "_is_as_it_was", asked)
        return found

    assert_equal(*both(run, monkeypatch))


def test_all_networks_together_have_no_more_memory_than_one_may(monkeypatch):
    models = [plain(units) for units in (20, 24, 28)]
    stepped(models[0], regressions())
    monkeypatch.setattr(step_replay, "_MEMORY", int(2.5 * replay_of(models[0])._calls.bytes))
    for model in models[1:]:
        stepped(model, regressions())
    assert [replay_of(model)._calls is not None for model in models] == [False, True, True]


def test_memory_is_free_when_fit_ends():
    model = plain()
    x = np.concatenate(images())
    model.fit(x, np.ones((len(x), 3), np.float32), batch_size=4, verbose=0)
    assert replay_of(model) is not None
    assert replay_of(model)._calls is None


def test_who_keeps_what_a_step_returned_keeps_no_memory_of_its_replay():
    model = plain()
    model.optimizer.build(model.trainable_weights)
    kept = [training.train_step(model, batch) for batch in regressions()]
    assert replay_of(model)._made
    calls = weakref.ref(replay_of(model)._calls)
    model.layers[1].trainable = False  # another graph
    training.train_step(model, regressions()[0])
    assert len(kept) == STEPS
    assert calls() is None
