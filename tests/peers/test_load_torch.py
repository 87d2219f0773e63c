"""Models that PyTorch exports, by both of its exporters, become models that compute what PyTorch computes."""

import warnings

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

import torch
from torch import nn
from torch.nn import functional

import fastcnn as fc

pytestmark = pytest.mark.peers


class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.a = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.b = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)

    def forward(self, x):
        return functional.relu(x + self.b(functional.relu6(self.norm(self.a(x)))))


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.block, self.head = nn.Conv2d(3, 8, 3, stride=2), Block(8), nn.Linear(8 * 6 * 6, 10)

    def forward(self, x):
        x = functional.max_pool2d(self.block(self.stem(x)), 3, 2, 1, ceil_mode=True)
        return functional.log_softmax(self.head(x.flatten(1)), 1)


class Shuffle(nn.Module):
    """ShuffleNet's: channels are dealt out anew, half of them go on."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(6, 8, 1), nn.Conv2d(4, 6, 1)

    def forward(self, x):
        x = self.a(x)
        n, c, h, w = x.shape
        one, two = x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w).chunk(2, 1)
        return torch.cat([self.b(one), two], 1)


class Gated(nn.Module):
    """MobileNet v3's and EfficientNet's: the channels' means gate them."""

    def __init__(self):
        super().__init__()
        self.conv, self.a, self.b = nn.Conv2d(3, 8, 3), nn.Linear(8, 4), nn.Linear(4, 8)

    def forward(self, x):
        x = functional.silu(self.conv(x))
        gate = torch.sigmoid(self.b(functional.gelu(self.a(x.mean((2, 3))))))
        return functional.hardswish(x * gate[:, :, None, None])


class Across(nn.Module):
    """U-Net's: down, up, and across."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
        self.up, self.out = nn.ConvTranspose2d(8, 8, 2, stride=2), nn.Conv2d(16, 2, 1)

    def forward(self, x):
        a = functional.leaky_relu(self.a(x), 0.1)
        b = functional.max_pool2d(self.b(functional.avg_pool2d(a, 2)), 2)
        return self.out(torch.cat([a, self.up(functional.interpolate(b, scale_factor=2, mode="bilinear"))], 1))


class Next(nn.Module):
    """ConvNeXt's: channels last for the normalization and the products, and a learned scale."""

    def __init__(self):
        super().__init__()
        self.stem, self.conv = nn.Conv2d(3, 8, 4, stride=4), nn.Conv2d(8, 8, 7, padding=3, groups=8)
        self.norm, self.a, self.b = nn.LayerNorm(8), nn.Linear(8, 32), nn.Linear(32, 8)
        self.scale, self.head = nn.Parameter(torch.randn(8)), nn.Linear(8, 5)

    def forward(self, x):
        x = self.stem(x)
        y = self.b(functional.gelu(self.a(self.norm(self.conv(x).permute(0, 2, 3, 1))))) * self.scale
        x = x + y.permute(0, 3, 1, 2)
        return self.head(functional.layer_norm(x.mean([-2, -1]), (8,)))


class Parts(nn.Module):
    """Normalized images, clipped, cut, split and squeezed."""

    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 8, 3), nn.Linear(8, 5)

    def forward(self, x):
        mean, deviation = (torch.tensor(v).view(1, 3, 1, 1) for v in ([0.1, 0.2, 0.3], [0.5, 0.6, 0.7]))
        x = torch.clamp(self.conv((x - mean) / deviation), -1, 2)[:, :, 1:, ::2]
        a, b = x.split([3, 5], 1)
        return self.head(functional.adaptive_avg_pool2d(torch.cat([a * a, -b], 1), 1).squeeze(-1).squeeze(-1))


class Sizes(nn.Module):
    """Every way of PyTorch's to make images larger or smaller, one after the other."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x):
        x = functional.interpolate(self.conv(x), scale_factor=1.7, mode="bilinear")
        x = functional.interpolate(x, (13, 9), mode="bicubic", align_corners=True)
        x = functional.interpolate(x, size=(7, 10), mode="bilinear", align_corners=True)
        return functional.interpolate(x, scale_factor=2.5)


class Exact(nn.Module):
    """What the new exporter writes with indices: nearest-exact, antialias, channels by index, windows of any place."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x):
        x = functional.interpolate(self.conv(x), (9, 5), mode="nearest-exact")
        x = functional.interpolate(x, (4, 7), mode="bilinear", antialias=True)[:, [2, 0, 0, 3, 1]]
        return functional.adaptive_avg_pool2d(x, (3, 4))


class Borders(nn.Module):
    """Borders of all kinds, around images and channels, and parts in the other order."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"), nn.Conv2d(6, 4, 3)

    def forward(self, x):
        x = functional.pad(self.a(x), (2, 1, 0, 3), "circular")
        x = self.b(functional.pad(x, (-1, 2, 1, -1, 0, 2), value=0.5))
        x = functional.max_pool2d(functional.pad(x, (0, 1, 0, 1), value=float("-inf")), 2, 1)
        x = torch.cat([x.flip(1), torch.roll(x, 1, 3), x[:, [3, 1, 0, 2]]], 1).flip((2, 3))
        return functional.pad(x.repeat(1, 2, 1, 2), (1, 2, 3, 0), "replicate")


class Halves(nn.Module):
    """ShuffleNet's of 2018, for a batch of one: halves of the channels by index, and channels-last pooling."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.head = nn.Conv2d(3, 8, 3), nn.Conv2d(4, 4, 1), nn.Linear(8, 3)

    def forward(self, x):
        x = self.a(x)
        n, c, h, w = x.shape
        x = x.reshape(n * c // 2, 2, h * w).permute(1, 0, 2).reshape(2, -1, c // 2, h, w)
        x = torch.cat([x[0], self.b(x[1])], 1)
        return self.head(x.to(memory_format=torch.channels_last).mean((2, 3)))


NETWORKS = {
    "residual": (Residual, (3, 22, 22)), "shuffle": (Shuffle, (6, 5, 5)), "gated": (Gated, (3, 9, 9)),
    "across": (Across, (3, 16, 16)), "next": (Next, (3, 32, 32)), "parts": (Parts, (3, 9, 9)),
    "sizes": (Sizes, (3, 8, 7)), "exact": (Exact, (3, 8, 7)), "borders": (Borders, (3, 6, 7)),
    "halves": (Halves, (3, 6, 5)),
    "norms": (lambda: nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.GroupNorm(4, 8), nn.PReLU(8), nn.InstanceNorm2d(8, affine=True), nn.Hardsigmoid(),
        nn.Mish(), nn.ELU()), (3, 8, 8)),
    "pixels": (lambda: nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.PixelShuffle(2), nn.ReflectionPad2d(1), nn.PixelUnshuffle(2),
        nn.Upsample(scale_factor=2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3), nn.Softmax(1)), (3, 8, 8)),
    "signals": (lambda: nn.Sequential(
        nn.Conv1d(3, 8, 3, stride=2, padding=1), nn.BatchNorm1d(8), nn.ReLU(), nn.AvgPool1d(2),
        nn.ConvTranspose1d(8, 4, 3, stride=2, output_padding=1)), (3, 17)),
    "volumes": (lambda: nn.Sequential(
        nn.Conv3d(2, 4, 3, padding=1), nn.ReLU(), nn.MaxPool3d(2), nn.ConvTranspose3d(4, 2, 2, stride=2)),
        (2, 6, 6, 6)),
    "vectors": (lambda: nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 3)), (5,)),
}


def exported(network, x, path, new, **how):
    if new:
        pytest.importorskip("onnxscript")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporters, about themselves
        torch.onnx.export(network, (x,), path, dynamo=new, verbose=False, **how)
    return path


def turned(x):
    return np.ascontiguousarray(np.moveaxis(x, 1, -1)) if x.ndim > 2 else x


# The old exporter has neither nearest-exact nor antialias.
EXPORTED = [(name, new) for name in NETWORKS for new in (False, True) if new or name != "exact"]


@pytest.mark.parametrize(("name", "new"), EXPORTED, ids=lambda v: {False: "torchscript", True: "dynamo"}.get(v, v))
def test_a_network_exported_by_pytorch(name, new, tmp_path):
    torch.manual_seed(1)
    make, shape = NETWORKS[name]
    network = make().eval()
    of_batch = (lambda x: torch.cat([network(one[None]) for one in x])) if name == "halves" else network
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
            norm.running_mean.normal_(0, 0.3)
            norm.running_var.uniform_(0.5, 1.5)
    model = fc.onnx.load(exported(network, torch.randn(1, *shape), tmp_path / "m.onnx", new))
    x = torch.randn(3, *shape, requires_grad=True)  # the file says a batch of 1
    y = of_batch(x)
    dy = torch.randn(y.shape)
    y.backward(dy)
    got = model.predict(turned(x.detach().numpy()))
    largest = max(1, float(y.detach().abs().max()))
    np.testing.assert_allclose(got, turned(y.detach().numpy()), rtol=0, atol=1e-5 * largest)
    for layer in model.layers:
        layer.trainable = not isinstance(layer, fc.layers.BatchNormalization)  # with PyTorch's, in eval mode
    _, backward = model.forward(turned(x.detach().numpy()))
    dx = backward(turned(dy.numpy()))
    np.testing.assert_allclose(dx, turned(x.grad.numpy()), rtol=0, atol=2e-5 * max(1, float(x.grad.abs().max())))


def test_a_free_batch(tmp_path):
    network = Residual().eval()
    path = exported(network, torch.randn(2, 3, 22, 22), tmp_path / "m.onnx", False, input_names=["x"],
                    dynamic_axes={"x": {0: "n"}})
    x = torch.randn(5, 3, 22, 22)
    with torch.no_grad():
        want = network(x).numpy()
    np.testing.assert_allclose(fc.onnx.load(path).predict(turned(x.numpy())), want, atol=1e-5)
