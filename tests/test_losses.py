"""Losses beside one another: from logits, from probabilities, and from the logits of a softmax in one kernel."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn.layers import Softmax

N, CLASSES = 6, 5
LOGITS = np.random.default_rng(0).standard_normal((N, CLASSES))
TARGETS = {
    "sparse_categorical_crossentropy": np.array([0, 4, 2, 2, 1, 3]),
    "categorical_crossentropy": np.random.default_rng(1).dirichlet(np.ones(CLASSES), N),
}
names = pytest.mark.parametrize("name", TARGETS)
types = pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 2e-6), ("float64", 1e-12)])


@types
@names
def test_a_loss_of_a_softmax_is_the_loss_of_its_logits_in_one_kernel(name, dtype, tolerance):
    x, y = LOGITS.astype(dtype), TARGETS[name]
    loss = fc.losses.get(name)
    probabilities, back = Softmax(dtype=dtype).forward(x)
    losses, gradient = loss.forward(y, probabilities)
    got = loss.forward_from_logits(y, x)
    for a, b in zip(got, (losses, back(gradient), probabilities), strict=True):
        assert a.dtype == dtype
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)
    without = loss.forward_from_logits(y, x, wants_probabilities=False)
    assert without[2] is None
    for a, b in zip(without[:2], got[:2], strict=True):
        np.testing.assert_array_equal(a, b)
    from_logits = type(loss)(from_logits=True).forward(y, x)
    for a, b in zip(from_logits, got[:2], strict=True):
        np.testing.assert_array_equal(a, b)


@names
def test_only_a_loss_of_probabilities_follows_a_softmax(name):
    kind = type(fc.losses.get(name))
    assert kind().follows_softmax
    assert not kind(from_logits=True).follows_softmax
    assert not fc.losses.get("mse").follows_softmax
    assert not fc.losses.get("binary_crossentropy").follows_softmax


@names
def test_the_logits_of_a_softmax_are_not_clipped(name):
    y = np.eye(2)[[1]] if name == "categorical_crossentropy" else np.array([1])
    loss = fc.losses.get(name)
    losses, gradient, _ = loss.forward_from_logits(y, np.array([[50.0, 0.0]]))
    assert losses == pytest.approx(50)
    np.testing.assert_allclose(gradient, [[1, -1]], rtol=1e-12)
    clipped, nothing = loss.forward(y, np.array([[1.0, 0.0]]))
    assert clipped == pytest.approx(-np.log(1e-7))
    np.testing.assert_array_equal(nothing, 0)


@names
def test_logits_of_another_rank_or_number_are_refused(name):
    loss, y = fc.losses.get(name), TARGETS[name]
    with pytest.raises(fc.errors.ArgumentError, match=r"expected logits \(N, classes\), got \(6, 1, 5\)"):
        loss.forward_from_logits(y, LOGITS[:, None])
    with pytest.raises(fc.errors.ArgumentError, match="expected"):
        loss.forward_from_logits(y[:3], LOGITS)
