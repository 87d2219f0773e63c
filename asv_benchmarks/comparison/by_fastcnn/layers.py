"""fastcnn's side of peers.py: single layers. Imported in fastcnn's process alone."""

from typing import Any

import numpy as np

from asv_benchmarks.comparison.jobs import (
    Job,
    away_from_zero,
    boxes_with_scores,
    layer_arrays,
    maps_with_regions,
    normal,
)
from asv_benchmarks.data import labels
from asv_benchmarks.shapes import AVERAGE_POOLS, CLASSES, MAPS, MAX_POOLS, PARAMETERS

# --- convolution ------------------------------------------------------------------------------------------------------


def _convolution(name: str) -> tuple[Any, np.ndarray, np.ndarray]:
    from fastcnn import layers

    s, x, kernel, bias, dy = layer_arrays(name)
    layer = layers.Conv2D(s.filters, s.size, s.stride, s.padding, groups=s.groups)
    layer.build(x.shape)
    layer.set_weights([kernel, bias])
    return layer, x, dy


def convolution_forward(of: str) -> Job:
    """y as in training, where weights are new each time: they are packed inside, and nothing packed is kept."""
    layer, x, _ = _convolution(of)
    return Job(lambda: {"y": layer.forward(x)[0]}, lambda: layer.forward(x)[0])


def convolution_packed(of: str) -> Job:
    """y; the weights have not changed since they were packed."""
    layer, x, _ = _convolution(of)
    return Job(lambda: {"y": layer.predict(x)}, lambda: layer.predict(x))


def convolution_gradients(of: str) -> Job:
    """y, and the gradients of input, kernel and bias."""
    layer, x, dy = _convolution(of)

    def run() -> np.ndarray:
        for parameter in layer.trainable_weights:
            parameter.zero_grad()
        return layer.forward(x)[1](dy)

    def check() -> dict[str, np.ndarray]:
        dx = run()
        kernel, bias = (parameter.grad for parameter in layer.trainable_weights)
        return {"dx": dx, "dkernel": kernel, "dbias": bias}

    return Job(check, run)


# --- the others -------------------------------------------------------------------------------------------------------


def _forward(layer: Any, x: np.ndarray) -> Job:
    return Job(lambda: {"y": layer.predict(x)}, lambda: layer.predict(x))


def _whole(layer: Any, x: np.ndarray) -> Job:
    """Forward and backward; the gradients are of ones that vary."""
    y, _ = layer.forward(x)
    dy = normal(*y.shape, seed=4)

    def run() -> tuple[np.ndarray, np.ndarray]:
        for parameter in layer.trainable_weights:
            parameter.zero_grad()
        y, backward = layer.forward(x)
        return y, backward(dy)

    def check() -> dict[str, np.ndarray]:
        y, dx = run()
        return {"y": y, "dx": dx} | {f"d{p.name}": p.grad for p in layer.trainable_weights}

    return Job(check, run)


def _max_pool(of: str) -> tuple[Any, np.ndarray]:
    from fastcnn import layers

    s = MAX_POOLS[of]
    return layers.MaxPooling2D(s.size, s.stride, s.padding), normal(s.n, s.h, s.w, s.c)


def _average_pool(of: str) -> tuple[Any, np.ndarray]:
    from fastcnn import layers

    s = AVERAGE_POOLS[of]
    return layers.AveragePooling2D(s.size, s.stride, s.padding), normal(s.n, s.h, s.w, s.c)


def _batch_norm(of: str) -> tuple[Any, np.ndarray]:
    from fastcnn import layers

    return layers.BatchNormalization(), normal(*MAPS[of])


def _relu(of: str) -> tuple[Any, np.ndarray]:
    from fastcnn import layers

    return layers.ReLU(), normal(*MAPS[of])


def max_pool_forward(of: str) -> Job:
    """Inference."""
    return _forward(*_max_pool(of))


def max_pool_whole(of: str) -> Job:
    """Forward and backward, as in training."""
    return _whole(*_max_pool(of))


def average_pool_forward(of: str) -> Job:
    """Inference."""
    return _forward(*_average_pool(of))


def average_pool_whole(of: str) -> Job:
    """Forward and backward, as in training."""
    return _whole(*_average_pool(of))


def batch_norm_forward(of: str) -> Job:
    """Inference, by the moving statistics."""
    return _forward(*_batch_norm(of))


def batch_norm_whole(of: str) -> Job:
    """Forward and backward in training, by the batch's statistics."""
    return _whole(*_batch_norm(of))


def relu_forward(of: str) -> Job:
    """Inference."""
    return _forward(*_relu(of))


def relu_whole(of: str) -> Job:
    """Forward and backward, as in training."""
    return _whole(*_relu(of))


def softmax_loss_forward(of: str) -> Job:
    """The mean cross-entropy of logits."""
    from fastcnn import losses

    loss, x, y = losses.SparseCategoricalCrossentropy(from_logits=True), normal(*CLASSES[of]), labels(*CLASSES[of])

    def run() -> float:
        return float(loss.forward(y, x, wants_gradient=False)[0].mean())

    return Job(lambda: {"loss": np.array([run()])}, run)


def softmax_loss_whole(of: str) -> Job:
    """The mean cross-entropy of logits, and its gradient."""
    from fastcnn import losses

    loss, x, y = losses.SparseCategoricalCrossentropy(from_logits=True), normal(*CLASSES[of]), labels(*CLASSES[of])

    def run() -> tuple[float, Any]:
        each, gradient = loss.forward(y, x)
        return float(each.mean()), gradient

    def check() -> dict[str, np.ndarray]:
        value, gradient = run()
        return {"loss": np.array([value]), "dx": gradient}

    return Job(check, run)


def adam(of: str) -> Job:
    """One step of all parameters of a network."""
    from fastcnn import optimizers
    from fastcnn.parameters import Parameter

    def fresh() -> tuple[Any, list[Any]]:
        parameters = [Parameter(normal(*shape), "kernel", f"layer_{i}/kernel")
                      for i, shape in enumerate(PARAMETERS[of])]
        optimizer = optimizers.Adam()
        optimizer.build(parameters)
        for parameter in parameters:
            parameter.gradient[...] = away_from_zero(*parameter.shape)
        return optimizer, parameters

    def check() -> dict[str, np.ndarray]:
        optimizer, parameters = fresh()
        for _ in range(3):
            optimizer.step()
        return {"values": np.concatenate([parameter.numpy().reshape(-1) for parameter in parameters])}

    return Job(check, fresh()[0].step)


def non_max_suppression(of: str) -> Job:
    """From boxes and scores to the boxes that are kept."""
    from fastcnn import vision

    boxes, scores = boxes_with_scores(int(of))
    run = lambda: vision.boxes.nms(boxes, scores, 0.5)
    return Job(lambda: {"kept": run()}, run)


def roi_align(of: str) -> Job:
    """Regions of 7 x 7, two points a side."""
    from fastcnn import layers

    inputs = maps_with_regions(int(of))
    layer = layers.RoIAlign(7, 1 / 16, 2)
    return Job(lambda: {"regions": layer.predict(inputs)}, lambda: layer.predict(inputs))
