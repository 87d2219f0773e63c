"""kernels/cpu/fused/ and bf16/inverted_residual.py: the distinct blocks of MobileNet v2, each as one call."""

import numpy as np

from .data import normal, written

#: Image, channels, expanded channels, filters, stride; the first has the network's first convolution for an expansion.
BLOCKS = {
    "224x224x3, 32, 16": (224, 3, 32, 16, 1),
    "112x112x16, 96, 24": (112, 16, 96, 24, 2),
    "56x56x24, 144, 24": (56, 24, 144, 24, 1),
    "56x56x24, 144, 32": (56, 24, 144, 32, 2),
    "28x28x32, 192, 32": (28, 32, 192, 32, 1),
    "28x28x32, 192, 64": (28, 32, 192, 64, 2),
    "14x14x64, 384, 64": (14, 64, 384, 64, 1),
    "14x14x96, 576, 96": (14, 96, 576, 96, 1),
    "14x14x96, 576, 160": (14, 96, 576, 160, 2),
    "7x7x160, 960, 160": (7, 160, 960, 160, 1),
}


class InvertedResidual:
    """Expansion, depthwise 3x3 window and projection, their filters packed before."""

    params, param_names = [list(BLOCKS), [1, 8]], ["block", "batch"]
    repeat, timeout = (3, 50, 0.3), 300

    def setup(self, block, batch):
        from fastcnn.kernels import cpu

        self.arrays, self.geometry = _arrays(block, batch, cpu.inverted_residual_forward_scratch,
                                             cpu.inverted_residual_forward_packed)
        self.kernel = cpu.inverted_residual_forward
        self.kernel(*self.arrays, 0, self.geometry)

    def time_forward(self, block, batch):
        self.kernel(*self.arrays, 1, self.geometry)


class PairsInvertedResidual(InvertedResidual):
    """As `InvertedResidual`, on pairs of bfloat16: without the block of the image itself, which has three channels."""

    params = ([block for block in BLOCKS if BLOCKS[block][1] % 2 == 0], [1, 8])

    def setup(self, block, batch):
        from fastcnn.kernels import cpu

        (y, scratch, packed, x, *filters, _, bounds), self.geometry = _arrays(
            block, batch, cpu.pairs_inverted_residual_forward_scratch, cpu.pairs_inverted_residual_forward_packed,
            words=2)
        ones = np.full(x.shape, 0x3F80, np.uint16)
        self.arrays = (np.zeros(y.shape, np.uint16), scratch, packed, ones.view(np.uint32), *filters,
                       np.zeros(0, np.uint16), bounds)
        self.kernel = cpu.pairs_inverted_residual_forward
        self.kernel(*self.arrays, 0, self.geometry)


def _arrays(block, batch, scratch, packed, words=1):
    """Return the arguments up to the bounds, and the geometry, whose products have `words` channels in one."""
    from fastcnn import geometry

    size, c, e, k, stride = BLOCKS[block]
    first = (3, 2) if c == 3 else (1, 1)
    g = geometry.conv2d((batch, size, size, c), e, (first[0],) * 2, (first[1],) * 2, "same")
    h = int(g[0]["oh"])
    middle = geometry.conv2d((batch, h, h, e), e, (3, 3), (stride, stride), "same", groups=e)
    h = int(middle[0]["oh"])
    g = np.concatenate([g, middle, geometry.conv2d((batch, h, h, e), k, (1, 1))])
    g["c"][[0, 2]] //= words
    kind = np.dtype(np.float32)
    arrays = (written(batch, h, h, k), written(scratch(g, kind)), written(packed(g, kind)),
              normal(batch, size, size, c), normal(first[0], first[0], c, e), normal(e), normal(3, 3, 1, e), normal(e),
              normal(1, 1, e, k), normal(k), normal(0), np.array([0, 6, 0, 0, 6, 0, -np.inf, np.inf, 0], np.float32))
    return arrays, g
