"""Convolutions of volumes and signals, and transposed ones, at the shapes of known networks: layers, not kernels."""

from functools import cache
from types import SimpleNamespace
from typing import Any

from .data import REPEAT, normal

#: Class, shape of the input, filters, window, strides and padding.
SHAPES: dict[str, tuple[str, tuple[int, ...], int, int, int, str]] = {
    "volume.32": ("Conv3D", (8, 16, 32, 32, 32), 32, 3, 1, "same"),
    "video.64": ("Conv3D", (4, 8, 56, 56, 64), 64, 3, 1, "same"),
    "scan.1": ("Conv3D", (2, 32, 64, 64, 1), 16, 3, 1, "same"),
    "unet3d.up": ("Conv3DTranspose", (2, 8, 16, 16, 64), 32, 2, 2, "valid"),
    "unet.up": ("Conv2DTranspose", (4, 64, 64, 128), 64, 2, 2, "valid"),
    "dcgan.128": ("Conv2DTranspose", (64, 8, 8, 256), 128, 4, 2, "same"),
    "dcgan.3": ("Conv2DTranspose", (64, 32, 32, 64), 3, 4, 2, "same"),
    "signal.32": ("Conv1D", (64, 1000, 32), 64, 9, 1, "same"),
}


@cache
def _layer(name: str) -> SimpleNamespace:
    """Return prediction and a pass forward and backward, as calls without arguments; each has run once."""
    from fastcnn import layers

    kind, shape, filters, size, strides, padding = SHAPES[name]
    layer: Any = getattr(layers, kind)(filters, size, strides=strides, padding=padding)
    x = normal(*shape)
    y, _ = layer.forward(x)
    dy = normal(*y.shape)
    calls = SimpleNamespace(predict=lambda: layer.predict(x), train=lambda: layer.forward(x)[1](dy))
    for call in vars(calls).values():
        call()
    return calls


class Dimensions:
    """Layers of one and three dimensions, and transposed ones."""

    params, param_names, repeat = [list(SHAPES)], ["layer"], REPEAT

    def setup(self, layer):
        self.calls = _layer(layer)

    def time_predict(self, layer):
        self.calls.predict()

    def time_train(self, layer):
        self.calls.train()
