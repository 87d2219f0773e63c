"""What an optimizer leaves behind, besides new values."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn.parameters import Parameter

names = pytest.mark.parametrize("name", fc.optimizers.names)


def _built(name):
    parameters = [Parameter(np.ones(shape, kind), "p", f"p{shape}", True)
                  for shape, kind in (((3, 4), np.float32), ((5,), np.float64))]
    optimizer = fc.optimizers.get(name)
    optimizer.build(parameters)
    for p in parameters:
        p.gradient[...] = np.arange(p.size).reshape(p.shape)
    return optimizer, parameters


@names
def test_gradients_can_be_read_after_a_step_unless_it_clears_them(name):
    (kept, parameters), (clearing, others) = _built(name), _built(name)
    kept.step()
    clearing.step(clear=True)
    for p, other in zip(parameters, others, strict=True):
        np.testing.assert_array_equal(p.grad.reshape(-1), np.arange(p.size))
        np.testing.assert_array_equal(other.grad, 0)
        np.testing.assert_array_equal(p.value, other.value)
        assert p.version == other.version
