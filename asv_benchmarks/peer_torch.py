"""PyTorch's side of peers.py: eager, channels last. Imported in PyTorch's process alone, which sets nothing.

Adam is PyTorch's fused one, its fastest on a CPU. Arrays come in fastcnn's layout and results leave in it.
"""

from itertools import cycle
from typing import Any

import numpy as np

from asv_benchmarks.peer_works import Job, batches, initial_weights, layer_arrays


def about() -> str:
    """Return versions and threads, in words."""
    import torch

    return f"PyTorch {torch.__version__} eager, channels last, {torch.get_num_threads()} threads"


def _images(x: np.ndarray) -> Any:
    """(N, H, W, C) as PyTorch's (N, C, H, W), channels last in memory: the same bytes."""
    import torch

    return torch.from_numpy(x).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)


def _layers(network: str, dropout: float) -> list[Any]:
    from torch import nn

    if network == "lenet5":
        return [nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2),
                nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(),
                nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10)]
    if network == "convnet":
        return [nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
                nn.Flatten(), nn.Dropout(dropout), nn.Linear(1600, 10)]
    raise ValueError(f"expected lenet5 or convnet, got {network!r}")


def _model(network: str, dropout: float = 0.5) -> Any:
    import torch
    from torch import nn

    model = nn.Sequential(*_layers(network, dropout)).to(memory_format=torch.channels_last)
    weights = iter(initial_weights(network))
    maps = 0  # of the last convolution, until a dense layer has seen them: PyTorch flattens (C, H, W), not (H, W, C)
    with torch.no_grad():
        for layer in model:
            if isinstance(layer, nn.Conv2d):
                layer.weight.copy_(torch.from_numpy(next(weights)).permute(3, 2, 0, 1))
                layer.bias.copy_(torch.from_numpy(next(weights)))
                maps = layer.out_channels
            elif isinstance(layer, nn.Linear):
                kernel = next(weights)
                if maps:
                    kernel = kernel.reshape(-1, maps, layer.out_features).transpose(1, 0, 2).reshape(kernel.shape)
                    maps = 0
                layer.weight.copy_(torch.from_numpy(kernel).T)
                layer.bias.copy_(torch.from_numpy(next(weights)))
    return model


def training_step(network: str) -> Job:
    """As `peer_fastcnn.training_step`."""
    import torch

    data = [(_images(x), torch.from_numpy(y)) for x, y in batches(network)]
    criterion = torch.nn.CrossEntropyLoss()

    def stepper(model: Any) -> Any:
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7, fused=True)

        def step(x: Any, y: Any) -> float:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            return loss.item()

        return step

    def check() -> dict[str, np.ndarray]:
        step = stepper(_model(network, dropout=0.0))
        return {"losses": np.array([step(x, y) for x, y in data[:3]])}

    step, turn = stepper(_model(network)), cycle(data)
    return Job(check, lambda: step(*next(turn)))


def prediction(network: str) -> Job:
    """As `peer_fastcnn.prediction`; the network gains its softmax."""
    import torch

    model = torch.nn.Sequential(_model(network), torch.nn.Softmax(dim=1)).eval()
    x = _images(batches(network)[0][0][:1])

    def run() -> Any:
        with torch.inference_mode():
            return model(x)

    return Job(lambda: {"probabilities": run().numpy()}, run)


def _layer(name: str) -> tuple[dict[str, Any], Any, Any, Any, Any]:
    import torch

    s, x, kernel, bias, dy = layer_arrays(name)
    filters = torch.from_numpy(kernel).permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)
    geometry = {"stride": s.stride, "padding": s.padding, "groups": s.groups}
    return geometry, _images(x), filters, torch.from_numpy(bias), _images(dy)


def convolution_forward(name: str) -> Job:
    """As `peer_fastcnn.convolution_forward`."""
    import torch

    geometry, x, kernel, bias, _ = _layer(name)

    def run() -> Any:
        with torch.inference_mode():
            return torch.nn.functional.conv2d(x, kernel, bias, **geometry)

    return Job(lambda: {"y": run().permute(0, 2, 3, 1).numpy()}, run)


def convolution_gradients(name: str) -> Job:
    """As `peer_fastcnn.convolution_gradients`."""
    import torch

    geometry, x, kernel, bias, dy = _layer(name)
    leaves = [tensor.requires_grad_() for tensor in (x, kernel, bias)]

    def run() -> None:
        for leaf in leaves:
            leaf.grad = None
        torch.nn.functional.conv2d(x, kernel, bias, **geometry).backward(dy)

    def check() -> dict[str, np.ndarray]:
        run()
        return {"dx": x.grad.permute(0, 2, 3, 1).numpy(), "dkernel": kernel.grad.permute(2, 3, 1, 0).numpy(),
                "dbias": bias.grad.numpy()}

    return Job(check, run)
