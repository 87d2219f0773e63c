"""Kernels on bytes: convolutions of ResNet-50 and MobileNet v2, and passes over 2 million bytes."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np

from .data import REPEAT

_SIZE = 1 << 21
#: Input, filters, window, stride, of one image and its border.
_PRODUCTS = {"1x1, 56 px, 64 to 256": ((1, 56, 56, 64), 256, 1, 1),
             "1x1, 14 px, 1024 to 256": ((1, 14, 14, 1024), 256, 1, 1),
             "3x3, 56 px, 64 to 64": ((1, 58, 58, 64), 64, 3, 1),
             "3x3, 14 px, 256 to 256": ((1, 16, 16, 256), 256, 3, 1),
             "3x3, 7 px, 512 to 512": ((1, 9, 9, 512), 512, 3, 1),
             "7x7/2, 224 px, 3 to 64": ((1, 230, 230, 3), 64, 7, 2)}
_DEPTHWISE = {"112 px, 32": ((1, 114, 114, 32), 1), "56 px, 144": ((1, 58, 58, 144), 1),
              "112 px, 96, stride 2": ((1, 113, 113, 96), 2), "14 px, 576": ((1, 16, 16, 576), 1)}


def _bytes(size: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)


def _product(name: str) -> Callable[[], None]:
    from fastcnn import geometry
    from fastcnn.kernels import cpu

    shape, filters, window, stride = _PRODUCTS[name]
    g = geometry.conv2d(shape, filters, (window, window), (stride, stride))
    weights = _bytes(window * window * shape[-1] * filters).view(np.int8).reshape(window, window, shape[-1], filters)
    columns = [cpu.quantized_columns(g, one) for one in (np.zeros(filters, np.int32), np.full(filters, 1e-3, "f4"))]
    y = np.empty(int(g[0]["oh"] * g[0]["ow"]) * filters, np.uint8)
    return partial(cpu.quantized_conv2d, y, _bytes(int(np.prod(shape)) + cpu.byte_slack(g)),
                   cpu.quantized_conv2d_packed(g, weights), *columns, np.array([-128, 127], "f4"), 128, g)


def _on_tiles(name: str) -> Callable[[], None]:
    from fastcnn import geometry
    from fastcnn.kernels import cpu

    shape, filters, window, stride = _PRODUCTS[name]
    g = geometry.conv2d(shape, filters, (window, window), (stride, stride))
    cpu.quantized_tiles2d_suits(g)  # which takes the unit into use, where there is one
    weights = _bytes(window * window * shape[-1] * filters).view(np.int8).reshape(window, window, shape[-1], filters)
    columns = cpu.quantized_tiles2d_columns(np.zeros(filters, np.int32), np.full(filters, 1e-3, "f4"))
    y, scratch = (np.empty(size, np.uint8) for size in (
        int(g[0]["oh"] * g[0]["ow"]) * filters, cpu.quantized_tiles2d_scratch(g)))
    return partial(cpu.quantized_tiles2d, y, scratch, _bytes(int(np.prod(shape))),
                   cpu.quantized_tiles2d_packed(g, weights), columns, np.array([-128, 127], "f4"), 128, g)


def _depthwise(name: str) -> Callable[[], None]:
    from fastcnn import geometry
    from fastcnn.kernels import cpu

    shape, stride = _DEPTHWISE[name]
    g = geometry.conv2d(shape, shape[-1], (3, 3), (stride, stride), groups=shape[-1])
    weights = _bytes(9 * shape[-1]).view(np.int8).reshape(3, 3, 1, -1)
    columns = map(cpu.quantized_channels, (np.zeros(shape[-1], np.int32), np.full(shape[-1], 1e-2, "f4")))
    y = np.empty(int(g[0]["oh"] * g[0]["ow"]) * shape[-1], np.uint8)
    return partial(cpu.quantized_depthwise2d, y, _bytes(int(np.prod(shape)) + 64),
                   cpu.quantized_depthwise2d_packed(g, weights), *columns, np.array([-128, 127], "f4"), 128, g)


def _passes() -> dict[str, Callable[[], Callable[[], None]]]:
    from fastcnn import geometry
    from fastcnn.kernels import cpu

    y, x, numbers, scale = np.empty(_SIZE, np.uint8), _bytes(_SIZE), np.zeros(_SIZE, "f4"), np.ones(1, "f4")
    two, bounds = np.array([0.5, 0.7], "f4"), np.array([0, 250], "f4")
    pool = geometry.pool2d((2, 128, 128, 64), (2, 2), (2, 2))
    part = y[:_SIZE // 4]
    sizes = np.array([2, 126, 126, 64, 128, 128, 1, 1])
    return {
        "byte_border": lambda: partial(cpu.byte_border, y, x[:2 * 126 * 126 * 64], sizes, 9),
        "byte_max_pool2d": lambda: partial(cpu.byte_max_pool2d, part, x, 0, pool),
        "byte_table": lambda: partial(cpu.byte_table, y, x, _bytes(256)),
        "dequantize_bytes": lambda: partial(cpu.dequantize_bytes, numbers, x, scale, 9),
        "quantize_bytes": lambda: partial(cpu.quantize_bytes, y, numbers, scale, 9),
        "quantized_add": lambda: partial(cpu.quantized_add, y, x, x, two, bounds, np.array([3, 4, 5])),
        "quantized_average_pool2d": lambda: partial(cpu.quantized_average_pool2d, part, x, scale, bounds,
                                                    np.array([3, 4]), pool),
    }


@cache
def _call(make: Any, name: str) -> Callable[[], None]:
    call: Callable[[], None] = make(name)
    call()
    return call


class ByteProducts:
    """quantized_conv2d."""

    params, param_names, repeat = tuple(_PRODUCTS), ("layer",), REPEAT

    def setup(self, layer):
        self.call = _call(_product, layer)

    def time_quantized_conv2d(self, layer):
        self.call()


class ByteTiles:
    """quantized_tiles2d: by the machine's unit, or else by plain vector code."""

    params, param_names, repeat = tuple(_PRODUCTS), ("layer",), REPEAT

    def setup(self, layer):
        self.call = _call(_on_tiles, layer)

    def time_quantized_tiles2d(self, layer):
        self.call()


class ByteDepthwise:
    """quantized_depthwise2d, 3x3."""

    params, param_names, repeat = tuple(_DEPTHWISE), ("layer",), REPEAT

    def setup(self, layer):
        self.call = _call(_depthwise, layer)

    def time_quantized_depthwise2d(self, layer):
        self.call()


class BytePasses:
    """2 MB of bytes; images of 128 x 128 pixels of 64 channels."""

    params = ("byte_border", "byte_max_pool2d", "byte_table", "dequantize_bytes", "quantize_bytes", "quantized_add",
              "quantized_average_pool2d")
    param_names, repeat = ("kernel",), REPEAT

    def setup(self, kernel):
        self.call = _call(lambda name: _passes()[name](), kernel)

    def time_kernel(self, kernel):
        self.call()
