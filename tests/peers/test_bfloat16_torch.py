"""Products in bfloat16 beside PyTorch's autocast: outputs, gradients, and what some steps of training come to."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.layers import Call

torch = pytest.importorskip("torch")
ml_dtypes = pytest.importorskip("ml_dtypes")
pytestmark = pytest.mark.peers

MIXED = {"dtype": "mixed_bfloat16"}
STEP = 2.0**-7  # from 1 to the next number of bfloat16


def _autocast():
    return torch.autocast("cpu", torch.bfloat16)


def _double(tensor):
    return tensor.detach().to(torch.float64).numpy()


@pytest.mark.parametrize(("channels", "filters", "size", "stride", "padding"), [
    (3, 16, 7, 2, 3), (16, 32, 3, 1, 1), (64, 64, 3, 1, 1), (32, 48, 1, 1, 0), (24, 40, 3, 2, 1)])
def test_convolutions_and_their_gradients_are_those_of_autocast(channels, filters, size, stride, padding):
    draw = np.random.default_rng(0)
    x = draw.standard_normal((2, 14, 12, channels)).astype(np.float32)
    layer = layers.Conv2D(filters, size, strides=stride, padding=padding, use_bias=False, **MIXED)
    model = fc.Sequential([fc.Input(x.shape[1:]), layer])
    y, backward = model.forward(x, Call())
    dy = draw.standard_normal(y.shape).astype(np.float32)
    dx = backward(dy)
    images = torch.from_numpy(x.transpose(0, 3, 1, 2).copy()).requires_grad_()
    weights = torch.from_numpy(layer.kernel.numpy().transpose(3, 2, 0, 1).copy()).requires_grad_()
    with _autocast():
        expected = torch.nn.functional.conv2d(images, weights, stride=stride, padding=padding)
    expected.backward(torch.from_numpy(dy.transpose(0, 3, 1, 2).copy()).to(expected.dtype))
    # Theirs are rounded to bfloat16 once more: half a step of each number, and of sums near zero of what was summed.
    for ours, theirs in ((y, _double(expected).transpose(0, 2, 3, 1)), (dx, _double(images.grad).transpose(0, 2, 3, 1)),
                         (layer.kernel.grad, _double(weights.grad).transpose(2, 3, 1, 0))):
        np.testing.assert_allclose(ours, theirs, rtol=0.51 * STEP, atol=2e-3 * np.abs(theirs).max())


def test_some_steps_of_training_come_to_what_autocast_s_do():
    draw = np.random.default_rng(1)
    x, y = draw.standard_normal((64, 12, 12, 3)).astype(np.float32), draw.integers(0, 5, 64)
    model = fc.Sequential([
        fc.Input((12, 12, 3)), layers.Conv2D(16, 3, padding="same", activation="relu", **MIXED),
        layers.MaxPooling2D(2, **MIXED), layers.Conv2D(32, 3, padding="same", activation="relu", **MIXED),
        layers.GlobalAveragePooling2D(**MIXED), layers.Dense(5, **MIXED)])
    nn = torch.nn
    peer = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1),
                         nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 5))
    with torch.no_grad():
        for ours, theirs in zip((model.layers[0], model.layers[2], model.layers[4]), (peer[0], peer[3], peer[7]),
                                strict=True):
            kernel = ours.kernel.numpy()
            kernel = kernel.transpose(3, 2, 0, 1) if kernel.ndim == 4 else kernel.T
            theirs.weight.copy_(torch.from_numpy(kernel.copy()))
            theirs.bias.zero_()
    model.compile(fc.optimizers.SGD(0.1), fc.losses.SparseCategoricalCrossentropy(from_logits=True))
    optimizer, images = torch.optim.SGD(peer.parameters(), 0.1), torch.from_numpy(x.transpose(0, 3, 1, 2).copy())
    losses, expected = [], []
    for _ in range(8):
        losses.append(model.train_on_batch(x, y))
        optimizer.zero_grad()
        with _autocast():
            loss = nn.functional.cross_entropy(peer(images).float(), torch.from_numpy(y))
        loss.backward()
        optimizer.step()
        expected.append(loss.item())
    np.testing.assert_allclose(losses, expected, rtol=2e-3)
    assert losses[-1] < losses[0]
