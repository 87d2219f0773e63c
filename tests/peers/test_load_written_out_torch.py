"""Gates, heads and normalizations that PyTorch's exporters, or people, write out: what is loaded computes the same.

Each network has many of them side by side, since exporting is what takes the time here.
"""

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

import onnx
import torch
from torch import nn
from torch.nn import functional

import fastcnn as fc
from tests.peers.test_load_torch import exported, turned

pytestmark = pytest.mark.peers


class Branches(nn.Module):
    """A convolution, functions of it, and one output for each."""

    def __init__(self, functions):
        super().__init__()
        self.conv, self.functions = nn.Conv2d(3, 8, 3), functions
        self.parts = nn.ModuleList(function for function in functions if isinstance(function, nn.Module))

    def forward(self, x):
        x = self.conv(x)
        return tuple(function(x) for function in self.functions)


class ByHand(nn.Module):
    """ConvNeXt's normalization of channels-first images."""

    def __init__(self):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.randn(8)), nn.Parameter(torch.randn(8))

    def forward(self, x):
        centred = x - x.mean(1, keepdim=True)
        x = centred / torch.sqrt(centred.pow(2).mean(1, keepdim=True) + 1e-6)
        return self.weight[:, None, None] * x + self.bias[:, None, None]


class Response(nn.Module):
    """ConvNeXt v2's: lengths of channels against their mean (GRN)."""

    def __init__(self):
        super().__init__()
        self.gamma, self.beta = nn.Parameter(torch.randn(8)), nn.Parameter(torch.randn(8))

    def forward(self, x):
        x = x.permute(0, 2, 3, 1)
        lengths = torch.norm(x, p=2, dim=(1, 2), keepdim=True)
        scaled = x * (lengths / (lengths.mean(-1, keepdim=True) + 1e-6))
        return (self.gamma * scaled + self.beta + x).permute(0, 3, 1, 2)


class Standardized(nn.Conv2d):
    """Weights of mean 0 and deviation 1."""

    def forward(self, x):
        w = self.weight
        w = (w - w.mean((1, 2, 3), keepdim=True)) / (w.std((1, 2, 3), keepdim=True) + 1e-5)
        return functional.conv2d(x, w, self.bias)


def groups(x):
    x = x.reshape(2, 4, -1)
    x = (x - x.mean(2, keepdim=True)) / torch.sqrt(x.var(2, keepdim=True, unbiased=False) + 1e-5)
    return x.reshape(2, 8, 4, 3)


def tracked():
    norm = nn.InstanceNorm2d(8, affine=True, track_running_stats=True)
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2)
    return norm


GATES = [
    nn.Softplus(), nn.Softsign(), nn.LogSigmoid(), nn.Softshrink(), nn.Hardshrink(), nn.Hardswish(), nn.Hardsigmoid(),
    nn.Mish(), nn.GELU(approximate="tanh"), nn.Tanhshrink(), nn.CELU(),
    lambda x: x.clamp(max=1), lambda x: x.clamp(min=0), lambda x: x.clamp(-0.5, 0.7),
    lambda x: x * functional.relu6(x + 3) / 6, lambda x: torch.maximum(x, 0.2 * x),
    lambda x: torch.minimum(x, torch.ones(1)), lambda x: x / (1 + torch.exp(-x)), lambda x: functional.relu(x) ** 3,
    lambda x: 2 / (1 + x * x), lambda x: x.abs().sqrt(), lambda x: torch.where(x > 0.1, x, 0.1 * x * x),
    lambda x: torch.log1p(functional.relu(x)), lambda x: (4 * x).round() / 4, lambda x: x / x.abs().amax(1, True),
]
NORMS = [
    ByHand(), Response(), Standardized(8, 4, 3), tracked(), groups, nn.RMSNorm(3),
    lambda x: functional.normalize(x, dim=1),
    lambda x: x * torch.rsqrt(x.pow(2).mean(1, keepdim=True) + 1e-6),
    lambda x: (x - x.mean((1, 2, 3), keepdim=True)) / (x.std((1, 2, 3), keepdim=True) + 1e-5),
]
HEADS = [
    lambda x: x.argmax(1), lambda x: x.topk(2, 1)[0], lambda x: x.topk(2, 1)[1].float(), lambda x: x.std((2, 3)),
    lambda x: x.logsumexp((2, 3)), lambda x: (x.sigmoid() > 0.5).float(), lambda x: x.softmax(2),
    lambda x: x.log_softmax(1), lambda x: x.clamp(min=1e-6).pow(3).mean((2, 3)).pow(1 / 3),
    lambda x: x.mean((2, 3))[:, :, None, None].expand_as(x) + x,
    lambda x: torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1), nn.AdaptiveAvgPool2d(2), nn.AdaptiveAvgPool2d(3),
]
UNKNOWN_TO_THE_OLDER = nn.RMSNorm, nn.AdaptiveAvgPool2d


@pytest.mark.parametrize("new", [False, True], ids=["torchscript", "dynamo"])
@pytest.mark.parametrize("functions", [GATES, NORMS, HEADS], ids=["gates", "norms", "heads"])
def test_a_network_computes_what_it_did(functions, new, tmp_path):
    torch.manual_seed(0)
    kept = [f for f in functions if new or not isinstance(f, UNKNOWN_TO_THE_OLDER)]
    network, x = Branches(kept).eval(), torch.randn(2, 3, 6, 5)
    path = exported(network, x, tmp_path / "m.onnx", new)
    with torch.no_grad():
        wanted = [y.numpy() for y in network(x)]
    model = fc.onnx.load(path)
    again = fc.onnx.load(onnx.load(fc.onnx.export(model, tmp_path / "again.onnx")))
    for loaded in (model, again):
        for at, (got, want) in enumerate(zip(loaded.predict(turned(x.numpy())), wanted, strict=True)):
            # 3-dimensional results lie as in the file or channels-last, as memory has them.
            fits = [y for y in (want, turned(want)) if y.shape == got.shape]
            error = min(np.abs(got - y).max() for y in fits)
            assert error <= 2e-5 * max(1, np.abs(want).max()), (at, error)
