"""Whole convolution layers, as peers.py compares them: every distinct published shape, by whatever kernel it takes."""

from collections.abc import Callable
from functools import cache
from typing import Any

from .shapes import BATCHES, LAYERS


@cache
def _run(kind: str, layer: str) -> Callable[[], Any]:
    from .comparison.by_fastcnn import layers

    run = getattr(layers, f"convolution_{kind}")(layer).run
    run()
    return run


class _Layers:
    params, param_names, repeat, timeout = [list(LAYERS), list(BATCHES)], ["layer", "batch"], (3, 50, 0.3), 300
    kind = ""

    def setup(self, layer, batch):
        self.run = _run(self.kind, f"{layer}.b{batch}")


class Forward(_Layers):
    """With weights that are new each time."""

    kind = "forward"

    def time_forward(self, layer, batch):
        self.run()


class Packed(_Layers):
    """With weights that have not changed."""

    kind = "packed"

    def time_packed(self, layer, batch):
        self.run()


class Gradients(_Layers):
    """Forward, and the gradients of input, kernel and bias."""

    kind = "gradients"

    def time_gradients(self, layer, batch):
        self.run()
