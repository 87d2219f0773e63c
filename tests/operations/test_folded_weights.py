"""Weights with normalizations folded in are held only while a kernel wants them."""

import numpy as np

import fastcnn as fc
from fastcnn import layers
from fastcnn.operations.folded_weights import FoldedWeights
from fastcnn.parameters import Parameter


def test_a_value_that_was_let_go_is_made_again():
    made = []

    def make():
        made.append(np.full((2, 3), 7, np.float32))
        return made[-1]

    like = Parameter(np.zeros((2, 3), np.float32), "kernel", "conv/kernel")
    weights = FoldedWeights(make, like, "kernel", "conv/folded_kernel")
    assert weights.array is made[0]
    weights.let_go()
    assert (weights.shape, weights.dtype, len(made)) == ((2, 3), np.float32, 1), "asking for its shape makes nothing"
    np.testing.assert_array_equal(weights.value, made[0])
    assert len(made) == 2


def test_folded_filters_are_let_go_once_they_are_packed_and_made_again_for_another_kernel():
    model = fc.Sequential([fc.Input((12, 12, 16)), layers.Conv2D(32, 3, use_bias=False), layers.BatchNormalization()])
    model.layers[-1].set_weights([w + 0.5 for w in model.layers[-1].get_weights()])
    rng = np.random.default_rng(0)
    node = model._executable.get(1, predicts=True).steps[0].node
    for n in (1, 1, 1, 9, 9, 1, 30, 30):
        x = rng.random((n, 12, 12, 16), np.float32)
        expected = x
        for layer in model.layers:
            expected = layer.predict(expected)
        np.testing.assert_allclose(model._executable._infer([x])[0], expected, atol=2e-5)
    assert node.weights()[0]._array is None
    model.layers[-1].set_weights([w + 0.5 for w in model.layers[-1].get_weights()])
    expected = model.layers[1].predict(model.layers[0].predict(x))
    np.testing.assert_allclose(model._executable._infer([x])[0], expected, atol=2e-5)
