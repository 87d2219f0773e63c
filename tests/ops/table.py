"""Every operation of `fastcnn.ops` with arguments, and its twin in NumPy, for the laws of `test_laws`."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import signal, special

from fastcnn import ops

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((2, 3, 4)), RNG.standard_normal((2, 3, 4))
POSITIVE = np.abs(X) + 0.3
ROW = RNG.standard_normal(4)
MATRIX = RNG.standard_normal((4, 5))
IMAGES = RNG.standard_normal((2, 6, 5, 4))
SHARES = special.softmax(RNG.standard_normal((4, 3)), axis=-1)
LABELS = np.array([0, 2, 1, 2])
HOT = np.eye(3)[LABELS]
PLACES = np.array([2, 0, 2])
WHOLE = np.arange(24).reshape(2, 3, 4) % 7 - 3


@dataclass
class Row:
    """An operation of arrays, the twin of it, and whether it has a derivative along each of them."""

    run: Callable[..., Any]
    twin: Callable[..., Any]
    arrays: tuple[np.ndarray, ...]
    smooth: bool = True
    tolerance: float = 1e-12


def conv2d(x, k, stride=1, groups=1):
    """Convolve images with filters, window by window, without borders."""
    n, h, w, _ = x.shape
    kh, kw, per, filters = k.shape
    y = np.zeros((n, (h - kh) // stride + 1, (w - kw) // stride + 1, filters))
    for i, j in np.ndindex(y.shape[1:3]):
        part = x[:, i * stride:i * stride + kh, j * stride:j * stride + kw]
        for f in range(filters):
            first = f // (filters // groups) * per
            y[:, i, j, f] = (part[..., first:first + per] * k[..., f]).sum((1, 2, 3))
    return y


def windows(x, size, reduce):
    """Reduce windows side by side of images."""
    n, h, w, c = x.shape
    cut = x[:, :h // size * size, :w // size * size]
    return reduce(cut.reshape(n, h // size, size, w // size, size, c), axis=(2, 4))


def _row(name, twin, *arrays, smooth=True, tolerance=1e-12, **arguments):
    def run(*given):
        function = ops  # looked up when it runs: tests beside Keras put its operations there
        for part in name.split("."):
            function = getattr(function, part)
        return function(*given, **arguments)

    return Row(run, twin, arrays, smooth, tolerance)


def _of_list(name, twin, *arrays, **arguments):
    return Row(lambda *given: getattr(ops, name)(list(given), **arguments), twin, arrays)


TABLE: dict[str, Row] = {
    # of two numbers
    "add": _row("add", np.add, X, ROW), "subtract": _row("subtract", np.subtract, ROW, X),
    "multiply": _row("multiply", np.multiply, X, X[:, :1]), "divide": _row("divide", np.divide, X, POSITIVE[0]),
    "true_divide": _row("true_divide", np.divide, X, POSITIVE),
    "divide of a number": Row(lambda x: ops.divide(2.0, x), lambda x: 2 / x, (POSITIVE,)),
    "divide_no_nan": _row("divide_no_nan", lambda a, b: np.where(b == 0, 0, a / np.where(b == 0, 1, b)), X,
                          np.where(X > 1, 0, POSITIVE), smooth=False),
    "floor_divide": _row("floor_divide", np.floor_divide, X, POSITIVE, smooth=False),
    "mod": _row("mod", np.mod, X, POSITIVE), "power": _row("power", np.power, POSITIVE, Y),
    "power of a number": Row(lambda x: ops.power(x, 3), lambda x: x**3, (X,)),
    "maximum": _row("maximum", np.maximum, X, Y), "minimum": _row("minimum", np.minimum, X, ROW),
    "clip": _row("clip", lambda x: np.clip(x, -0.5, 0.75), X, x_min=-0.5, x_max=0.75),
    # of one number
    "abs": _row("abs", np.abs, X), "absolute": _row("absolute", np.abs, X),
    "negative": _row("negative", np.negative, X),
    "square": _row("square", np.square, X), "sign": _row("sign", np.sign, X), "sqrt": _row("sqrt", np.sqrt, POSITIVE),
    "rsqrt": _row("rsqrt", lambda x: x**-0.5, POSITIVE), "reciprocal": _row("reciprocal", np.reciprocal, POSITIVE),
    "exp": _row("exp", np.exp, X), "expm1": _row("expm1", np.expm1, X), "log": _row("log", np.log, POSITIVE),
    "log1p": _row("log1p", np.log1p, POSITIVE), "log2": _row("log2", np.log2, POSITIVE),
    "log10": _row("log10", np.log10, POSITIVE), "sin": _row("sin", np.sin, X), "cos": _row("cos", np.cos, X),
    "tan": _row("tan", np.tan, X / 3), "arctan": _row("arctan", np.arctan, X), "sinh": _row("sinh", np.sinh, X),
    "cosh": _row("cosh", np.cosh, X), "tanh": _row("tanh", np.tanh, X), "erf": _row("erf", special.erf, X),
    "floor": _row("floor", np.floor, 3 * X), "ceil": _row("ceil", np.ceil, 3 * X),
    "round": _row("round", np.round, 3 * X), "round to decimals": _row(
        "round", lambda x: np.round(x, 1), X, smooth=False, decimals=1),
    "cast": _row("cast", lambda x: x.astype(int), 3 * X, dtype="int32", smooth=False),
    "stop_gradient": _row("stop_gradient", lambda x: x, X, smooth=False),
    "convert_to_tensor": _row("convert_to_tensor", lambda x: x, X),
    # truth values
    "equal": _row("equal", np.equal, WHOLE, np.abs(WHOLE), smooth=False),
    "not_equal": _row("not_equal", np.not_equal, WHOLE, np.abs(WHOLE), smooth=False),
    "less": _row("less", np.less, X, ROW, smooth=False),
    "less_equal": _row("less_equal", np.less_equal, X, ROW, smooth=False),
    "greater": _row("greater", np.greater, X, ROW, smooth=False),
    "greater_equal": _row("greater_equal", np.greater_equal, X, ROW, smooth=False),
    "logical_and": _row("logical_and", np.logical_and, WHOLE, X > 0, smooth=False),
    "logical_or": _row("logical_or", np.logical_or, WHOLE, X > 0, smooth=False),
    "logical_xor": _row("logical_xor", np.logical_xor, WHOLE, X > 0, smooth=False),
    "logical_not": _row("logical_not", np.logical_not, WHOLE, smooth=False),
    "isnan": _row("isnan", np.isnan, np.where(X > 1, np.nan, X), smooth=False),
    "isinf": _row("isinf", np.isinf, np.where(X > 1, np.inf, X), smooth=False),
    "isfinite": _row("isfinite", np.isfinite, np.where(X > 1, -np.inf, X), smooth=False),
    "where": Row(lambda a, b: ops.where(X > 0, a, b), lambda a, b: np.where(X > 0, a, b), (X, ROW)),
    # along axes
    **{f"{name}{' along axes' * bool(more)}": _row(name, lambda x, f=f, more=more: f(x, **more), X, **more)
       for name, f in (("sum", np.sum), ("mean", np.mean), ("max", np.max), ("min", np.min), ("prod", np.prod),
                       ("amax", np.max), ("amin", np.min), ("var", np.var), ("std", np.std),
                       ("logsumexp", special.logsumexp))
       for more in ({}, {"axis": (0, -1)}, {"axis": 1, "keepdims": True})[:3 if name in ("sum", "max") else 2]},
    "sum, axes kept": _row("sum", lambda x: x.sum(1, keepdims=True), X, axis=1, keepdims=True),
    "any": _row("any", lambda x: x.any(1), X > 0.5, axis=1, smooth=False),
    "all": _row("all", lambda x: x.all(1), X > -0.5, axis=1, smooth=False),
    "argmax": _row("argmax", lambda x: x.argmax(1), X, axis=1, smooth=False),
    "argmin": _row("argmin", lambda x: x.argmin(), X, smooth=False),
    "average": Row(lambda x, w: ops.average(x, -1, w), lambda x, w: np.average(x, -1, w), (X, np.abs(ROW) + 1)),
    "norm": _row("norm", lambda x: np.sqrt((x * x).sum(1)), X, axis=1),
    "norm of order 1": _row("norm", lambda x: np.abs(x).sum(1), X, axis=1, ord=1),
    "norm of order 3": _row("norm", lambda x: (np.abs(x)**3).sum(1)**(1 / 3), X, axis=1, ord=3),
    "count_nonzero": _row("count_nonzero", lambda x: np.count_nonzero(x, 1), WHOLE, axis=1, smooth=False),
    # shapes
    "reshape": _row("reshape", lambda x: x.reshape(2, 12), X, newshape=(2, -1)),
    "ravel": _row("ravel", np.ravel, X),
    "transpose": _row("transpose", lambda x: x.transpose(0, 2, 1), X, axes=(0, 2, 1)),
    "transpose of all": _row("transpose", np.transpose, X), "swapaxes": _row(
        "swapaxes", lambda x: x.swapaxes(0, 2), X, axis1=0, axis2=2),
    "moveaxis": _row("moveaxis", lambda x: np.moveaxis(x, -1, 0), X, source=-1, destination=0),
    "expand_dims": _row("expand_dims", lambda x: x[:, None], X, axis=1),
    "squeeze": _row("squeeze", np.squeeze, X[:, :1]), "concatenate": _of_list(
        "concatenate", lambda a, b: np.concatenate([a, b], 1), X, Y[:, :2], axis=1),
    "stack": _of_list("stack", lambda a, b: np.stack([a, b], -1), X, Y, axis=-1),
    "split": Row(lambda x: ops.split(x, 2, -1)[1], lambda x: np.split(x, 2, -1)[1], (X,)),
    "split at places": Row(lambda x: ops.split(x, [1, 3], -1)[1], lambda x: x[..., 1:3], (X,)),
    "unstack": Row(lambda x: ops.unstack(x, axis=1)[2], lambda x: x[:, 2], (X,)),
    "get_item": Row(lambda x: ops.get_item(x, (slice(None), slice(None, None, -2), None, 1)),
                    lambda x: x[:, ::-2, None, 1], (X,)),
    "slice": _row("slice", lambda x: x[1:2, 1:3, :], X, start_indices=(1, 1, 0), shape=(1, 2, 4)),
    "flip": _row("flip", lambda x: x[:, ::-1], X, axis=1),
    "roll": _row("roll", lambda x: np.roll(x, 2, 1), X, shift=2, axis=1),
    "broadcast_to": _row("broadcast_to", lambda x: np.broadcast_to(x, (3, 4)), ROW, shape=(3, 4)),
    "pad": _row("pad", lambda x: np.pad(x, ((0, 0), (1, 2), (0, 1)), constant_values=2), X,
                pad_width=((0, 0), (1, 2), (0, 1)), constant_values=2),
    "pad, mirrored": _row("pad", lambda x: np.pad(x, ((0, 0), (1, 2), (0, 1)), "reflect"), X,
                          pad_width=((0, 0), (1, 2), (0, 1)), mode="reflect"),
    "repeat": _row("repeat", lambda x: np.repeat(x, 2, 1), X, repeats=2, axis=1),
    "tile": _row("tile", lambda x: np.tile(x, (1, 2, 1)), X, repeats=(1, 2, 1)),
    # by place
    "take": Row(lambda x: ops.take(x, PLACES, 1), lambda x: x.take(PLACES, 1), (X,)),
    "take of two dimensions": Row(lambda x: ops.take(x, [[0, 1], [2, -1]], -1), lambda x: x[..., [[0, 1], [2, -1]]],
        (X,)),
    "take_along_axis": Row(lambda x: ops.take_along_axis(x, WHOLE % 3, 1), lambda x: np.take_along_axis(x, WHOLE % 3,
        1), (X,)),
    "top_k": Row(lambda x: ops.top_k(x, 2)[0], lambda x: -np.sort(-x)[..., :2], (X,)),
    "top_k, places": Row(lambda x: ops.top_k(x, 2)[1], lambda x: np.argsort(-x)[..., :2], (X,), smooth=False),
    "argsort": _row("argsort", lambda x: x.argsort(1), X, axis=1, smooth=False),
    "sort": _row("sort", lambda x: np.sort(x, 1), X, axis=1),
    "cumsum": _row("cumsum", lambda x: x.cumsum(1), X, axis=1),
    # products
    "matmul": _row("matmul", np.matmul, X, MATRIX), "matmul of many": _row(
        "matmul", np.matmul, X, RNG.standard_normal((2, 4, 3))),
    "matmul with a vector": _row("matmul", np.matmul, X, ROW), "dot": _row("dot", np.dot, X, MATRIX),
    "tensordot": _row("tensordot", lambda a, b: np.tensordot(a, b, 2), X, RNG.standard_normal((3, 4, 2))),
    "einsum": Row(lambda a, b: ops.einsum("bij,bkj->bik", a, b), lambda a, b: np.einsum("bij,bkj->bik", a, b), (X, Y)),
    "einsum with dots": Row(lambda a, b: ops.einsum("...j,jk->...k", a, b), lambda a, b: a @ b, (X, MATRIX)),
    "einsum of one": Row(lambda a: ops.einsum("ijk->ki", a), lambda a: a.sum(1).T, (X,)),
    # made of nothing, or of a shape
    "zeros_like": _row("zeros_like", np.zeros_like, X, smooth=False),
    "ones_like": _row("ones_like", np.ones_like, X, smooth=False),
    "full_like": _row("full_like", lambda x: np.full_like(x, 2.5), X, fill_value=2.5, smooth=False),
    "one_hot": _row("one_hot", lambda x: np.eye(3)[x], LABELS, num_classes=3, smooth=False),
    "multi_hot": _row("multi_hot", lambda x: np.eye(3)[x].max(1), LABELS.reshape(2, 2), num_classes=3, smooth=False),
    # networks
    "relu": _row("relu", lambda x: np.maximum(x, 0), X), "relu6": _row("relu6", lambda x: np.clip(x, 0, 6), 4 * X),
    "sigmoid": _row("sigmoid", special.expit, X), "silu": _row("silu", lambda x: x * special.expit(x), X),
    "swish": _row("swish", lambda x: x * special.expit(x), X),
    "softplus": _row("softplus", lambda x: np.logaddexp(x, 0), X),
    "softsign": _row("softsign", lambda x: x / (1 + np.abs(x)), X),
    "selu": _row("selu", lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x)), X),
    "log_sigmoid": _row("log_sigmoid", special.log_expit, X),
    "hard_sigmoid": _row("hard_sigmoid", lambda x: np.clip(x / 6 + 0.5, 0, 1), 4 * X),
    "hard_silu": _row("hard_silu", lambda x: x * np.clip(x / 6 + 0.5, 0, 1), 4 * X),
    "hard_swish": _row("hard_swish", lambda x: x * np.clip(x / 6 + 0.5, 0, 1), 4 * X),
    "hard_tanh": _row("hard_tanh", lambda x: np.clip(x, -1, 1), X),
    "tanh_shrink": _row("tanh_shrink", lambda x: x - np.tanh(x), X),
    "sparse_plus": _row("sparse_plus", lambda x: np.where(x <= -1, 0, np.where(x < 1, (x + 1)**2 / 4, x)), X),
    "sparse_sigmoid": _row("sparse_sigmoid", lambda x: np.clip((x + 1) / 2, 0, 1), X),
    "leaky_relu": _row("leaky_relu", lambda x: np.where(x > 0, x, 0.1 * x), X, negative_slope=0.1),
    "elu": _row("elu", lambda x: np.where(x > 0, x, np.expm1(x)), X),
    "celu": _row("celu", lambda x: np.where(x > 0, x, 2 * np.expm1(x / 2)), X, alpha=2.0),
    "gelu": _row("gelu", lambda x: x * special.ndtr(x), X, approximate=False),
    "squareplus": _row("squareplus", lambda x: (x + np.sqrt(x * x + 4)) / 2, X),
    "hard_shrink": _row("hard_shrink", lambda x: np.where(np.abs(x) > 0.5, x, 0), X),
    "soft_shrink": _row("soft_shrink", lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0), X),
    "threshold": _row("threshold", lambda x: np.where(x > 0.2, x, -1), X, threshold=0.2, default_value=-1.0),
    "softmax": _row("softmax", lambda x: special.softmax(x, 1), X, axis=1),
    "softmax of a vector": _row("softmax", special.softmax, ROW),
    "log_softmax": _row("log_softmax", lambda x: special.log_softmax(x, -1), X),
    "glu": _row("glu", lambda x: x[..., :2] * special.expit(x[..., 2:]), X),
    "conv": _row("conv", conv2d, IMAGES, RNG.standard_normal((3, 2, 4, 6))),
    "conv in groups": _row("conv", lambda x, k: conv2d(x, k, 2, 2), IMAGES, RNG.standard_normal((3, 2, 2, 6)),
        strides=2),
    "depthwise_conv": _row("depthwise_conv", lambda x, k: conv2d(x, k.reshape(3, 2, 1, 8), 1, 4), IMAGES,
                           RNG.standard_normal((3, 2, 4, 2))),
    "separable_conv": _row("separable_conv", lambda x, a, b: conv2d(conv2d(x, a.reshape(3, 2, 1, 4), 1, 4), b), IMAGES,
                           RNG.standard_normal((3, 2, 4, 1)), RNG.standard_normal((1, 1, 4, 3))),
    "conv_transpose": _row("conv_transpose", lambda x, k: np.stack([np.sum([signal.convolve2d(
        image[..., c], k[:, :, f, c]) for c in range(4)], 0) for image in x for f in range(3)]).reshape(
            2, 3, 8, 6).transpose(0, 2, 3, 1), IMAGES, RNG.standard_normal((3, 2, 3, 4))),
    "max_pool": _row("max_pool", lambda x: windows(x, 2, np.max), IMAGES, pool_size=2),
    "average_pool": _row("average_pool", lambda x: windows(x, 2, np.mean), IMAGES, pool_size=2),
    "moments": Row(lambda x: ops.moments(x, (0, 1))[1], lambda x: x.var((0, 1)), (X,)),
    "batch_normalization": Row(
        lambda x, m, v, b, s: ops.batch_normalization(x, m, v, -1, b, s), lambda x, m, v, b, s: s * (x - m) / np.sqrt(
            v + 1e-3) + b, (X, ROW, np.abs(ROW) + 1, 2 * ROW, ROW + 3)),
    "layer_normalization": _row("layer_normalization", lambda x, g, b: g * (x - x.mean(-1, keepdims=True)) / np.sqrt(
        x.var(-1, keepdims=True) + 1e-7) + b, X, ROW, 2 * ROW),
    "rms_normalization": _row("rms_normalization", lambda x, s: s * x / np.sqrt(
        (x * x).mean(-1, keepdims=True) + 1e-7), X, ROW),
    "normalize": _row("normalize", lambda x: x / np.sqrt((x * x).sum(1, keepdims=True)), X, axis=1),
    "normalize of order 3": _row("normalize", lambda x: x / (np.abs(x)**3).sum(1, keepdims=True)**(1 / 3), X, axis=1,
        order=3),
    "binary_crossentropy": _row("binary_crossentropy", lambda t, y: -t * np.log(y) - (1 - t) * np.log(1 - y),
                                SHARES, SHARES[::-1]),
    "binary_crossentropy from logits": _row("binary_crossentropy", lambda t, y: np.logaddexp(y, 0) - t * y, SHARES,
                                            X[0, :, :3].repeat(2, 0)[:4] + 0.01 * SHARES, from_logits=True),
    "categorical_crossentropy": _row("categorical_crossentropy", lambda t, y: -(t * np.log(y / y.sum(
        -1, keepdims=True))).sum(-1), HOT, SHARES * 0.7),
    "categorical_crossentropy from logits": _row(
        "categorical_crossentropy", lambda t, y: -(t * special.log_softmax(y, -1)).sum(-1), HOT, SHARES * 3,
        from_logits=True),
    "sparse_categorical_crossentropy": Row(
        lambda y: ops.sparse_categorical_crossentropy(LABELS, y), lambda y: -np.log(
            (y / y.sum(-1, keepdims=True))[np.arange(4), LABELS]), (SHARES * 0.7,)),
    "depth_to_space": _row("depth_to_space", lambda x: x.reshape(2, 6, 5, 2, 2, 1).transpose(
        0, 1, 3, 2, 4, 5).reshape(2, 12, 10, 1), IMAGES, block_size=2),
    "space_to_depth": _row("space_to_depth", lambda x: x.reshape(2, 3, 2, 2, 2, 4).transpose(
        0, 1, 3, 2, 4, 5).reshape(2, 3, 2, 16), IMAGES[:, :, :4], block_size=2),
    "psnr": _row("psnr", lambda a, b: 20 * math.log10(3) - 10 * np.log10(((a - b)**2).mean()), X, Y, max_val=3.0),
    # images
    "image.resize": _row("image.resize", lambda x: x.reshape(2, 3, 2, 2, 2, 4).mean((2, 4)), IMAGES[:, :, :4], size=(3,
        2)),
    "image.rgb_to_grayscale": _row("image.rgb_to_grayscale", lambda x: x @ [[0.2989], [0.587], [0.114]], IMAGES[...,
        :3]),
    "image.extract_patches": _row("image.extract_patches", lambda x: x.reshape(2, 3, 2, 2, 2, 4).transpose(
        0, 1, 3, 2, 4, 5).reshape(2, 3, 2, 16), IMAGES[:, :, :4], size=2),
    "image.pad_images": _row("image.pad_images", lambda x: np.pad(x, ((0, 0), (1, 0), (2, 3), (0, 0))), IMAGES,
                             top_padding=1, left_padding=2, bottom_padding=0, target_width=10),
    "image.crop_images": _row("image.crop_images", lambda x: x[:, 1:4, 2:], IMAGES, top_cropping=1, left_cropping=2,
                              target_height=3, right_cropping=0),
}  # fmt: skip
