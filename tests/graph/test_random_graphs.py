"""Laws of graphs, over random ones: chains, skips, branches, shared layers, models inside models."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fastcnn as fc
from fastcnn import config
from fastcnn.graph import trace
from fastcnn.layers import Call
from tests.graph.recipes import RECIPES, cook, samples, with_values

QUICK = settings(max_examples=80, deadline=None, derandomize=True, database=None, report_multiple_bugs=False,
                 suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def switch():
    before = config.fusion()
    yield
    config.set_fusion(before)


def _listed(y):
    return list(y) if isinstance(y, (list, tuple)) else [y]


def _forward(model, xs, statistics):
    for p, value in statistics:
        p.assign(value)
    ys, back = model.forward(tuple(xs) if model.many_inputs else xs[0], Call(seed=5, step=2))
    return _listed(ys), back


def _gradients(model, xs, statistics, fused):
    """Return outputs, and the gradients of inputs and parameters of their products with fixed numbers."""
    config.set_fusion(fused)
    ys, back = _forward(model, xs, statistics)
    draw = np.random.default_rng(9)
    dys = [draw.standard_normal(y.shape) for y in ys]
    for p in model.weights:
        p.zero_grad()
    dxs = _listed(back(tuple(dys) if len(dys) > 1 else dys[0]))
    zeros = [np.zeros_like(x) for x in xs]
    return ys, dys, [z if dx is None else dx.copy() for dx, z in zip(dxs, zeros, strict=True)] + [
        p.grad.copy() for p in model.trainable_weights]


@QUICK
@given(recipe=RECIPES)
def test_gradients_are_difference_quotients_with_fusion_and_without(recipe):
    fc.utils.clear_session()
    model = with_values(cook(recipe, fc, "float64"))
    statistics = [(p, p.numpy()) for p in model.weights if not p.trainable]
    xs = samples(model, 3)
    plain, dys, expected = _gradients(model, xs, statistics, False)
    fused, _, found = _gradients(model, xs, statistics, True)
    scale = max(1.0, *(np.abs(g).max(initial=0) for g in expected))
    for a, b in zip([*plain, *expected], [*fused, *found], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-10 * scale)
    draw = np.random.default_rng(4)
    arrays = [*xs, *(p.array for p in model.trainable_weights)]
    directions = [draw.standard_normal(a.shape) for a in arrays]
    config.set_fusion(False)
    for part in (slice(0, len(xs)), slice(len(xs), None)):
        values = []
        for sign in (1, -2, 1):  # forwards, backwards, and to where it was
            for a, d in zip(arrays[part], directions[part], strict=True):
                a += sign * 1e-7 * d
            values.append(sum((y * dy).sum() for y, dy in zip(_forward(model, xs, statistics)[0], dys, strict=True)))
        quotient = (values[0] - values[1]) / 2e-7
        slope = sum((g * d).sum() for g, d in zip(expected[part], directions[part], strict=True))
        size = sum(np.abs(g * d).sum() for g, d in zip(expected[part], directions[part], strict=True))
        assert abs(quotient - slope) <= 1e-5 * max(1.0, size)


@QUICK
@given(recipe=RECIPES)
def test_predictions_by_plans_and_fused_nodes_are_those_of_the_layers(recipe):
    fc.utils.clear_session()
    model = with_values(cook(recipe, fc))
    for count in (2, 17):
        xs = samples(model, count)
        config.set_fusion(False)
        expected = _listed(model.predict(xs))
        config.set_fusion(True)
        for _ in range(3):  # the second makes a plan, the third follows it
            for a, b in zip(_listed(model.predict(xs)), expected, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5 * max(1, np.abs(b).max()))
        other = [-x for x in xs]
        config.set_fusion(False)
        expected = _listed(model.predict(other))
        config.set_fusion(True)
        for a, b in zip(_listed(model.predict(other)), expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5 * max(1, np.abs(b).max()))


@QUICK
@given(recipe=RECIPES)
def test_a_model_is_the_same_after_a_file_and_trains_alike(recipe, tmp_path):
    fc.utils.clear_session()
    model = with_values(cook(recipe, fc))
    model.save(tmp_path / "m.safetensors")
    again = fc.saving.load_model(tmp_path / "m.safetensors")
    assert again.get_config() == json.loads(json.dumps(model.get_config()))
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    assert list(again.named_weights()) == list(model.named_weights())
    xs = samples(model, 4)
    for a, b in zip(_listed(again.predict(xs)), _listed(model.predict(xs)), strict=True):
        np.testing.assert_array_equal(a, b)
    if not model.trainable_weights:
        return
    targets = [np.zeros((4, *shape[1:]), np.float32) for shape in model.output_shapes]
    for one in (model, again):
        one.seed = 3
        one.compile(fc.optimizers.SGD(0.1), ["mse"] * len(targets))
    assert model.train_on_batch(xs, targets) == again.train_on_batch(xs, targets)
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@QUICK
@given(recipe=RECIPES, frozen=st.sets(st.integers(0, 20), min_size=1))
def test_frozen_layers_take_no_gradient_and_fused_nodes_know_it(recipe, frozen):
    fc.utils.clear_session()
    model = with_values(cook(recipe, fc, "float64"))
    parts = trace.leaves(model.layers)
    for k in frozen:
        if parts:
            parts[k % len(parts)].trainable = False
    statistics = [(p, p.numpy()) for p in model.weights if not p.trainable]
    xs = samples(model, 3)
    plain, _, expected = _gradients(model, xs, statistics, False)
    fused, _, found = _gradients(model, xs, statistics, True)
    for a, b in zip([*plain, *expected], [*fused, *found], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)
    for layer in parts:
        if not layer.trainable:
            assert not any(p.grad.any() for p in layer.parameters)


@QUICK
@given(recipe=RECIPES, where=st.integers(0, 99))
def test_a_model_may_be_cut_in_two(recipe, where):
    fc.utils.clear_session()
    model = with_values(cook(recipe, fc, "float64"))
    tensors = [t for node in model.traced.nodes for t in node.outputs]
    if not tensors:
        return
    cut = tensors[where % len(tensors)]
    head, tail = fc.Model(model.inputs, cut), fc.Model([cut, *model.inputs], model.outputs)
    xs = samples(model, 3)
    for a, b in zip(_listed(tail.predict([head.predict(xs), *xs])), _listed(model.predict(xs)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
