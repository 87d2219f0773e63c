"""Every law over every row of the table of layers."""

import inspect

import numpy as np
import pytest

from fastcnn import layers
from tests import checks


@pytest.mark.parametrize(("kind", "case"), checks.ROWS, ids=lambda v: v if isinstance(v, str) else v.name)
def test_a_layer_obeys_the_laws(kind, case, two_threads):
    assert type(case.layer()).__name__ == kind
    for law in checks.LAWS:
        law(case)
    checks.any_number_of_threads(case, two_threads)


@pytest.mark.parametrize(("kind", "case"), checks.ROWS, ids=lambda v: v if isinstance(v, str) else v.name)
def test_a_layer_obeys_them_in_float32(kind, case):
    assert type(case.layer()).__name__ == kind
    for law in checks.LAWS_UNDER["float32"]:
        law(case.under("float32"))


@pytest.mark.parametrize(("kind", "case"), checks.ROWS, ids=lambda v: v if isinstance(v, str) else v.name)
def test_a_layer_obeys_them_under_mixed_bfloat16(kind, case, two_threads):
    pytest.importorskip("ml_dtypes")
    case = case.under("mixed_bfloat16")
    assert case.layer().dtype_policy.name == case.policy
    for law in checks.LAWS_UNDER[case.policy]:
        law(case)
    checks.any_number_of_threads(case, two_threads)


def test_every_layer_has_a_row():
    classes = [getattr(layers, name) for name in layers.__all__ if inspect.isclass(getattr(layers, name))]
    public = {cls.__name__ for cls in classes if issubclass(cls, layers.Layer)} - {"Layer"}  # an alias is no layer
    assert public == set(checks.TABLE)


def test_packed_weights_are_kept_until_a_parameter_changes():
    layer, x = layers.Conv2D(5, 3), np.random.default_rng(0).standard_normal((2, 6, 6, 3)).astype(np.float32)
    first = layer.predict(x)
    step, kept = next(item for item in layer.kernel.derived.items() if type(item[1]) is tuple)
    np.testing.assert_array_equal(layer.predict(x), first)
    assert layer.kernel.derived[step][1] is kept[1]
    layer.kernel.assign(2 * layer.kernel.value)
    np.testing.assert_allclose(layer.predict(x), 2 * first, rtol=1e-6, atol=1e-6)
    layer.bias.assign(layer.bias.value + 1)
    np.testing.assert_allclose(layer.predict(x), 2 * first + 1, rtol=1e-5, atol=1e-5)
    layer.forward(x)
    assert not layer.kernel.derived, "training lets them go"
