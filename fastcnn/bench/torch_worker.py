"""PyTorch's side of `fastcnn bench --vs torch`: run as a script, which imports nothing of fastcnn.

Reads orders, lines of JSON, and answers each with one line; `torch_peer.py` says what they are.
"""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn


class _FlattenChannelsLast(nn.Module):
    """Flatten in fastcnn's order, (H, W, C): the same bytes."""

    def forward(self, x: Any) -> Any:
        return (x.permute(0, 2, 3, 1) if x.dim() == 4 else x).flatten(1)


class _Chain(nn.Sequential):
    """A layer and its activation."""


_ACTIVATIONS: dict[Any, Callable[[], Any]] = {
    "relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "elu": nn.ELU, "selu": nn.SELU, "silu": nn.SiLU,
    "swish": nn.SiLU, "gelu": nn.GELU, "gelu_tanh": lambda: nn.GELU(approximate="tanh"),
    "leaky_relu": lambda: nn.LeakyReLU(0.2), "softmax": lambda: nn.Softmax(-1),
    "log_softmax": lambda: nn.LogSoftmax(-1), "linear": nn.Identity, None: nn.Identity,
}
_LAYERS = {"ReLU": "relu", "Tanh": "tanh", "Sigmoid": "sigmoid", "SELU": "selu", "SiLU": "silu", "Softmax": "softmax",
           "LogSoftmax": "log_softmax", "Linear": "linear"}


def _images(array: np.ndarray) -> Any:
    tensor = torch.from_numpy(array)
    return tensor.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last) if array.ndim == 4 else tensor


def _back(tensor: Any) -> np.ndarray:
    tensor = tensor.detach()
    return (tensor.permute(0, 2, 3, 1) if tensor.dim() == 4 else tensor).numpy()


def make(kind: str, config: dict[str, Any], x: np.ndarray, weights: list[np.ndarray]) -> Any:
    """Return PyTorch's module for a layer, or None if it has none."""
    channels = x.shape[-1]
    if kind in ("Conv2D", "DepthwiseConv2D"):
        around, padding = _padding(tuple(config["sides"]))
        layer: Any = nn.Conv2d(channels, config["filters"], config["window"], config["strides"], padding,
                               config["dilation_rate"], config["groups"], len(weights) > 1)
        bank = weights[0].reshape(*config["window"], channels // config["groups"], config["filters"])
        _fill(layer, bank.transpose(3, 2, 0, 1), *weights[1:])
        return _Chain(*around, layer, *_activation(config.get("activation")))
    if kind == "Dense":
        layer = nn.Linear(channels, weights[0].shape[1], len(weights) > 1)
        _fill(layer, weights[0].T, *weights[1:])
        return _Chain(layer, *_activation(config.get("activation")))
    if kind in ("MaxPooling2D", "AveragePooling2D"):
        left, right, top, bottom = config["sides"]
        if left != right or top != bottom:
            return None
        if kind == "MaxPooling2D":
            return nn.MaxPool2d(config["window"], config["strides"], (top, left))
        return nn.AvgPool2d(config["window"], config["strides"], (top, left), count_include_pad=False)
    if kind in ("GlobalAveragePooling2D", "GlobalMaxPooling2D"):
        pool = nn.AdaptiveAvgPool2d(1) if kind == "GlobalAveragePooling2D" else nn.AdaptiveMaxPool2d(1)
        return pool if config.get("keepdims") else _Chain(pool, nn.Flatten())
    if kind == "BatchNormalization" and len(weights) == 4 and x.ndim == 4:
        layer = nn.BatchNorm2d(channels, config.get("epsilon", 1e-3), 1 - config.get("momentum", 0.99))
        _fill(layer, *weights[:2])
        return layer
    if kind == "ZeroPadding2D" and isinstance(config.get("padding", 1), int):
        return nn.ZeroPad2d(config.get("padding", 1))
    if kind == "Dropout":
        return nn.Dropout(config["rate"])
    if kind == "Flatten":
        return _FlattenChannelsLast()
    name = config.get("activation") if kind == "Activation" else _LAYERS.get(kind)
    return _ACTIVATIONS[name]() if name in _ACTIVATIONS and name is not None else None


def _padding(sides: tuple[int, int, int, int]) -> tuple[list[Any], tuple[int, int]]:
    """Return a module for unequal sides, and what the convolution itself pads."""
    left, right, top, bottom = sides
    return ([], (top, left)) if left == right and top == bottom else ([nn.ZeroPad2d(sides)], (0, 0))


def _activation(name: str | None) -> list[Any]:
    return [] if name in (None, "linear") else [_ACTIVATIONS[name]()]


def _fill(layer: Any, weight: np.ndarray, bias: np.ndarray | None = None) -> None:
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(np.ascontiguousarray(weight)))
        if bias is not None:
            layer.bias.copy_(torch.from_numpy(bias))


class _Layer:
    """A layer with its input, as `fastcnn.bench.layers.Subject`."""

    def __init__(self, order: dict[str, Any]) -> None:
        with np.load(order["given"]) as file:
            x, dy, weights = file["x"], file["dy"], [file[f"w{i}"] for i in range(len(file.files) - 2)]
        self.module = make(order["class"], order["config"], x, weights)
        if self.module is None:
            return
        self.module = self.module.to(memory_format=torch.channels_last, dtype=torch.from_numpy(x).dtype).train()
        self.x, self.dy, self.learns = _images(x).requires_grad_(order["wants_dx"]), _images(dy), order["learns"]
        y = self.module(self.x)
        self.learns = self.learns and y.requires_grad
        results = {"y": _back(y)}
        if self.learns:
            y.backward(self.dy)
            if order["wants_dx"]:
                results["dx"] = _back(self.x.grad)
        np.savez(order["made"], **results)  # type: ignore[arg-type]

    def run(self) -> tuple[float, float]:
        self.x.grad = None
        self.module.zero_grad()
        start = time.perf_counter()
        y = self.module(self.x)
        middle = time.perf_counter()
        if self.learns:
            y.backward(self.dy)
        return middle - start, time.perf_counter() - middle


def whole(layers: list[_Layer], classifies: bool) -> dict[str, Callable[[], tuple[float]]]:
    """Return a training step and a prediction of the chain."""
    model = nn.Sequential(*(layer.module for layer in layers)).train()
    x = layers[0].x.detach()
    outputs = model(x)
    optimizer = torch.optim.Adam(model.parameters(), eps=1e-7, fused=True) if list(model.parameters()) else None
    if classifies:
        last = layers[-1].module
        logits = nn.Sequential(*(layer.module for layer in layers[:-1]),
                               *(list(last.children())[:-1] if isinstance(last, _Chain) else ()))
        y: Any = torch.zeros(len(x), dtype=torch.int64)
        criterion: Any = nn.CrossEntropyLoss()
    else:
        logits, y, criterion = model, torch.zeros_like(outputs), nn.MSELoss()

    def step() -> None:
        model.train()
        loss = criterion(logits(x), y)
        if optimizer is not None:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        loss.item()

    def prediction() -> None:
        model.eval()
        with torch.inference_mode():
            model(x)

    def timed(run: Callable[[], None]) -> Callable[[], tuple[float]]:
        def once() -> tuple[float]:
            start = time.perf_counter()
            run()
            return (time.perf_counter() - start,)

        return once

    return {"step": timed(step), "prediction": timed(prediction)}


def _medians(run: Callable[[], tuple[float, ...]], seconds: float) -> list[float]:
    run()
    found: list[tuple[float, ...]] = []
    end = time.perf_counter() + seconds
    while len(found) < 3 or time.perf_counter() < end:
        found.append(run())
    return [statistics.median(column) for column in zip(*found, strict=True)]


def main() -> None:
    """Obey the orders on standard input until it ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    layers: dict[int, _Layer] = {}
    runs: dict[Any, Callable[[], tuple[float, ...]]] = {}
    for line in sys.stdin:
        order = json.loads(line)
        if "about" in order:
            answer: Any = f"PyTorch {torch.__version__}, eager, channels last, {torch.get_num_threads()} threads"
        elif "make" in order:
            number = order["make"]
            layer = _Layer(order)
            answer = layer.module is not None
            if answer:
                layers[number], runs[number] = layer, layer.run
        elif "whole" in order:
            count, classifies = order["whole"]
            runs |= whole([layers[number] for number in range(count)], classifies)
            answer = True
        else:
            time.sleep(0.05)  # the other side's threads stop to spin
            answer = _medians(runs[order["time"]], order["seconds"])
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
