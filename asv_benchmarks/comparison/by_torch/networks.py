"""PyTorch's side of peers.py: networks; eager, channels last. Imported in PyTorch's process alone, which sets nothing.

Adam is PyTorch's fused one, its fastest on a CPU. Arrays come in fastcnn's layout and results leave in it.
"""

from collections.abc import Callable
from contextlib import nullcontext
from itertools import cycle
from typing import Any

import numpy as np

from asv_benchmarks.comparison.by_torch.layers import images
from asv_benchmarks.comparison.by_torch.steps import stepping
from asv_benchmarks.comparison.jobs import Job, batches, initial_weights
from asv_benchmarks.training import CIFAR_FILTERS, CIFAR_POOLED


def network_layers(name: str, dropout: float) -> list[Any]:
    """Return the layers of a network."""
    from torch import nn

    if name == "lenet5":
        return [nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2),
                nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(),
                nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10)]
    if name == "convnet":
        return [nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
                nn.Flatten(), nn.Dropout(dropout), nn.Linear(1600, 10)]
    if name == "cifar":
        chain: list[Any] = []
        for number, (c, filters) in enumerate(zip((3, *CIFAR_FILTERS), CIFAR_FILTERS), 1):
            chain += [nn.Conv2d(c, filters, 3, padding=1, bias=False), nn.BatchNorm2d(filters, eps=1e-3, momentum=0.01),
                      nn.ReLU()]
            if number in CIFAR_POOLED:
                chain.append(nn.MaxPool2d(2))
        return [*chain, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(CIFAR_FILTERS[-1], 10)]
    raise ValueError(f"expected lenet5, convnet or cifar, got {name!r}")


def _model(name: str, dropout: float = 0.5) -> Any:
    import torch
    from torch import nn

    model = nn.Sequential(*network_layers(name, dropout)).to(memory_format=torch.channels_last)
    weights = iter(initial_weights(name))
    maps = 0  # of the last convolution, until a dense layer has seen them: PyTorch flattens (C, H, W), not (H, W, C)
    with torch.no_grad():
        for layer in model:
            if isinstance(layer, nn.Conv2d):
                layer.weight.copy_(torch.from_numpy(next(weights)).permute(3, 2, 0, 1))
                maps = layer.out_channels
            elif isinstance(layer, nn.BatchNorm2d):
                layer.weight.copy_(torch.from_numpy(next(weights)))
            elif isinstance(layer, nn.Linear):
                kernel = next(weights)
                if maps:
                    kernel = kernel.reshape(-1, maps, layer.out_features).transpose(1, 0, 2).reshape(kernel.shape)
                    maps = 0
                layer.weight.copy_(torch.from_numpy(kernel).T)
            if getattr(layer, "bias", None) is not None:
                layer.bias.copy_(torch.from_numpy(next(weights)))
    return model


def training_step(of: str, context: Callable[[], Any] = nullcontext, compiled: bool = False) -> Job:
    """As `by_fastcnn.networks.training_step`; forward and loss within a context, by torch.compile if asked."""
    import torch

    data = [(images(x), torch.from_numpy(y)) for x, y in batches(of)]

    def stepper(model: Any) -> Any:
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7, fused=True)
        return stepping(model, optimizer, context, compiled)

    def check() -> dict[str, np.ndarray]:
        step = stepper(_model(of, dropout=0.0))
        return {"losses": np.array([step(x, y) for x, y in data[:3]])}

    step, turn = stepper(_model(of)), cycle(data)
    return Job(check, lambda: step(*next(turn)))


def prediction(of: str) -> Job:
    """As `by_fastcnn.networks.prediction`; the network gains its softmax."""
    import torch

    model = torch.nn.Sequential(_model(of), torch.nn.Softmax(dim=1)).eval()
    x = images(batches(of)[0][0][:1])

    def run() -> Any:
        with torch.inference_mode():
            return model(x)

    return Job(lambda: {"probabilities": run().numpy()}, run)
