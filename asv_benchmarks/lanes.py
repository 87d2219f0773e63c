"""kernels/cpu/fused/lanes.py: the narrow parts of networks, forward and backward, batch 128."""

from functools import partial

import numpy as np

from .data import normal, written


def _stages(network):
    from fastcnn import geometry
    from fastcnn.kernels import codes

    if network == "lenet5":
        return tuple(geometry.LaneStage(filters, (5, 5), padding, True, codes.TANH, 0.0, geometry.AVERAGE_POOL, (2, 2))
                     for filters, padding in ((6, "same"), (16, "valid")))
    return (geometry.LaneStage(32, (3, 3), "valid", True, codes.RELU, 0.0, geometry.MAX_POOL, (2, 2)),)


class Lanes:
    """LeNet-5's two convolutions with tanh and pooling; the convnet's first with ReLU and pooling."""

    params, param_names, repeat, timeout = [["lenet5", "convnet.conv1"]], ["network"], (3, 50, 0.5), 300

    def setup(self, network):
        from fastcnn import geometry
        from fastcnn.kernels import cpu

        g, kind = geometry.lanes((128, 28, 28, 1), _stages(network)), np.dtype(np.float32)
        last = g[-1]
        y = written(*(int(last[name]) for name in ("n", "qh", "qw", "k")))
        x, weights, saved = normal(128, 28, 28, 1), normal(int(last["weights"])), written(cpu.lanes_saved(g, kind))
        self.forward = partial(cpu.lanes_forward, y, saved, written(cpu.lanes_forward_scratch(g, kind)), x, weights, g)
        self.forward()
        self.backward = partial(cpu.lanes_backward, written(0, 28, 28, 1), written(weights.size),
                                written(cpu.lanes_backward_scratch(g, kind)), normal(*y.shape), saved, weights, g)
        self.backward()

    def time_forward(self, network):
        self.forward()

    def time_backward(self, network):
        self.backward()
