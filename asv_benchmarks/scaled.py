"""kernels/cpu/conv/scaled.py: 1x1 convolutions behind a normalization with ReLU, or a gate, of published networks."""

import numpy as np

from .data import normal, written

#: Image, channels, columns of the table they lie in, filters, and whether each image has a scale of its own.
LAYERS = {
    "densenet121, 56x56x160 to 128": (56, 160, 256, 128, False),
    "densenet121, 14x14x640 to 128": (14, 640, 1024, 128, False),
    "densenet121, 7x7x992 to 128": (7, 992, 1024, 128, False),
    "efficientnet_b0, 28x28x240 to 40": (28, 240, 240, 40, True),
    "efficientnet_b0, 7x7x1152 to 192": (7, 1152, 1152, 192, True),
}


class ScaledConv:
    """Filters packed before."""

    params, param_names = [list(LAYERS), [1, 8]], ["layer", "batch"]
    repeat, timeout = (3, 50, 0.3), 300

    def setup(self, layer, batch):
        from fastcnn import geometry
        from fastcnn.kernels import cpu

        size, c, columns, k, gated = LAYERS[layer]
        g, kind, rows = geometry.conv2d((batch, size, size, c), k, (1, 1)), np.dtype(np.float32), batch * size * size
        self.arrays = (written(rows, k), written(cpu.scaled_conv2d_forward_scratch(g, kind)),
                       written(cpu.scaled_conv2d_forward_packed(g, kind)), normal(rows, columns),
                       normal(batch if gated else 1, c), normal(0 if gated else c), normal(1, 1, c, k), normal(k),
                       normal(0), np.array([-np.inf, np.inf], np.float32), int(not gated))
        self.kernel, self.geometry = cpu.scaled_conv2d_forward, g
        self.kernel(*self.arrays, 0, g)

    def time_forward(self, layer, batch):
        self.kernel(*self.arrays, 1, self.geometry)
