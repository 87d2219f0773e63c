"""The works that peers.py compares, by name, and the numbers both sides start from. Plain Python and NumPy.

To add one: a row in `WORKS`. To add a kind: a function of its name in peer_fastcnn.py and in peer_torch.py, which takes
what the work is of and returns a `Job`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from asv_benchmarks.shapes import CONVOLUTIONS, Convolution


class Job(NamedTuple):
    """A work, ready on one side.

    Attributes
    ----------
    check : function
        Returns results as named arrays in fastcnn's layout; called once, before anything is timed.
    run : function
        Does the work once, on inputs that lie warm in memory.
    """

    check: Callable[[], dict[str, np.ndarray]]
    run: Callable[[], Any]


class Network(NamedTuple):
    """What both sides have to know of a network: its input and the shapes of its weights, in Keras's order."""

    input_shape: tuple[int, int, int]
    classes: int
    weights: tuple[tuple[int, ...], ...]


NETWORKS = {
    "lenet5": Network((28, 28, 1), 10, ((5, 5, 1, 6), (6,), (5, 5, 6, 16), (16,), (400, 120), (120,), (120, 84), (84,),
                                        (84, 10), (10,))),
    "convnet": Network((28, 28, 1), 10, ((3, 3, 1, 32), (32,), (3, 3, 32, 64), (64,), (1600, 10), (10,))),
}


class Work(NamedTuple):
    """A row of the table.

    Attributes
    ----------
    name : str
        Dotted; peers.py takes any whole part of it.
    kind : str
        The function of each side that makes the job.
    of : str
        A network or a layer.
    what : str
        For people.
    tolerance : float
        By how much results may differ, relative to the largest of the array.
    goal : float or None
        How many times as fast as the peer fastcnn has to be.
    """

    name: str
    kind: str
    of: str
    what: str
    tolerance: float
    goal: float | None = None


# Sums in another order differ by a few units in the last place, 6e-8, times the root of their length; the gradient of
# the weights sums over all positions of a batch. Adam divides a gradient by its own size, so that after three steps the
# differences of the smallest gradients show in the loss.
_FORWARD, _GRADIENTS, _THREE_STEPS = 1e-5, 1e-4, 1e-4

WORKS = {work.name: work for work in (
    Work("lenet5", "training_step", "lenet5", "LeNet-5, training step, batch 128", _THREE_STEPS, goal=1.0),
    Work("convnet", "training_step", "convnet", "convnet, training step, batch 128", _THREE_STEPS),
    Work("predict", "prediction", "lenet5", "LeNet-5, prediction of one image", _FORWARD),
    *(Work(f"forward.{name}", "convolution_forward", name, f"{name}, forward", _FORWARD) for name in CONVOLUTIONS),
    *(Work(f"gradients.{name}", "convolution_gradients", name, f"{name}, forward and gradients", _GRADIENTS)
      for name in CONVOLUTIONS),
)}

#: What peers.py compares when it is told no names.
DEFAULT = ("lenet5", "convnet", "predict", *(f"{kind}.{layer}" for layer in (
    "lenet5.conv2", "convnet.conv2", "vgg16.conv5_1.b8", "resnet50.conv2_2.b8", "resnet50.conv2_3.b8")
    for kind in ("forward", "gradients")))

BATCH, BATCHES = 128, 16


def select(names: list[str]) -> list[Work]:
    """Return the works that the names stand for: a work's name, or a part of it between dots (conv2_2, vgg16, forward).

    Raises
    ------
    ValueError
        If a name stands for none.
    """
    found: dict[str, Work] = {}
    for name in names:
        some = {work.name: work for work in WORKS.values() if f".{name}." in f".{work.name}."}
        if name in WORKS:
            some = {name: WORKS[name]}
        if not some:
            raise ValueError(f"expected a work's name or a part of one, got {name!r}; the works are {', '.join(WORKS)}")
        found |= some
    return list(found.values())


def initial_weights(network: str) -> list[np.ndarray]:
    """Return weights in Keras's order and layout, scaled after Glorot; biases are small numbers, so that they count."""
    draw, weights = np.random.default_rng(1), []
    for shape in NETWORKS[network].weights:
        window = int(np.prod(shape[:-2]))
        limit = 0.01 if len(shape) == 1 else (6 / (window * (shape[-2] + shape[-1]))) ** 0.5
        weights.append(draw.uniform(-limit, limit, shape).astype(np.float32))
    return weights


def batches(network: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return images and labels; several batches, lest a network learn one by heart and its gradients vanish."""
    draw, (shape, classes, _) = np.random.default_rng(2), NETWORKS[network]
    return [(draw.random((BATCH, *shape), dtype=np.float32), draw.integers(0, classes, BATCH)) for _ in range(BATCHES)]


def layer_arrays(layer: str) -> tuple[Convolution, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return a shape, x (N, H, W, C), kernel (KH, KW, C / groups, K), bias (K,), dy (N, OH, OW, K)."""
    s, draw = CONVOLUTIONS[layer], np.random.default_rng(3)
    shapes = (s.n, s.h, s.w, s.c), s.kernel_shape, (s.filters,), s.output_shape
    x, kernel, bias, dy = (draw.standard_normal(shape, dtype=np.float32) for shape in shapes)
    return s, x, kernel, bias, dy
