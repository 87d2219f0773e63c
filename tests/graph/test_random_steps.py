"""Random networks train to the same bits whether steps are replayed or not, whatever happens between them."""

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import fastcnn as fc
from fastcnn import device, layers, losses, training
from fastcnn.graph import step_replay
from fastcnn.memory_pool import UNUSED, references
from tests.graph.recipes import RECIPES, cook, samples, with_values

STEPS = 16
WHAT = "freeze", "momentum", "predict", "release", "assign", "other size", "no way back"
EVENTS = st.dictionaries(st.integers(5, STEPS - 1), st.tuples(st.sampled_from(WHAT), st.integers(0, 99)), max_size=3)
NONE = st.sets(st.integers(1, STEPS), max_size=2)  # steps in which the last output has no gradient


@pytest.fixture(autouse=True)
def steps_before():
    device.release()  # so that there is little to spoil
    before = step_replay._FIRST
    yield
    step_replay._FIRST = before


def spoil():
    """Fill all memory that nobody uses with numbers that are none."""
    for pool in device.cpu._pool().values():
        for block in pool.blocks:
            if references(block) == UNUSED:
                block[0][:] = 255


class Towards(losses.Loss):
    """The logarithm of one and the distance to a number. In the middle of a step memory is spoiled."""

    def __init__(self, none=()):
        super().__init__()
        self._none, self._count = none, 0

    def forward(self, y_true, y_pred, wants_gradient=True, sample_weight=None):
        spoil()
        self._count += 1
        far = np.abs(y_pred - np.float32(0.25))
        slope = None if self._count in self._none else np.sign(y_pred - np.float32(0.25)) / (1 + far) / y_pred.size
        return np.log1p(far).reshape(len(far), -1).mean(1), slope


def happen(model, what, k, step):
    """Do something between two steps, and return what it tells."""
    if what == "freeze":
        layer = model.layers[k % len(model.layers)]
        layer.trainable = not layer.trainable
    if what == "momentum":
        for layer in model.layers:
            if isinstance(layer, layers.BatchNormalization):
                layer.momentum = k / 100
    if what == "predict":
        return model.predict(samples(model, 3, k))
    if what == "release":
        device.release()
    if what == "assign":
        parameter = model.weights[k % len(model.weights)]
        parameter.assign(0.9 * parameter.value)
    if what == "other size":
        return training.train_step(model, batch_of(model, 3, k)).outputs
    if what == "no way back":
        return model._trainer.forward_with_loss(*batch_of(model, 4, k), layers.Call(1, step, False)).outputs
    return []


def batch_of(model, n, seed):
    return training.Batch(samples(model, n, seed), [np.zeros((n, 1), np.float32) for _ in model.outputs], None)


def trained(recipe, events, none, first):
    """Return all that a training tells, as a flat list of arrays."""
    step_replay._FIRST = first
    fc.utils.clear_session()
    fc.utils.set_random_seed(3)
    model = with_values(cook(recipe, fc))
    if not model.trainable_weights:
        return []
    model.compile(fc.optimizers.SGD(0.01), [Towards() for _ in model.outputs[1:]] + [Towards(none)])
    model.optimizer.build(model.trainable_weights)
    found, kept = [], []
    for step in range(STEPS):
        found += happen(model, *events.get(step, ("", 0)), step)
        spoil()
        result = training.train_step(model, batch_of(model, 4, step))
        told = [*result.losses, *result.outputs]
        kept.append((told, [one.copy() for one in told]))
    for told, copies in kept:
        found += copies
        assert all(map(np.array_equal, told, copies))
    return found + model.get_weights()


@settings(max_examples=30, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
          suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(recipe=RECIPES, events=EVENTS, none=NONE)
def test_steps_that_are_replayed_have_the_bits_of_steps_that_layers_take(recipe, events, none):
    found, plain = (trained(recipe, events, none, first) for first in (2, 1 << 30))
    assert len(found) == len(plain)
    assert all(a.tobytes() == b.tobytes() for a, b in zip(found, plain, strict=True))
