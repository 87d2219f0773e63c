"""PyTorch's side of peers.py: single layers, as in by_fastcnn.layers.py. Imported in PyTorch's process alone."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from asv_benchmarks.comparison.jobs import Job, away_from_zero, layer_arrays, normal
from asv_benchmarks.data import labels
from asv_benchmarks.shapes import AVERAGE_POOLS, CLASSES, MAPS, MAX_POOLS, PARAMETERS


def images(x: np.ndarray) -> Any:
    """(N, H, W, C) as PyTorch's (N, C, H, W), channels last in memory: the same bytes."""
    import torch

    return torch.from_numpy(x).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)


def back(y: Any) -> np.ndarray:
    """As fastcnn has it: (N, H, W, C)."""
    return y.detach().permute(0, 2, 3, 1).numpy()


# --- convolution ------------------------------------------------------------------------------------------------------


def convolution(name: str) -> tuple[dict[str, Any], Any, Any, Any, Any]:
    """Return what `conv2d` is told of the geometry, and x, kernel, bias, dy."""
    import torch

    s, x, kernel, bias, dy = layer_arrays(name)
    filters = torch.from_numpy(kernel).permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)
    geometry = {"stride": s.stride, "padding": s.padding, "groups": s.groups}
    return geometry, images(x), filters, torch.from_numpy(bias), images(dy)


def convolution_forward(of: str) -> Job:
    """As `by_fastcnn.layers.convolution_forward`: oneDNN packs inside."""
    import torch

    geometry, x, kernel, bias, _ = convolution(of)

    def run() -> Any:
        with torch.inference_mode():
            return torch.nn.functional.conv2d(x, kernel, bias, **geometry)

    return Job(lambda: {"y": back(run())}, run)


def convolution_packed(of: str) -> Job:
    """Weights in oneDNN's own order, as PyTorch's compiler freezes them; or as they are where that is faster."""
    import torch

    geometry, x, kernel, bias, _ = convolution(of)
    padding, stride = [geometry["padding"]] * 2, [geometry["stride"]] * 2
    packed = torch._C._nn.mkldnn_reorder_conv2d_weight(kernel.to_mkldnn(), padding, stride, [1, 1], geometry["groups"],
                                                       list(x.shape))

    def reordered() -> Any:
        with torch.inference_mode():
            return torch.ops.mkldnn._convolution_pointwise(x, packed, bias, padding, stride, [1, 1],
                                                           geometry["groups"], "none", [], "")

    def plain() -> Any:
        with torch.inference_mode():
            return torch.nn.functional.conv2d(x, kernel, bias, **geometry)

    run = _fastest(reordered, plain)
    return Job(lambda: {"y": back(run())}, run)


def _fastest(*ways: Callable[[], Any]) -> Callable[[], Any]:
    """Return the way with the least median of five calls."""
    def median(way: Callable[[], Any]) -> float:
        times = []
        for _ in range(6):
            start = time.perf_counter()
            way()
            times.append(time.perf_counter() - start)
        return statistics.median(times[1:])

    return min(ways, key=median)


def convolution_gradients(of: str) -> Job:
    """As `by_fastcnn.layers.convolution_gradients`."""
    import torch

    geometry, x, kernel, bias, dy = convolution(of)
    leaves = [tensor.requires_grad_() for tensor in (x, kernel, bias)]

    def run() -> None:
        for leaf in leaves:
            leaf.grad = None
        torch.nn.functional.conv2d(x, kernel, bias, **geometry).backward(dy)

    def check() -> dict[str, np.ndarray]:
        run()
        return {"dx": back(x.grad), "dkernel": kernel.grad.permute(2, 3, 1, 0).numpy(), "dbias": bias.grad.numpy()}

    return Job(check, run)


# --- the others -------------------------------------------------------------------------------------------------------


def _forward(layer: Any, x: np.ndarray) -> Job:
    import torch

    data = images(x)
    layer = layer.to(memory_format=torch.channels_last).eval()

    def run() -> Any:
        with torch.inference_mode():
            return layer(data)

    return Job(lambda: {"y": back(run())}, run)


def _whole(layer: Any, x: np.ndarray) -> Job:
    import torch

    data, layer = images(x).requires_grad_(), layer.to(memory_format=torch.channels_last).train()
    dy = images(normal(*back(layer(data)).shape, seed=4))
    names = {"weight": "dgamma", "bias": "dbeta"}

    def run() -> Any:
        data.grad = None
        layer.zero_grad()
        y = layer(data)
        y.backward(dy)
        return y

    def check() -> dict[str, np.ndarray]:
        y = run()
        gradients = {names[name]: parameter.grad.numpy() for name, parameter in layer.named_parameters()}
        return {"y": back(y), "dx": back(data.grad)} | gradients

    return Job(check, run)


def _max_pool(of: str) -> tuple[Any, np.ndarray]:
    import torch

    s = MAX_POOLS[of]
    return torch.nn.MaxPool2d(s.size, s.stride, s.padding), normal(s.n, s.h, s.w, s.c)


def _average_pool(of: str) -> tuple[Any, np.ndarray]:
    import torch

    s = AVERAGE_POOLS[of]
    return torch.nn.AvgPool2d(s.size, s.stride, s.padding, count_include_pad=False), normal(s.n, s.h, s.w, s.c)


def _batch_norm(of: str) -> tuple[Any, np.ndarray]:
    import torch

    return torch.nn.BatchNorm2d(MAPS[of][-1], eps=1e-3, momentum=0.01), normal(*MAPS[of])


def _relu(of: str) -> tuple[Any, np.ndarray]:
    import torch

    return torch.nn.ReLU(), normal(*MAPS[of])


def max_pool_forward(of: str) -> Job:
    """Inference."""
    return _forward(*_max_pool(of))


def max_pool_whole(of: str) -> Job:
    """Forward and backward."""
    return _whole(*_max_pool(of))


def average_pool_forward(of: str) -> Job:
    """Inference."""
    return _forward(*_average_pool(of))


def average_pool_whole(of: str) -> Job:
    """Forward and backward."""
    return _whole(*_average_pool(of))


def batch_norm_forward(of: str) -> Job:
    """Inference, by the moving statistics."""
    return _forward(*_batch_norm(of))


def batch_norm_whole(of: str) -> Job:
    """Forward and backward in training."""
    return _whole(*_batch_norm(of))


def relu_forward(of: str) -> Job:
    """Inference."""
    return _forward(*_relu(of))


def relu_whole(of: str) -> Job:
    """Forward and backward."""
    return _whole(*_relu(of))


def softmax_loss_forward(of: str) -> Job:
    """The mean cross-entropy of logits."""
    import torch

    x, y = torch.from_numpy(normal(*CLASSES[of])), torch.from_numpy(labels(*CLASSES[of]))

    def run() -> float:
        with torch.inference_mode():
            return torch.nn.functional.cross_entropy(x, y).item()

    return Job(lambda: {"loss": np.array([run()])}, run)


def softmax_loss_whole(of: str) -> Job:
    """The mean cross-entropy of logits, and its gradient."""
    import torch

    x, y = torch.from_numpy(normal(*CLASSES[of])).requires_grad_(), torch.from_numpy(labels(*CLASSES[of]))

    def run() -> float:
        x.grad = None
        loss = torch.nn.functional.cross_entropy(x, y)
        loss.backward()
        return loss.item()

    return Job(lambda: {"loss": np.array([run()]), "dx": x.grad.numpy()}, run)


def adam(of: str) -> Job:
    """One step of all parameters of a network, fused."""
    import torch

    def fresh() -> tuple[Any, list[Any]]:
        parameters = [torch.nn.Parameter(torch.from_numpy(normal(*shape))) for shape in PARAMETERS[of]]
        for parameter in parameters:
            parameter.grad = torch.from_numpy(away_from_zero(*parameter.shape))
        return torch.optim.Adam(parameters, lr=1e-3, eps=1e-7, fused=True), parameters

    def check() -> dict[str, np.ndarray]:
        optimizer, parameters = fresh()
        for _ in range(3):
            optimizer.step()
        return {"values": np.concatenate([parameter.detach().numpy().reshape(-1) for parameter in parameters])}

    return Job(check, fresh()[0].step)
