"""Networks as ONNX files: two by their published lists of layers, with random weights, and two that others trained.

onnx is imported where it is used, so that asv finds its benchmarks without.
"""

from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from asv_benchmarks.shapes import FILES

#: Files of others, beside the project (``../shared/data/real-models/onnx``).
REAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "real-models" / "onnx"


class _Writer:
    """A graph on its way: each method adds a node, or a few, and returns the name of its output."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        from onnx import helper

        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        return name

    def weight(self, *shape: int, scale: float = 1.0, offset: float = 0.0) -> str:
        values = offset + scale * self.rng.standard_normal(shape)
        return self.constant(values.astype(np.float32))

    def constant(self, values: np.ndarray) -> str:
        from onnx import numpy_helper

        self.weights.append(numpy_helper.from_array(values, f"w{len(self.weights)}"))
        return self.weights[-1].name

    def conv(self, x: str, c: int, k: int, size: int, stride: int = 1, groups: int = 1, padding: int | None = None,
             bias: bool = False) -> str:
        fan_in = c // groups * size * size
        weights = [self.weight(k, c // groups, size, size, scale=(2 / fan_in) ** 0.5)]
        border = size // 2 if padding is None else padding
        return self.node("Conv", x, *weights, *([self.weight(k, scale=0.1)] if bias else []), kernel_shape=[size, size],
                         strides=[stride, stride], pads=[border] * 4, group=groups)

    def norm(self, x: str, c: int) -> str:
        scale, variance = (self.constant(self.rng.uniform(0.5, 1.5, c).astype(np.float32)) for _ in range(2))
        return self.node("BatchNormalization", x, scale, self.weight(c, scale=0.1), self.weight(c, scale=0.1), variance)

    def dense(self, x: str, c: int, units: int) -> str:
        return self.node("Gemm", x, self.weight(units, c, scale=c**-0.5), self.weight(units, scale=0.1), transB=1)

    def model(self, shape: Sequence[int], outputs: dict[str, Sequence[int]], opset: int = 14) -> Any:
        """Return the model of one input "x", checked."""
        from onnx import TensorProto, checker, helper

        info = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        graph = helper.make_graph(self.nodes, "network", [info("x", shape)], [info(*item) for item in outputs.items()],
                                  self.weights)
        proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
        checker.check_model(proto)
        return proto


def pp_lcnet(batch: int = 1) -> Any:
    """PP-LCNet x1.0 on 224 x 224 pixels (Cui et al., "PP-LCNet: a lightweight CPU convolutional neural network", 2021).

    Depthwise separable blocks with h-swish, 5x5 windows at the end, squeeze and excitation in the last two.
    """
    w = _Writer()
    x, c = w.node("HardSwish", w.norm(w.conv("x", 3, 16, 3, 2), 16)), 16
    for size, k, stride, squeezes in ((3, 32, 1, False), (3, 64, 2, False), (3, 64, 1, False), (3, 128, 2, False),
                                      (3, 128, 1, False), (3, 256, 2, False), *[(5, 256, 1, False)] * 5,
                                      (5, 512, 2, True), (5, 512, 1, True)):
        x = w.node("HardSwish", w.norm(w.conv(x, c, c, size, stride, groups=c), c))
        if squeezes:
            z = w.conv(w.node("GlobalAveragePool", x), c, c // 4, 1, bias=True)
            z = w.conv(w.node("Relu", z), c // 4, c, 1, bias=True)
            x = w.node("Mul", x, w.node("HardSigmoid", z, alpha=1 / 6, beta=0.5))
        x, c = w.node("HardSwish", w.norm(w.conv(x, c, k, 1), k)), k
    x = w.node("HardSwish", w.conv(w.node("GlobalAveragePool", x), c, 1280, 1))
    y = w.node("Softmax", w.dense(w.node("Flatten", x), 1280, 1000), axis=1)
    return w.model((batch, 3, 224, 224), {y: (batch, 1000)})


def pfld(batch: int = 1) -> Any:
    """PFLD's backbone on 112 x 112 pixels: 98 landmarks of a face (Guo et al., "PFLD: a practical facial landmark
    detector", 2019, table 1).

    Inverted residuals, then a head that sees three scales.
    """
    w = _Writer()

    def block(x: str, c: int, k: int, size: int, stride: int = 1, groups: int = 1, padding: int | None = None) -> str:
        return w.node("Relu", w.norm(w.conv(x, c, k, size, stride, groups, padding), k))

    x, c = block(block("x", 3, 64, 3, 2), 64, 64, 3, groups=64), 64
    for factor, k, blocks, stride in ((2, 64, 5, 2), (2, 128, 1, 2), (4, 128, 6, 1), (2, 16, 1, 1)):
        for at in range(blocks):
            step, wide = stride if at == 0 else 1, factor * c
            y = block(block(x, c, wide, 1), wide, wide, 3, step, groups=wide)
            y = w.norm(w.conv(y, wide, k, 1), k)
            x, c = (w.node("Add", x, y) if step == 1 and c == k else y), k
    second = block(x, 16, 32, 3, 2)
    third = w.node("Relu", w.conv(second, 32, 128, 7, padding=0, bias=True))
    scales = [w.node("AveragePool", x, kernel_shape=[14, 14]), w.node("AveragePool", second, kernel_shape=[7, 7]),
              third]
    y = w.dense(w.node("Concat", *(w.node("Flatten", one) for one in scales), axis=1), 16 + 32 + 128, 196)
    return w.model((batch, 3, 112, 112), {y: (batch, 196)})


def real(name: str) -> Any:
    """Return a file of others.

    Raises
    ------
    FileNotFoundError
        If it does not lie beside the project.
    """
    import onnx

    return onnx.load(REAL / f"{name}.onnx")


def file(name: str) -> Any:
    """Return the model of one of FILES, for one sample."""
    made = {"pp_lcnet": pp_lcnet, "pfld": pfld}
    return made[name]() if name in made else real(FILES[name])


def sample(model: Any, seed: int = 1) -> dict[str, np.ndarray]:
    """Return one batch of one for the inputs of a model."""
    rng, weights = np.random.default_rng(seed), {w.name for w in model.graph.initializer}
    shapes = {value.name: [max(1, dim.dim_value) for dim in value.type.tensor_type.shape.dim]
              for value in model.graph.input if value.name not in weights}
    return {name: rng.random(prod(shape), np.float32).reshape(shape) for name, shape in shapes.items()}
