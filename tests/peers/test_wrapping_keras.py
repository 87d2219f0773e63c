"""Spectral normalization and penalties on activities beside Keras's; randomized slopes beside PyTorch's."""

import numpy as np
import pytest

import fastcnn as fc

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")]
keras = pytest.importorskip("keras")
torch = pytest.importorskip("torch")

DRAW = np.random.default_rng(0)
X, Y = DRAW.standard_normal((8, 6, 6, 2)).astype("float32"), DRAW.standard_normal((8, 3)).astype("float32")


def model_of(library):
    make = library.layers
    model = library.Sequential([
        library.Input((6, 6, 2)), make.SpectralNormalization(make.Convolution2D(4, 3), power_iterations=2),
        make.Activation("relu"), make.Identity(), make.ActivityRegularization(l1=0.01, l2=0.02), make.Flatten(),
        make.SpectralNormalization(make.Dense(3))])
    model.compile(library.optimizers.SGD(0.05), "mse")
    return model


def test_a_training_leaves_keras_s_kernels_and_vectors():
    keras.utils.set_random_seed(1)
    theirs, ours = model_of(keras), model_of(fc)
    ours.set_weights(theirs.get_weights())
    found, expected = (model.fit(X, Y, batch_size=4, epochs=3, shuffle=False, verbose=0).history["loss"]
                       for model in (ours, theirs))
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(ours.predict(X, verbose=0), theirs.predict(X, verbose=0), rtol=1e-3, atol=1e-5)


def test_randomized_slopes_are_pytorch_s():
    """Means in prediction; in training the same distribution, of the slopes and of their gradients."""
    x = -np.ones((100_000,), "float32")
    theirs = torch.nn.RReLU()
    np.testing.assert_allclose(fc.layers.RReLU().predict(X), theirs.eval()(torch.tensor(X)).numpy(), rtol=1e-6)
    ours = fc.layers.RReLU(seed=1)
    y, backward = ours.forward(x[:, None])
    given = torch.tensor(x, requires_grad=True)
    told = theirs.train()(given)
    told.sum().backward()
    for mine, other in ((-y[:, 0], -told.detach().numpy()), (backward(np.ones_like(y))[:, 0], given.grad.numpy())):
        quantiles = np.linspace(0, 1, 21)
        np.testing.assert_allclose(np.quantile(mine, quantiles), np.quantile(other, quantiles), atol=3e-3)
    assert (ours.lower, ours.upper) == (theirs.lower, theirs.upper)
