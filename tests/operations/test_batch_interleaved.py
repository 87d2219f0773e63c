"""A run of narrow stages with images in the lanes, beside the stages one after the other."""

import numpy as np
import pytest

from fastcnn import geometry
from fastcnn.kernels import codes
from fastcnn.operations.batch_interleaved import batch_interleaved
from tests import reference
from tests.operations.checking import look_over, normal

SHAPE = (11, 7, 6, 2)
STAGES = (geometry.LaneStage(3, (3, 3), "same", True, codes.TANH, 0.0, geometry.AVERAGE_POOL, (2, 2)),
          geometry.LaneStage(4, (2, 2), "valid", False, codes.LINEAR, 0.0, geometry.NO_POOL, (1, 1)))
G = geometry.lanes(SHAPE, STAGES)
Y_SHAPE = (11, 2, 2, 4)


def test_stages_follow_one_another_and_their_gradients_are_slopes():
    def run(x, weights):
        y, back = batch_interleaved(x, weights, G, Y_SHAPE)

        def backward(dy):
            dweights = np.zeros_like(weights)
            return back(dy, dweights), dweights

        return y, backward

    weights = normal(int(G[0]["weights"]), seed=1)
    look_over(run, normal(*SHAPE), weights, expected=lambda x, w: reference.lanes_forward(x, w, G))


@pytest.mark.parametrize("wants_dx", [True, False])
def test_gradients_are_added_to_and_that_of_the_input_is_made_if_somebody_wants_it(wants_dx):
    x, weights, dy = normal(*SHAPE), normal(int(G[0]["weights"]), seed=1), normal(*Y_SHAPE, seed=2)
    dx, expected = reference.lanes_backward(dy, x, weights, G)
    _, back = batch_interleaved(x, weights, G, Y_SHAPE, wants_dx)
    dweights = np.ones_like(weights)
    found = back(dy, dweights)
    np.testing.assert_allclose(dweights, 1 + expected, rtol=1e-11, atol=1e-11)
    if wants_dx:
        np.testing.assert_allclose(found, dx, rtol=1e-11, atol=1e-11)
    else:
        assert found is None
