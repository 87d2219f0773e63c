"""Losses of labels that compare all pairs of a batch, or forgive wrong ones; a penalty on pairs of vectors."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers, losses, regularizers
from fastcnn.errors import ArgumentError, DataError

DRAW = np.random.default_rng(0)
LABELS = np.array([0, 1, 0, 2, 1, 0, 3])
UNIT = fc.utils.normalize(DRAW.standard_normal((7, 4)))
CHANCES = DRAW.dirichlet(np.ones(4), 7)
MAKERS = {"circle": lambda **more: losses.Circle(gamma=5.0, **more), "far": lambda **more: losses.Circle(
    gamma=2.0, margin=0.1, remove_diagonal=False, **more),
    "generalized": lambda **more: losses.CategoricalGeneralizedCrossEntropy(0.7, **more)}


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
@pytest.mark.parametrize("weights", [None, np.arange(7) / 3], ids=["", "weighted"])
def test_the_gradient_is_that_of_the_reported_value(name, reduction, weights):
    x = {"generalized": CHANCES, "far": 0.9 * UNIT}.get(name, UNIT).copy()  # at 1 a sample's own distance has a kink
    loss = MAKERS[name](reduction=reduction)
    each, gradient = loss.forward(LABELS, x, sample_weight=weights)
    assert loss(LABELS, x, weights) == pytest.approx(each.mean())
    numeric = np.zeros_like(x)
    for index in np.ndindex(*x.shape):
        for sign in (1, -1):
            moved = x.copy()
            moved[index] += sign * 1e-6
            numeric[index] += sign * loss.forward(LABELS, moved, False, weights)[0].mean() / 2e-6
    np.testing.assert_allclose(gradient, numeric, rtol=1e-5, atol=1e-8)


def test_samples_of_one_class_come_together():
    fc.utils.set_random_seed(1)
    x, y = DRAW.standard_normal((24, 6)).astype("float32"), np.arange(24) % 3
    model = fc.Sequential([fc.Input((6,)), layers.Dense(16, activation="relu"), layers.Dense(3),
                           layers.UnitNormalization()])
    model.compile(fc.optimizers.Adam(0.02), losses.Circle(gamma=8.0))
    history = model.fit(x, y, batch_size=24, epochs=60, verbose=0).history["loss"]
    assert history[-1] < 0.5 * history[0]
    near = model.predict(x, verbose=0) @ model.predict(x, verbose=0).T
    same = y[:, None] == y
    assert near[same].mean() > near[~same].mean() + 0.5


def test_a_sample_without_a_neighbour_of_its_class_does_not_count():
    loss = losses.Circle(gamma=5.0)
    alone = losses.circle(LABELS, UNIT, gamma=5.0)
    assert alone[3] == alone[6] == 0
    assert loss(LABELS, UNIT) == pytest.approx(alone[alone > 0].mean())
    assert losses.Circle()([0, 1], UNIT[:2]) == 0


@pytest.mark.parametrize(("make", "error", "text"), [
    (lambda: losses.Circle(gamma=0), ArgumentError, "a positive gamma, got 0"),
    (lambda: losses.Circle()(LABELS[:3], UNIT), ArgumentError, r"expected outputs \(N, K\) and a label for each"),
    (lambda: losses.Circle()(LABELS, UNIT, [1.0, 2.0]), ArgumentError, "a weight for each of 7 samples"),
    (lambda: losses.CategoricalGeneralizedCrossEntropy(1.0), ArgumentError, "expected 0 < q < 1, got 1.0"),
    (lambda: losses.CategoricalGeneralizedCrossEntropy().check(LABELS, 3), DataError, "labels from 0 to 2"),
    (lambda: losses.Circle().check(LABELS + 0.5, 4), DataError, "integer labels"),
    (lambda: regularizers.OrthogonalRegularizer(mode="both"), ArgumentError, "mode: 'both' is not known"),
    (lambda: regularizers.OrthogonalRegularizer()(np.ones((2, 2, 2))), ArgumentError, "expected a matrix"),
])
def test_what_does_not_fit_is_refused(make, error, text):
    with pytest.raises(error, match=text):
        make()


@pytest.mark.parametrize("mode", ["rows", "columns"])
@pytest.mark.parametrize("shape", [(3, 5), (4, 2), (1, 1)])
def test_a_penalty_on_pairs_has_its_gradient(mode, shape):
    w, made = DRAW.standard_normal(shape), regularizers.OrthogonalRegularizer(0.3, mode)
    gradient, numeric = np.ones(shape), np.zeros(shape)
    assert made.add_gradient(gradient, w) == made.value(w)
    for index in np.ndindex(*shape):
        for sign in (1, -1):
            moved = w.copy()
            moved[index] += sign * 1e-6
            numeric[index] += sign * made.value(moved) / 2e-6
    np.testing.assert_allclose(gradient, 1 + numeric, atol=1e-7)
    assert regularizers.get(regularizers.serialize(made)) == made
    rows = w if mode == "rows" else w.T
    cosines = fc.utils.normalize(rows) @ fc.utils.normalize(rows).T
    pairs = np.abs(cosines[~np.eye(len(rows), dtype=bool)])
    assert made(w) == pytest.approx(0.3 * pairs.mean() if pairs.size else 0)
