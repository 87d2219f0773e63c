"""Regularizers as a user meets them: names, configurations, values, gradients, errors."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import regularizers

W = np.random.default_rng(0).standard_normal((3, 4))
EACH = [(regularizers.L1(0.1), 0.1, 0), (regularizers.L2(0.2), 0, 0.2), (regularizers.L1L2(0.1, 0.3), 0.1, 0.3),
        (regularizers.get("l1"), 0.01, 0), (regularizers.get("l2"), 0, 0.01), (regularizers.get("l1_l2"), 0.01, 0.01)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("regularizer", "l1", "l2"), EACH, ids=lambda v: repr(v) if not isinstance(v, float) else "")
def test_a_regularizer_is_its_formula_and_adds_its_gradient(regularizer, l1, l2, dtype):
    w, gradient = W.astype(dtype), np.ones(W.shape, dtype)
    value = l1 * np.abs(w).sum(dtype=np.float64) + l2 * np.square(w.astype(np.float64)).sum()
    assert regularizer.value(w) == pytest.approx(value, rel=1e-7)
    assert regularizer(w) == regularizer.value(w)
    assert regularizer.add_gradient(gradient, w) == regularizer.value(w)
    np.testing.assert_allclose(gradient, 1 + l1 * np.sign(w) + 2 * l2 * w, rtol=1e-6)
    np.testing.assert_array_equal(w, W.astype(dtype))


@pytest.mark.parametrize(("regularizer", "l1", "l2"), EACH, ids=lambda v: repr(v) if not isinstance(v, float) else "")
def test_a_regularizer_survives_its_configuration(regularizer, l1, l2):
    assert regularizers.get(regularizers.serialize(regularizer)) == regularizer
    assert type(regularizer).from_config(regularizer.get_config()) == regularizer
    assert regularizers.get(regularizer) is regularizer


def test_none_is_no_regularizer():
    assert regularizers.get(None) is None
    assert regularizers.serialize(None) is None
    assert regularizers.L1(0.1) != regularizers.L2(0.1)


def test_what_is_no_regularizer_is_refused():
    with pytest.raises(fc.errors.ArgumentError, match=r"regularizer: 'l3' is not known; known are L1"):
        regularizers.get("l3")
    for wrong in (-0.1, np.nan, np.inf, "0.1", None, True):
        with pytest.raises(fc.errors.ArgumentError, match="L2: expected l2 to be a finite number of at least 0, got"):
            regularizers.L2(wrong)
