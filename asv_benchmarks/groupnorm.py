"""kernels/cpu/normalization/ within a sample, and layout/permute.py: axes in another order."""

from collections.abc import Callable
from functools import cache, partial

import numpy as np

from .data import REPEAT, normal, written

_GROUPS = {  # (N, P, G, D)
    "vit.layer_norm": (128 * 197, 1, 1, 768), "resnet50.conv2, 32 groups": (8, 56 * 56, 32, 2),
    "resnet50.conv4, 32 groups": (8, 14 * 14, 32, 32), "resnet50.conv2, a channel each": (8, 56 * 56, 64, 1),
}
_RESPONSES = {"alexnet.lrn1": (8 * 55 * 55, 96), "alexnet.lrn2": (8 * 27 * 27, 256)}
_AXES = {"to channels first": ((8, 56, 56, 64), (0, 3, 1, 2)), "to channels last": ((8, 64, 56, 56), (0, 2, 3, 1)),
         "pixels to channels last": ((32, 3, 224, 224), (0, 2, 3, 1)), "heads": ((128, 197, 12, 64), (0, 2, 1, 3))}


@cache
def _group_norm(name: str) -> tuple[Callable[[], None], Callable[[], None]]:
    from fastcnn.kernels import cpu

    shape, kind = _GROUPS[name], np.dtype(np.float32)
    c = shape[2] * shape[3]
    x, dy, gamma, beta = normal(*shape), normal(*shape), normal(c), normal(c)
    mean, rstd = written(shape[0], shape[2]), written(shape[0], shape[2])
    forward = partial(cpu.group_norm_forward, written(*shape), mean, rstd,
                      written(cpu.group_norm_forward_scratch(shape, kind)), x, gamma, beta, 1e-3)
    backward = partial(cpu.group_norm_backward, written(*shape), written(c), written(c),
                       written(cpu.group_norm_backward_scratch(shape, kind)), dy, x, mean, rstd, gamma)
    return _called(forward, backward)


@cache
def _local_response(name: str) -> tuple[Callable[[], None], Callable[[], None]]:
    from fastcnn.kernels import cpu

    shape, formula = _RESPONSES[name], (2, 2, 1e-4, 0.75, 2.0)
    x, dy = normal(*shape), normal(*shape)
    scratch = written(cpu.local_response_norm_scratch(shape, 2, 2, x.dtype))
    return _called(partial(cpu.local_response_norm_forward, written(*shape), scratch, x, *formula),
                   partial(cpu.local_response_norm_backward, written(*shape), scratch, dy, x, *formula))


@cache
def _permutation(name: str) -> Callable[[], None]:
    from fastcnn.geometry.permutation import permutation
    from fastcnn.kernels import cpu

    shape, axes = _AXES[name]
    x = normal(*shape).reshape(-1)
    return _called(partial(cpu.permute, written(x.size), x, permutation(shape, axes)))[0]


def _called(*calls: Callable[[], None]) -> tuple[Callable[[], None], ...]:
    for call in calls:
        call()
    return calls


class GroupNormalization:
    """Layer, group and instance normalization."""

    params, param_names, repeat = [list(_GROUPS)], ["layer"], REPEAT

    def setup(self, layer):
        self.forward, self.backward = _group_norm(layer)

    def time_forward(self, layer):
        self.forward()

    def time_backward(self, layer):
        self.backward()


class LocalResponseNormalization:
    """AlexNet's, across channels."""

    params, param_names, repeat = [list(_RESPONSES)], ["layer"], REPEAT

    def setup(self, layer):
        self.forward, self.backward = _local_response(layer)

    def time_forward(self, layer):
        self.forward()

    def time_backward(self, layer):
        self.backward()


class Permute:
    """Axes in another order."""

    params, param_names, repeat = [list(_AXES)], ["axes"], REPEAT

    def setup(self, axes):
        self.call = _permutation(axes)

    def time_forward(self, axes):
        self.call()
