"""Losses of labels, and the penalty on pairs of vectors, beside Keras's: values and gradients."""

import numpy as np
import pytest

import fastcnn as fc

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")]
keras = pytest.importorskip("keras")
torch = pytest.importorskip("torch")

DRAW = np.random.default_rng(0)
LABELS, WEIGHTS = np.array([0, 1, 0, 2, 1, 0, 3]), np.arange(1.0, 8.0).astype("float32")
UNIT = fc.utils.normalize(DRAW.standard_normal((7, 4))).astype("float32")
CHANCES = DRAW.dirichlet(np.ones(4), 7).astype("float32")
CASES = [("Circle", {"gamma": 8.0}, UNIT), ("Circle", {}, UNIT), ("Circle", {
    "gamma": 2.0, "margin": 0.1, "remove_diagonal": False}, UNIT),
    ("CategoricalGeneralizedCrossEntropy", {}, CHANCES), ("CategoricalGeneralizedCrossEntropy", {"q": 0.2}, CHANCES)]


@pytest.mark.parametrize(("name", "settings", "x"), CASES, ids=lambda v: v if isinstance(v, str) else "")
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["", "weighted"])
def test_values_and_gradients_are_kerass(name, settings, x, reduction, weights):
    ours, theirs = (getattr(m.losses, name)(reduction=reduction, **settings) for m in (fc, keras))
    given = torch.tensor(x, requires_grad=True)
    expected = theirs(torch.tensor(LABELS), given, None if weights is None else torch.tensor(weights))
    expected.backward()
    assert ours(LABELS, x, weights) == pytest.approx(float(expected.detach()), rel=1e-5)
    gradient = ours.forward(LABELS, x, sample_weight=weights)[1]
    known = given.grad.numpy()
    rows = np.isfinite(known).all(axis=1)  # Keras's own are NaN for samples without a neighbour
    np.testing.assert_allclose(gradient[rows], known[rows], rtol=1e-4, atol=1e-5 * max(1, np.abs(known[rows]).max()))
    assert rows.any() or name == "Circle"


@pytest.mark.parametrize("mode", ["rows", "columns"])
def test_the_penalty_on_pairs_is_kerass(mode):
    w = DRAW.standard_normal((5, 3)).astype("float32")
    ours, theirs = (m.regularizers.OrthogonalRegularizer(0.2, mode) for m in (fc, keras))
    given = torch.tensor(w, requires_grad=True)
    expected = theirs(given)
    expected.backward()
    gradient = np.zeros_like(w)
    assert ours.add_gradient(gradient, w) == pytest.approx(float(expected.detach()), rel=1e-5)
    np.testing.assert_allclose(gradient, given.grad.numpy(), rtol=1e-4, atol=1e-6)
    assert ours.get_config() == pytest.approx(theirs.get_config())
