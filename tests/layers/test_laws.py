"""Every law over every row of the table of layers."""

import inspect

import pytest

from fastcnn import layers
from tests import checks


@pytest.mark.parametrize(("kind", "case"), checks.ROWS, ids=lambda v: v if isinstance(v, str) else v.name)
def test_a_layer_obeys_the_laws(kind, case, two_threads):
    assert type(case.layer()).__name__ == kind
    for law in checks.LAWS:
        law(case)
    checks.any_number_of_threads(case, two_threads)


def test_every_layer_has_a_row():
    aliases = {"MaxPool2D", "AvgPool2D"}
    public = {name for name in layers.__all__ if inspect.isclass(getattr(layers, name))
              and issubclass(getattr(layers, name), layers.Layer)} - aliases - {"Layer"}
    assert public == set(checks.TABLE)
