"""PyTorch's side: training steps of published networks, from their ONNX files. Imported in PyTorch's process alone.

What the nodes become are the modules that one would write by hand: eager, channels last, ReLU in place.
"""

from collections.abc import Callable
from contextlib import nullcontext
from itertools import cycle
from typing import Any

import numpy as np

from asv_benchmarks.comparison.by_torch.layers import images
from asv_benchmarks.comparison.by_torch.steps import stepping
from asv_benchmarks.comparison.channels_first import attribute, constants
from asv_benchmarks.comparison.jobs import Job, published_batches
from asv_benchmarks.comparison.published import file_of, parted


def published_step(of: str, context: Callable[[], Any] = nullcontext, compiled: bool = False) -> Job:
    """As `by_fastcnn.published.published_step`; forward and loss within a context, by torch.compile if asked."""
    import torch

    name, batch = parted(of)
    turned = _is_padded_at_the_end(_graph(name))
    data = [(images(np.ascontiguousarray(x[:, ::-1, ::-1]) if turned else x), torch.from_numpy(y))
            for x, y in published_batches(name, batch)]

    def stepper() -> Any:
        model = network(_graph(name), turned)
        optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9, fused=True)
        return stepping(model, optimizer, context, compiled)

    def check() -> dict[str, np.ndarray]:
        step = stepper()
        return {"losses": np.array([step(*one) for one in data[:3]])}

    step, turn = stepper(), cycle(data)
    return Job(check, lambda: step(*next(turn)))


def _graph(name: str) -> Any:
    """Return the graph of a network's file; nobody keeps it, since memory is compared, too."""
    import onnx

    return onnx.load(str(file_of(name))).graph


def _is_padded_at_the_end(graph: Any) -> bool:
    """Return whether strided windows have zeros at the end alone, as Keras pads an even image.

    PyTorch pads both sides, which costs no copy. So it sees such a network turned by 180 degrees, image and filters:
    its zeros at the beginning count then, and those at the end meet no window.
    """
    return any(list(attribute(node, "pads", ())) == [0, 0, 1, 1] for node in graph.node)


def save_for_start(path: str) -> None:
    """Write ResNet-50 as a file that PyTorch reads without a line of Python about it."""
    import torch

    module = network(_graph("resnet50")).eval()
    with torch.inference_mode():
        torch.jit.trace(module, torch.zeros(1, 3, 224, 224).to(memory_format=torch.channels_last)).save(path)


def network(graph: Any, turned: bool = False) -> Any:
    """Return the module of a graph, which gives logits; channels last.

    Parameters
    ----------
    graph : onnx.GraphProto
        Of a `published` file.
    turned : bool
        Whether the filters are turned by 180 degrees.
    """
    import torch

    arrays = constants(graph)
    # The last nodes give probabilities, and channels last.
    nodes = [node for node in graph.node if node.op_type not in ("Softmax", "Identity", "Transpose")]
    modules = [_module(node, arrays, turned) for node in nodes]
    inputs = [[name for name in node.input if name not in arrays] for node in nodes]
    last = {name: place for place, names in enumerate(inputs) for name in names}
    over = [[name for name in dict.fromkeys(names) if last[name] == place] for place, names in enumerate(inputs)]
    image, outputs = graph.input[0].name, [node.output[0] for node in nodes]

    class Walked(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.steps = torch.nn.ModuleList(module for module in modules if isinstance(module, torch.nn.Module))

        def forward(self, x: Any) -> Any:
            values = {image: x}
            for module, names, output, gone in zip(modules, inputs, outputs, over):
                values[output] = module(*(values[name] for name in names))
                for name in gone:
                    del values[name]
            return values[outputs[-1]]

    return Walked().to(memory_format=torch.channels_last)


def _module(node: Any, arrays: dict[str, np.ndarray], turned: bool) -> Any:
    import torch
    from torch import nn

    kind, given = node.op_type, [arrays[name] for name in node.input if name in arrays]
    if kind in ("Conv", "ConvTranspose"):
        kernel, *bias = given
        top, left, bottom, right = attribute(node, "pads", [0] * 4)
        groups = attribute(node, "group", 1)
        one, other = kernel.shape[:2]
        stride, padding = attribute(node, "strides", [1, 1]), (max(top, bottom), max(left, right))
        made: Any = (nn.Conv2d(other * groups, one, kernel.shape[2:], stride, padding, groups=groups, bias=bool(bias))
                     if kind == "Conv" else
                     nn.ConvTranspose2d(one, other, kernel.shape[2:], stride, padding, bias=bool(bias)))
        return _with(made, kernel[..., ::-1, ::-1] if turned else kernel, *bias)
    if kind == "BatchNormalization":
        gamma, beta, mean, variance = given
        norm = _with(nn.BatchNorm2d(len(gamma), attribute(node, "epsilon"), 0.01), gamma, beta)
        norm.running_mean.copy_(torch.from_numpy(mean.copy()))
        norm.running_var.copy_(torch.from_numpy(variance.copy()))
        return norm
    if kind == "Gemm":
        kernel, bias = given
        return _with(nn.Linear(*kernel.shape), kernel.T, bias)
    if kind == "MaxPool":
        pads = attribute(node, "pads", [0] * 4)
        return nn.MaxPool2d(attribute(node, "kernel_shape"), attribute(node, "strides"), tuple(pads[:2]))
    return {"Relu": nn.ReLU(inplace=True), "Clip": nn.ReLU6(inplace=True), "Add": torch.add,
            "GlobalAveragePool": nn.AdaptiveAvgPool2d(1), "Flatten": nn.Flatten(),
            "Concat": lambda *x: torch.cat(x, 1)}[kind]


def _with(module: Any, weight: np.ndarray, bias: np.ndarray | None = None) -> Any:
    import torch

    with torch.no_grad():
        module.weight.copy_(torch.from_numpy(weight.copy()))
        if bias is not None:
            module.bias.copy_(torch.from_numpy(bias.copy()))
    return module
