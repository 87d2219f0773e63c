"""The order of layers and weights beside Keras's: the same random graph, made by both."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import fastcnn as fc
from tests.graph.recipes import RECIPES, cook, samples, with_values

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")]
keras = pytest.importorskip("keras")


def _names(model):
    """Return the layers' names, those of models inside too; Keras hides a Sequential's input as fastcnn does."""
    return [(layer.name, _names(layer)) if isinstance(layer, (fc.Model, keras.Model)) else layer.name
            for layer in model.layers]


@settings(max_examples=30, deadline=None, derandomize=True, database=None, report_multiple_bugs=False,
          suppress_health_check=[HealthCheck.too_slow])
@given(recipe=RECIPES)
def test_layers_and_weights_stand_in_keras_s_order(recipe):
    fc.utils.clear_session()
    keras.backend.clear_session()
    theirs, ours = cook(recipe, keras), with_values(cook(recipe, fc))
    assert _names(ours) == _names(theirs)
    assert ours.output_shape == (tuple(theirs.output_shape) if isinstance(theirs.output_shape, list)
                                 else theirs.output_shape)
    weights = ours.get_weights()
    assert [w.shape for w in weights] == [w.shape for w in theirs.get_weights()]
    assert ours.count_params() == theirs.count_params()
    assert [len(ours.trainable_weights), len(ours.non_trainable_weights)] == [
        len(theirs.trainable_weights), len(theirs.non_trainable_weights)]
    theirs.set_weights(weights)
    xs = samples(ours, 2)
    found, expected = (model.predict(xs if len(xs) > 1 else xs[0], verbose=0) for model in (ours, theirs))
    for a, b in zip(*(y if isinstance(y, list) else [y] for y in (found, expected)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4 * max(1, np.abs(b).max()))
