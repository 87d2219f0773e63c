"""Normalization, and dropout."""

import math
from typing import Any

import numpy as np

from fastcnn import layers
from fastcnn.errors import ModelFileError
from fastcnn.onnx.operators._memory import channels_first, channels_last, from_front, is_float
from fastcnn.onnx.operators._registry import operator
from fastcnn.onnx.operators._sums import center, mean, total


def _by_channel(vector: np.ndarray, rank: int) -> np.ndarray:
    return vector.reshape(-1, *(1,) * (rank - 2))


@operator("BatchNormalization")
def batch_normalization(x: np.ndarray, scale: np.ndarray, bias: np.ndarray, running: np.ndarray,
                        variance: np.ndarray, *, epsilon: float = 1e-5, momentum: float = 0.9, training_mode: int = 0,
                        spatial: int = 1, is_test: int = 1, consumed_inputs: Any = None, outputs: int = 1,
                        kept: dict[Any, Any]) -> Any:
    """scale (x - mean) / sqrt(variance + epsilon) + bias by channel.

    In training mode with the batch's own mean and variance; the running ones follow,
    running = momentum running + (1 - momentum) batch.
    """
    if not spatial or (not is_test and not training_mode and outputs > 1):
        raise ModelFileError("BatchNormalization: expected inference by channel, as operator sets since 9 have it, "
                             f"got spatial={spatial}, is_test={is_test}")
    if training_mode:
        over = tuple(axis for axis in range(x.ndim) if axis != 1)
        middle = center(x, over)
        batch_mean, batch_variance = np.squeeze(middle, over), mean(np.square(x - middle), over)
        y = _affine(x, scale, bias, batch_mean, batch_variance, epsilon)
        return (y, *((old * momentum + new * (1 - momentum)).astype(old.dtype)
                     for old, new in ((running, batch_mean), (variance, batch_variance))))
    same_type = all(v.dtype == x.dtype for v in (scale, bias, running, variance))
    if not (is_float(x) and same_type and x.ndim > 1 and x.size and epsilon > 0):
        return _affine(x, scale, bias, running, variance, epsilon)
    images = channels_last(x)
    made_from = scale, bias, running, variance
    layer, key, *made = kept.get("layer", (None, None))
    if layer is None or key != images.shape[1:] or any(a is not b for a, b in zip(made, made_from)):
        key = images.shape[1:]
        layer = layers.BatchNormalization(epsilon=epsilon, name="batch_normalization", dtype=x.dtype.name)
        layer.build((None, *key))
        layer.set_weights(list(made_from))
        kept["layer"] = layer, key, *made_from
    return channels_first(layer.predict(images))


def _affine(x: np.ndarray, scale: np.ndarray, bias: np.ndarray, mean: np.ndarray, variance: np.ndarray,
            epsilon: float) -> np.ndarray:
    factor = scale / np.sqrt(variance + np.asarray(epsilon, variance.dtype))
    y = (x - _by_channel(mean, x.ndim)) * _by_channel(factor, x.ndim) + _by_channel(bias, x.ndim)
    return y.astype(x.dtype, copy=False)


def _standardized(x: np.ndarray, over: tuple[int, ...], epsilon: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (x - mean) / sqrt(variance + epsilon), the mean and the reciprocal of the root, in float32 at least."""
    z = x if is_float(x) else x.astype(np.float32)
    middle = center(z, over)
    centred = z - middle
    rstd = 1 / np.sqrt(mean(np.square(centred), over, keepdims=True) + np.asarray(epsilon, z.dtype))
    return centred * rstd, middle, rstd


@operator("InstanceNormalization")
def instance_normalization(x: np.ndarray, scale: np.ndarray, bias: np.ndarray, *, epsilon: float = 1e-5,
                           consumed_inputs: Any = None) -> np.ndarray:
    """Each channel of each image normalized over its pixels."""
    y = _standardized(x, tuple(range(2, x.ndim)), epsilon)[0]
    return (y * _by_channel(scale, x.ndim) + _by_channel(bias, x.ndim)).astype(x.dtype)


@operator("GroupNormalization")
def group_normalization(x: np.ndarray, scale: np.ndarray, bias: np.ndarray, *, num_groups: int, epsilon: float = 1e-5,
                        stash_type: int = 1) -> np.ndarray:
    """Each group of channels of each image normalized over its pixels; scale and bias by channel, or by group."""
    grouped = x.reshape(x.shape[0], num_groups, -1)
    y = _standardized(grouped, (2,), epsilon)[0].reshape(x.shape)
    each = x.shape[1] // scale.size  # 1, or the channels of a group before operator set 21
    gamma, beta = (_by_channel(np.repeat(vector, each), x.ndim) for vector in (scale, bias))
    return (y * gamma + beta).astype(x.dtype)


@operator("LayerNormalization")
def layer_normalization(x: np.ndarray, scale: np.ndarray, bias: np.ndarray | None = None, *, axis: int = -1,
                        epsilon: float = 1e-5, stash_type: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Normalized over the axes from `axis` on; also mean and 1 / sqrt(variance + epsilon)."""
    y, middle, rstd = _standardized(x, tuple(range(from_front(axis, x.ndim), x.ndim)), epsilon)
    y = y * scale
    return (y if bias is None else y + bias).astype(x.dtype), middle, rstd


@operator("RMSNormalization")
def rms_normalization(x: np.ndarray, scale: np.ndarray, *, axis: int = -1, epsilon: float = 1e-5,
                      stash_type: int = 1) -> np.ndarray:
    """x / sqrt(mean of x^2 + epsilon) scale, over the axes from `axis` on."""
    z = x if is_float(x) else x.astype(np.float32)
    over = tuple(range(from_front(axis, x.ndim), x.ndim))
    rms = np.sqrt(mean(np.square(z), over, keepdims=True) + np.asarray(epsilon, z.dtype))
    return (z / rms).astype(x.dtype) * scale


@operator("MeanVarianceNormalization")
def mean_variance_normalization(x: np.ndarray, *, axes: Any = (0, 2, 3)) -> np.ndarray:
    """(x - mean) / (standard deviation + 1e-9) over the axes."""
    centred = x - center(x, tuple(axes))
    deviation = np.sqrt(mean(np.square(centred), tuple(axes), keepdims=True))
    return (centred / (deviation + np.asarray(1e-9, x.dtype))).astype(x.dtype)


@operator("LpNormalization")
def lp_normalization(x: np.ndarray, *, axis: int = -1, p: int = 2) -> np.ndarray:
    """x divided by its norm along an axis; zero where that is zero."""
    norm = total(np.abs(x) ** p, axis, keepdims=True) ** (1 / p)
    return np.where(norm == 0, 0, x / np.where(norm == 0, 1, norm)).astype(x.dtype)


@operator("LRN")
def local_response_normalization(x: np.ndarray, *, size: int, alpha: float = 1e-4, beta: float = 0.75,
                                 bias: float = 1.0) -> np.ndarray:
    """x / (bias + alpha / size s)^beta, s the sum of squares over `size` neighbouring channels.

    Krizhevsky, Sutskever and Hinton, 2012, section 3.3; the window of channel c reaches from c - floor((size - 1) / 2)
    to c + ceil((size - 1) / 2).
    """
    channels = x.shape[1]
    before, after = min((size - 1) // 2, channels - 1), min(size // 2, channels - 1)
    squares = np.square(x)
    total = np.zeros_like(squares)
    for shift in range(-before, after + 1):
        low, high = max(0, -shift), min(channels, channels - shift)
        if low < high:
            total[:, low:high] += squares[:, low + shift : high + shift]
    return (x / (bias + alpha / size * total) ** beta).astype(x.dtype)


@operator("Dropout", pure=False)
def dropout(x: np.ndarray, ratio_in: np.ndarray | None = None, training: np.ndarray | None = None, *,
            ratio: float = 0.5, seed: int = 0, is_test: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """x, and a mask of what was kept; in training mode each element is dropped with probability `ratio`."""
    rate = ratio if ratio_in is None else float(ratio_in.reshape(-1)[0])
    if training is None or not bool(training.reshape(-1)[0]) or rate == 0:
        return x, np.ones(x.shape, bool)
    mask = np.random.RandomState(seed).uniform(0, 1, math.prod(x.shape)).reshape(x.shape) >= rate
    return (mask * x * np.asarray(1 / (1 - rate), x.dtype)).astype(x.dtype), mask
