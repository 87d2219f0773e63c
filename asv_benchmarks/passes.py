"""Kernels that pass over memory once and have no benchmark elsewhere: parts of layers, losses, optimizers, metrics."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np

from .data import REPEAT, normal, written

_SIZE = 1 << 21  # numbers of a map: 8 MB
_ROWS, _WIDE = 1 << 15, 64


def _calls() -> dict[str, Callable[[], Callable[..., None]]]:
    """Return by name what makes a call of each kernel."""
    from fastcnn.geometry.dimensions import conv3d
    from fastcnn.kernels import codes, cpu, function_codes, loss_codes, optimizer_codes, tensor_codes

    single, flat, rows = np.dtype(np.float32), partial(written, _SIZE), partial(written, _ROWS, _WIDE)
    parts = np.linspace(0, _SIZE, 65).astype(np.int64)
    volume = conv3d((2, 16, 32, 32, 32), 32, (3, 3, 3), padding="same")

    def unit_rows(backward: bool) -> Any:
        y, scale, x = rows(), written(_ROWS), normal(_ROWS, _WIDE)
        cpu.unit_rows_forward(y, scale, x, 1e-12, 0.0)
        return partial(cpu.unit_rows_backward, rows(), x, y, scale, 1e-12) if backward else partial(
            cpu.unit_rows_forward, y, scale, x, 1e-12, 0.0)

    def top_rows(backward: bool) -> Any:
        y, at, x = written(_ROWS, 5), written(_ROWS, 5), normal(_ROWS, _WIDE)
        cpu.top_rows_forward(y, at, x)
        return partial(cpu.top_rows_backward, rows(), y, at) if backward else partial(cpu.top_rows_forward, y, at, x)

    def greatest() -> Any:
        x, y = normal(_ROWS, _WIDE), written(_ROWS)
        cpu.reduce_rows_forward(y, x, tensor_codes.LARGEST)
        return partial(cpu.reduce_rows_backward, rows(), normal(_ROWS), x, y, tensor_codes.LARGEST)

    return {
        "adaptive_step": lambda: partial(cpu.adaptive_step, normal(_SIZE), flat(), flat(), flat(), normal(_SIZE),
                                         optimizer_codes.RMSPROP, 1e-3, 0.9, 0.0, 0.0, 0.0, 1e-7, 0.0, False),
        "bias_backward": lambda: partial(cpu.bias_backward, written(_WIDE), written(
            cpu.bias_backward_scratch((_ROWS, _WIDE), single)), normal(_ROWS, _WIDE)),
        "byte_tile_product": lambda: partial(cpu.byte_tile_product, written(32, 32, dtype=np.int32),
                                             np.ones((64, 512), np.uint8), np.ones(9 * 8 * 2048, np.int8),
                                             np.arange(9, dtype=np.int64) * 512, 8),
        "categorical_crossentropy": lambda: partial(
            cpu.categorical_crossentropy, written(_ROWS), rows(), np.full((_ROWS, _WIDE), 1 / _WIDE, np.float32),
            np.full((_ROWS, _WIDE), 1 / _WIDE, np.float32), normal(0), 0.0, 1.0),
        "fold_depth": lambda: partial(cpu.fold_depth, written(2, 16, 32, 32, 32), normal(32, 32, 32, 96), normal(0), 0,
                                      0, volume),
        "fold_losses": lambda: partial(cpu.fold_losses, written(_ROWS), normal(_ROWS, _WIDE), 1.0),
        "function_backward": lambda: partial(cpu.function_backward, flat(), normal(_SIZE), normal(_SIZE),
                                             function_codes.ABSOLUTE, 0.0),
        "function_forward": lambda: partial(cpu.function_forward, flat(), normal(_SIZE), function_codes.ABSOLUTE, 0.0),
        "gaussian_noise": lambda: partial(cpu.gaussian_noise, flat(), normal(_SIZE), 0.1, 0, 1, 1),
        "l2_step": lambda: partial(cpu.l2_step, flat(), normal(_SIZE), normal(_SIZE), codes.L2_PRODUCT),
        "moving_average": lambda: partial(cpu.moving_average, flat(), normal(_SIZE), 0.01),
        "narrow_bfloat16": lambda: partial(cpu.narrow_bfloat16, written(_SIZE, dtype=np.uint16), normal(_SIZE)),
        "penalty": lambda: partial(cpu.penalty, written(1, dtype=np.float64), flat(), written(
            cpu.penalty_scratch(_SIZE, single), dtype=np.float64), normal(_SIZE), 0.0, 1e-4),
        "reduce_rows_backward": greatest,
        "repeated_copy": lambda: partial(cpu.repeated_copy, rows(), normal(_ROWS, _WIDE), 1),
        "round_bfloat16": lambda: partial(cpu.round_bfloat16, flat(), normal(_SIZE)),
        "row_loss": lambda: partial(cpu.row_loss, written(_ROWS), rows(), normal(_ROWS, _WIDE), normal(_ROWS, _WIDE),
                                    normal(0), loss_codes.COSINE, 0.0, 0.0, 0.0, 1.0),
        "scale_parts": lambda: partial(cpu.scale_parts, flat(), np.ones(64), parts, np.inf),
        "squared_norms": lambda: partial(cpu.squared_norms, np.empty(64), np.empty(
            cpu.squared_norms_scratch(64, single)), normal(_SIZE), parts),
        "tile_product": lambda: partial(cpu.tile_product, written(32, 32), np.ones((64, 512), np.uint16),
                                        np.ones(16 * 1024, np.uint16), np.zeros(1, np.int64), 16),
        "top_rows_backward": partial(top_rows, True),
        "top_rows_forward": partial(top_rows, False),
        "unfold_depth": lambda: partial(cpu.unfold_depth, written(32, 32, 32, 96), normal(2, 16, 32, 32, 32), 0,
                                        volume),
        "uniform_numbers": lambda: partial(cpu.uniform_numbers, flat(), 0.0, 1.0, 1, 1),
        "unit_rows_backward": partial(unit_rows, True),
        "unit_rows_forward": partial(unit_rows, False),
        "widen_bfloat16": lambda: partial(cpu.widen_bfloat16, flat(), written(_SIZE, dtype=np.uint16)),
    }


@cache
def _call(kernel: str) -> Callable[..., None]:
    call = _calls()[kernel]()
    call()
    return call


class Passes:
    """8 MB, as 2 million numbers or 32,768 rows of 64; two volumes of 16 x 32 x 32 pixels of 32 channels."""

    params = ("adaptive_step", "bias_backward", "byte_tile_product", "categorical_crossentropy", "fold_depth",
              "fold_losses", "function_backward", "function_forward", "gaussian_noise",
              "l2_step", "moving_average", "narrow_bfloat16", "penalty", "reduce_rows_backward", "repeated_copy",
              "round_bfloat16", "row_loss", "scale_parts", "squared_norms", "tile_product", "top_rows_backward",
              "top_rows_forward", "unfold_depth", "uniform_numbers", "unit_rows_backward", "unit_rows_forward",
              "widen_bfloat16")
    param_names, repeat = ("kernel",), REPEAT

    def setup(self, kernel):
        self.call = _call(kernel)

    def time_kernel(self, kernel):
        self.call()
