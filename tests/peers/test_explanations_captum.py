"""Saliency, guided gradients, Grad-CAM and occlusion beside captum, of the same network in PyTorch."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.vision import explanations

torch = pytest.importorskip("torch")
pytest.importorskip("captum")


@pytest.fixture(scope="module")
def both():
    """Return the network of fastcnn, that of PyTorch with its convolution, and pictures (N, H, W, C)."""
    fc.utils.set_random_seed(5)
    model = fc.Sequential([
        fc.Input((12, 12, 3)), layers.Conv2D(6, 3, activation="relu"), layers.MaxPooling2D(2),
        layers.Conv2D(8, 3, activation="relu", name="last"), layers.GlobalAveragePooling2D(),
        layers.Dense(4, activation="softmax")])
    first, second, dense = (torch.nn.Conv2d(3, 6, 3), torch.nn.Conv2d(6, 8, 3), torch.nn.Linear(8, 4))
    for own, other in zip((model.layers[0], model.layers[2]), (first, second), strict=True):
        other.weight.data = torch.from_numpy(own.kernel.value.transpose(3, 2, 0, 1).copy())
        other.bias.data = torch.from_numpy(own.bias.value.copy())
    dense.weight.data = torch.from_numpy(model.layers[-1].kernel.value.T.copy())
    dense.bias.data = torch.from_numpy(model.layers[-1].bias.value.copy())
    last = torch.nn.Sequential(second, torch.nn.ReLU())
    peer = torch.nn.Sequential(first, torch.nn.ReLU(), torch.nn.MaxPool2d(2), last, torch.nn.AdaptiveAvgPool2d(1),
                               torch.nn.Flatten(), dense)
    x = np.random.default_rng(0).standard_normal((3, 12, 12, 3)).astype(np.float32)
    return model, peer, last, x


def _tensor(x):
    return torch.from_numpy(x.transpose(0, 3, 1, 2).copy())


def _agree(found, expected):
    np.testing.assert_allclose(found, expected, atol=2e-5 * abs(expected).max())


def test_saliency_and_guided_gradients_are_captums(both):
    from captum.attr import GuidedBackprop, Saliency

    model, peer, _, x = both
    expected = Saliency(peer).attribute(_tensor(x).requires_grad_(), target=[0, 1, 2]).numpy()
    _agree(explanations.saliency(model, x, [0, 1, 2]), expected.max(1))
    with pytest.warns(UserWarning, match="hooks"):
        guided = GuidedBackprop(peer).attribute(_tensor(x).requires_grad_(), target=[0, 1, 2]).detach().numpy()
    _agree(explanations.guided_gradients(model, x, [0, 1, 2]), guided.transpose(0, 2, 3, 1))


def test_grad_cam_is_captums(both):
    from captum.attr import LayerGradCam

    model, peer, last, x = both
    expected = LayerGradCam(peer, last).attribute(_tensor(x), target=[3, 1, 2], relu_attributions=True)
    _agree(explanations.grad_cam(model, x, [3, 1, 2], "last", resize=False), expected.detach().numpy()[:, 0])


def test_occlusion_is_captums(both):
    from captum.attr import Occlusion

    model, peer, _, x = both
    with torch.no_grad():
        expected = Occlusion(peer).attribute(_tensor(x), (3, 4, 4), strides=(3, 2, 2), target=1).numpy()
    _agree(explanations.occlusion(model, x, 1, window=4, stride=2), expected[:, 0])
