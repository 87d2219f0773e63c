"""Whole networks beside PyTorch: the same weights and data, several steps, float64; losses and weights agree."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.peers


def lenet():
    return fc.Sequential([
        fc.Input((28, 28, 1)),
        layers.Conv2D(6, 5, padding="same", activation="tanh", dtype="float64"),
        layers.AveragePooling2D(2, dtype="float64"),
        layers.Conv2D(16, 5, activation="tanh", dtype="float64"), layers.AveragePooling2D(2, dtype="float64"),
        layers.Flatten(dtype="float64"), layers.Dense(120, activation="tanh", dtype="float64"),
        layers.Dense(84, activation="tanh", dtype="float64"), layers.Dense(10, dtype="float64")])


def torch_lenet():
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10)).double()


def normalized():
    return fc.Sequential([
        fc.Input((10, 9, 3)),
        layers.Conv2D(7, 3, strides=2, padding=1, use_bias=False, dtype="float64"),
        layers.BatchNormalization(momentum=0.9, epsilon=1e-5, dtype="float64"), layers.ReLU(dtype="float64"),
        layers.Conv2D(14, 3, groups=7, dilation_rate=2, padding=2, activation="silu", dtype="float64"),
        layers.MaxPooling2D(3, strides=2, padding=1, dtype="float64"),
        layers.GlobalAveragePooling2D(dtype="float64"), layers.Dense(5, dtype="float64")])


def torch_normalized():
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(3, 7, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(7, momentum=0.1, eps=1e-5), nn.ReLU(),
        nn.Conv2d(7, 14, 3, groups=7, dilation=2, padding=2), nn.SiLU(), nn.MaxPool2d(3, 2, 1),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(14, 5)).double()


def to_torch(model, other):
    """Put our weights into PyTorch's network, in its order of dimensions; (H, W, C) features become (C, H, W)."""
    flattened = None
    for layer in model.layers:
        if isinstance(layer, layers.Flatten):
            flattened = layer.input_shape[1:]
    modules = iter([m for m in other if list(m.parameters())])
    for layer in model.layers:
        if not layer.weights:
            continue
        module, values = next(modules), layer.get_weights()
        if isinstance(layer, layers.BatchNormalization):
            targets = module.weight, module.bias, module.running_mean, module.running_var
            for target, value in zip(targets, values, strict=True):
                target.data[...] = torch.tensor(value)
            continue
        kernel = values[0]
        if kernel.ndim == 4:
            kernel = kernel.transpose(3, 2, 0, 1)
        else:
            if flattened is not None:
                kernel = kernel.reshape(*flattened, -1).transpose(2, 0, 1, 3).reshape(kernel.shape)
                flattened = None
            kernel = kernel.T
        module.weight.data[...] = torch.tensor(np.ascontiguousarray(kernel))
        if len(values) > 1:
            module.bias.data[...] = torch.tensor(values[1])


OPTIMIZERS = {
    # PyTorch adds epsilon to a corrected square root: with a tiny one the two formulas are one.
    "adam": (lambda: fc.optimizers.Adam(1e-3, epsilon=1e-14), lambda p: torch.optim.Adam(p, 1e-3, eps=1e-14)),
    "sgd": (lambda: fc.optimizers.SGD(0.05), lambda p: torch.optim.SGD(p, 0.05)),
    "nesterov": (lambda: fc.optimizers.SGD(0.02, 0.9, True),
                 lambda p: torch.optim.SGD(p, 0.02, momentum=0.9, nesterov=True)),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(("ours", "theirs"), [(lenet, torch_lenet), (normalized, torch_normalized)],
                         ids=["lenet", "batch normalization"])
def test_training_is_pytorchs_step_by_step(ours, theirs, optimizer):
    fc.utils.set_random_seed(5)
    model, other = ours(), theirs()
    to_torch(model, other)
    make, make_other = OPTIMIZERS[optimizer]
    model.compile(make(), fc.losses.SparseCategoricalCrossentropy(from_logits=True))
    stepper = make_other(other.parameters())
    draw = np.random.default_rng(1)
    shape, classes = model.input_shape[1:], model.output_shape[-1]
    for _ in range(8):
        x, y = draw.standard_normal((16, *shape)), draw.integers(0, classes, 16)
        found = model.train_on_batch(x, y)
        stepper.zero_grad()
        loss = torch.nn.functional.cross_entropy(other(torch.tensor(x).permute(0, 3, 1, 2)), torch.tensor(y))
        loss.backward()
        stepper.step()
        assert found == pytest.approx(loss.item(), rel=1e-9)
    other.eval()
    x = draw.standard_normal((6, *shape))
    if ours is normalized:  # PyTorch's running variance is divided by the count less one: take ours for both
        other[1].running_var.data[...] = torch.tensor(model.layers[1].moving_variance.numpy())
    np.testing.assert_allclose(model.predict(x), other(torch.tensor(x).permute(0, 3, 1, 2)).detach().numpy(),
                               rtol=1e-7, atol=1e-9)
