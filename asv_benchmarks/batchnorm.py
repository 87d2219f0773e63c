"""kernels/cpu/normalization/: batch normalization in training, its backward pass, inference; with max pooling."""

from functools import cache, partial
from types import SimpleNamespace

import numpy as np

from .data import REPEAT, normal, written
from .shapes import MAPS

_LAYERS = ["cifar.conv1", "cifar.conv5", "resnet50.conv1", "resnet50.conv5_3", "mobilenet_v2.block2_expand"]


@cache
def _calls(layer: str) -> SimpleNamespace:
    from fastcnn.kernels import cpu

    n, h, w, c = MAPS[layer]
    shape = n * h * w, c
    x, dy, gamma, beta, kind = normal(*shape), normal(*shape), normal(c), normal(c), np.dtype(np.float32)
    mean, rstd, moving_mean, moving_variance = (written(c) + 1 for _ in range(4))
    scratch = written(max(cpu.batch_norm_forward_scratch(shape, kind), cpu.batch_norm_backward_scratch(shape, kind)))
    calls = SimpleNamespace(
        forward=partial(cpu.batch_norm_forward, written(*shape), mean, rstd, moving_mean, moving_variance, scratch, x,
                        gamma[:0], gamma, beta, 0.99, 1e-3, 1.0, np.inf),
        backward=partial(cpu.batch_norm_backward, written(*shape), written(c), written(c), scratch, dy, x, mean, rstd,
                         gamma, beta, 1.0, np.inf),
        predict=partial(cpu.batch_norm_predict, written(*shape), scratch, x, gamma, beta, moving_mean,
                        moving_variance, 1e-3, 1.0, np.inf),
        summed=partial(cpu.batch_norm_forward, written(*shape), mean, rstd, moving_mean, moving_variance, scratch, x,
                       dy.reshape(-1), gamma, beta, 0.99, 1e-3, 0.0, np.inf))
    for call in vars(calls).values():
        call()
    return calls


@cache
def _pooled(layer: str) -> SimpleNamespace:
    from fastcnn import geometry
    from fastcnn.kernels import cpu

    shape, kind = MAPS[layer], np.dtype(np.float32)
    g, c = geometry.pool2d(shape, (2, 2), (2, 2)), shape[-1]
    out = shape[0], shape[1] // 2, shape[2] // 2, c
    x, gamma, beta, argmax = normal(*shape), normal(c), normal(c), np.zeros(out, np.uint8)
    mean, rstd, moving_mean, moving_variance = (written(c) + 1 for _ in range(4))
    scratch = written(max(cpu.batch_norm_pool_forward_scratch(g, kind), cpu.batch_norm_pool_backward_scratch(g, kind)))
    calls = SimpleNamespace(
        forward=partial(cpu.batch_norm_pool_forward, written(*out), argmax, mean, rstd, moving_mean, moving_variance,
                        scratch, x, gamma, beta, 0.99, 1e-3, 0.0, np.inf, g),
        backward=partial(cpu.batch_norm_pool_backward, written(*shape), written(c), written(c), scratch, normal(*out),
                         argmax, x, mean, rstd, gamma, beta, 0.0, np.inf, g))
    for call in vars(calls).values():
        call()
    return calls


class BatchNormalization:
    """Batch normalization of maps with few and with many channels."""

    params, param_names, repeat = [_LAYERS], ["layer"], REPEAT

    def setup(self, layer):
        self.calls = _calls(layer)

    def time_forward(self, layer):
        self.calls.forward()

    def time_forward_with_addend(self, layer):
        self.calls.summed()

    def time_backward(self, layer):
        self.calls.backward()

    def time_predict(self, layer):
        self.calls.predict()


class WithMaxPooling:
    """Batch normalization, ReLU and max pooling in one pass each way."""

    params, param_names, repeat = [["cifar.conv1", "cifar.conv5"]], ["layer"], REPEAT

    def setup(self, layer):
        self.calls = _pooled(layer)

    def time_forward(self, layer):
        self.calls.forward()

    def time_backward(self, layer):
        self.calls.backward()
