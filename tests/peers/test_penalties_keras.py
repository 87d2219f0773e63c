"""Penalties on layers' outputs beside Keras's: what they add to losses, and where their gradients go."""

import numpy as np
import pytest

import fastcnn as fc

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")]
keras = pytest.importorskip("keras")

DRAW = np.random.default_rng(0)
X, Y = DRAW.standard_normal((6, 5)).astype("float32"), DRAW.standard_normal((6, 2)).astype("float32")


def chain(library):
    make, inputs = library.layers, library.Input((5,))
    x = make.Dense(4, activity_regularizer=library.regularizers.L2(0.1), kernel_regularizer="l2")(inputs)
    x = make.ReLU(activity_regularizer="l1")(make.BatchNormalization()(x))
    return library.Model(inputs, make.Dense(2, activation="tanh")(make.Dropout(0.0)(x)))


def beside(library):
    """The second output, of which the penalty is all that is asked, has a branch of its own."""
    make, inputs = library.layers, library.Input((5,))
    shared = make.Dense(4, activation="tanh")(inputs)
    other = make.Dense(3, activity_regularizer=library.regularizers.L2(0.1))(make.Dense(3)(shared))
    return library.Model(inputs, [make.Dense(2)(shared), other])


def both(kind):
    keras.utils.set_random_seed(1)
    theirs, ours = kind(keras), kind(fc)
    ours.set_weights(theirs.get_weights())
    for library, model in ((keras, theirs), (fc, ours)):
        model.compile(library.optimizers.SGD(0.1), "mse" if kind is chain else ["mse", None])
    return theirs, ours


@pytest.mark.parametrize("kind", [chain, beside])
def test_penalties_join_what_is_trained_and_what_is_told(kind):
    theirs, ours = both(kind)
    y = Y if kind is chain else [Y, None]
    told, right = (np.atleast_1d(model.evaluate(X, y, batch_size=4, verbose=0))[0] for model in (ours, theirs))
    np.testing.assert_allclose(told, right, rtol=1e-5)
    found, expected = (model.fit(X, y, batch_size=3, epochs=2, shuffle=False, validation_data=(X, y), verbose=0).history
                       for model in (ours, theirs))
    for name in ("loss", "val_loss"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-5)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
