"""Convolutions with filters that are tensors, and poolings: by the layers of their names."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from fastcnn import device, initializers, layers
from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import several
from fastcnn.layers.call import Call
from fastcnn.ops import types
from fastcnn.ops.casting import meet
from fastcnn.ops.primitive import Gradients, primitive, same
from fastcnn.ops.shaping import reshape
from fastcnn.parameters import Parameter
from fastcnn.symbolic import Tensor

_KINDS: dict[str, Callable[..., Any]] = {
    f"{kind}{rank}": getattr(layers, name.format(rank=rank)) for kind, name in (
        ("conv", "Conv{rank}D"), ("depthwise", "DepthwiseConv{rank}D"), ("transpose", "Conv{rank}DTranspose"))
    for rank in (1, 2, 3) if (kind, rank) != ("depthwise", 3)}


@functools.lru_cache(maxsize=256)
def _built(kind: str, shape: Any, filters: Any, dtype: str, told: Any) -> Any:
    """Return a layer of a kind for images (None, H, W, C) and filters of a shape, without weights of its own."""
    arguments = {"use_bias": False, "dtype": dtype, "name": f"ops.{kind}", **dict(told)}
    size, channels = filters[:-2], shape[-1]
    if kind.startswith("depthwise"):
        layer = _KINDS[kind](size, depth_multiplier=filters[-1], **arguments)
    elif kind.startswith("transpose"):
        layer = _KINDS[kind](filters[-2], size, **arguments)
    else:
        if filters[-2] < 1 or channels % filters[-2]:
            raise ArgumentError(f"ops.conv: expected a kernel (.., channels, filters) for {channels} channels, got "
                                f"{filters}")
        layer = _KINDS[kind](filters[-1], size, groups=channels // filters[-2], **arguments)
    with initializers.nothing_drawn():
        layer.build(shape)
    if layer.kernel.shape != filters:
        raise ArgumentError(f"ops.{kind[:-1]}: expected a kernel {layer.kernel.shape} for images {shape}, "
                            f"got {filters}")
    return layer


def _layer_of(x: Any, kernel: Any, kind: str, dtype: str, arguments: dict[str, Any]) -> Any:
    told = tuple((key, tuple(value) if isinstance(value, list) else value) for key, value in sorted(arguments.items()))
    return _built(kind, (None, *x[1:]), tuple(kernel), dtype, told)


def _window_shape(x: Any, kernel: Any, *, kind: str, arguments: Any) -> Any:
    return x[0], *_layer_of(x, kernel, kind, "float32", arguments).output_shape[1:]


def _onnx_window(writer: Any, names: Any, shapes: Any, *, kind: str, arguments: Any) -> str:
    if kind.startswith("transpose"):
        raise ArgumentError("ops.conv_transpose: expected an operation that ONNX has as it is meant here; export a "
                            "model with layers.Conv2DTranspose")
    rank, filters, groups = int(kind[-1]), names[1], shapes[0][-1] // shapes[1][-2]
    if kind.startswith("depthwise"):
        groups, whole = shapes[0][-1], [*shapes[1][:-2], 1, shapes[1][-2] * shapes[1][-1]]
        filters = writer.node("Reshape", [filters, writer.constant(np.asarray(whole, np.int64), "shape")])
    each = {key: list(several(arguments[key], rank, "ops")) for key in ("strides", "dilation_rate")}
    y = writer.node("Conv", [writer.node("Transpose", [names[0]], perm=[0, rank + 1, *range(1, rank + 1)]),
                             writer.node("Transpose", [filters], perm=[rank + 1, rank, *range(rank)])],
                    group=groups, strides=each["strides"], dilations=each["dilation_rate"],
                    auto_pad="SAME_UPPER" if arguments["padding"] == "same" else "VALID")
    return str(writer.node("Transpose", [y], perm=[0, *range(2, rank + 2), 1]))


@primitive(_window_shape, same, onnx=_onnx_window)
def _window(x: Any, kernel: Any, kind: str, arguments: Any) -> tuple[Any, Gradients]:
    filters = Parameter(kernel, "kernel", f"ops.{kind}/kernel")
    layer = _layer_of(x.shape, kernel.shape, kind, x.dtype.name, arguments)
    y, back = layer.replaced(kernel=filters, parameters=[filters]).forward(x, Call())

    def backward(dy: Any) -> Any:
        filters.zero_grad()
        dx = back(dy)
        return dx, filters.gradient

    return y, backward


def _rank_of(who: str, x: Any, lowest: int = 1) -> int:
    rank: int = x.ndim - 2
    if not lowest <= rank <= 3:
        raise ArgumentError(f"ops.{who}: expected signals, images or volumes, (N, .., C), got {tuple(x.shape)}")
    return rank


def _convolved(kind: str, who: str, inputs: Any, kernel: Any, data_format: Any, arguments: dict[str, Any]) -> Any:
    channels_last(who, data_format)
    x, filters = meet(f"ops.{who}", inputs, kernel, floating=True)
    rank = _rank_of(who, x)
    if filters.ndim != rank + 2 or f"{kind}{rank}" not in _KINDS:
        raise ArgumentError(f"ops.{who}: expected a kernel of {rank + 2} dimensions for inputs {tuple(x.shape)}, got "
                            f"{tuple(filters.shape)}")
    return _window(x, filters, kind=f"{kind}{rank}", arguments=arguments)


def channels_last(who: str, data_format: Any) -> None:
    """Raise ArgumentError for another order of an image's dimensions than (N, H, W, C).

    Parameters
    ----------
    who : str
    data_format : str, optional
    """
    if data_format not in (None, "channels_last"):
        raise ArgumentError(f"ops.{who}: data_format={data_format!r} is not offered; images are channels-last, "
                            f"(N, H, W, C): transpose them with ops.moveaxis(x, 1, -1)")


def conv(inputs: Any, kernel: Any, strides: Any = 1, padding: Any = "valid", data_format: str | None = None,
         dilation_rate: Any = 1) -> Any:
    """Return the convolution of signals, images or volumes with filters.

    Parameters
    ----------
    inputs : (N, .., C) array or tensor
    kernel : (.., C // groups, filters) array or tensor
    strides, dilation_rate : int or tuple of int
    padding : str
        "valid" or "same".
    data_format : str, optional
        "channels_last", the only order that is offered.

    Examples
    --------
    >>> fc.ops.conv(np.ones((1, 8, 8, 3), "float32"), np.ones((3, 3, 3, 4), "float32")).shape
    (1, 6, 6, 4)
    """
    return _convolved("conv", "conv", inputs, kernel, data_format, {
        "strides": strides, "padding": padding, "dilation_rate": dilation_rate})


def depthwise_conv(inputs: Any, kernel: Any, strides: Any = 1, padding: Any = "valid",
                   data_format: str | None = None, dilation_rate: Any = 1) -> Any:
    """Return the convolution of each channel with filters of its own.

    Parameters
    ----------
    inputs : (N, .., C) array or tensor
    kernel : (.., C, multiplier) array or tensor
    strides, dilation_rate : int or tuple of int
    padding : str
        "valid" or "same".
    data_format : str, optional
        "channels_last", the only order that is offered.

    Examples
    --------
    >>> fc.ops.depthwise_conv(np.ones((1, 8, 8, 3), "float32"), np.ones((3, 3, 3, 2), "float32")).shape
    (1, 6, 6, 6)
    """
    return _convolved("depthwise", "depthwise_conv", inputs, kernel, data_format, {
        "strides": strides, "padding": padding, "dilation_rate": dilation_rate})


def separable_conv(inputs: Any, depthwise_kernel: Any, pointwise_kernel: Any, strides: Any = 1,
                   padding: Any = "valid", data_format: str | None = None, dilation_rate: Any = 1) -> Any:
    """Return `depthwise_conv`, and then a convolution with filters of one pixel.

    Parameters
    ----------
    inputs : (N, .., C) array or tensor
    depthwise_kernel : (.., C, multiplier) array or tensor
    pointwise_kernel : (1, .., C multiplier, filters) array or tensor
    strides, dilation_rate : int or tuple of int
    padding : str
        "valid" or "same".
    data_format : str, optional
        "channels_last", the only order that is offered.

    Examples
    --------
    >>> x, a, b = np.ones((1, 8, 8, 3), "f4"), np.ones((3, 3, 3, 1), "f4"), np.ones((1, 1, 3, 5), "f4")
    >>> fc.ops.separable_conv(x, a, b).shape
    (1, 6, 6, 5)
    """
    y = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(y, pointwise_kernel)


def conv_transpose(inputs: Any, kernel: Any, strides: Any = 1, padding: Any = "valid", output_padding: Any = None,
                   data_format: str | None = None, dilation_rate: Any = 1) -> Any:
    """Return the transposed convolution, which is the gradient of one.

    Parameters
    ----------
    inputs : (N, .., C) array or tensor
    kernel : (.., filters, C) array or tensor
    strides, dilation_rate : int or tuple of int
    padding : str
        "valid" or "same".
    output_padding : int or tuple of int, optional
    data_format : str, optional
        "channels_last", the only order that is offered.

    Examples
    --------
    >>> fc.ops.conv_transpose(np.ones((1, 4, 4, 3), "f4"), np.ones((2, 2, 5, 3), "f4"), strides=2).shape
    (1, 8, 8, 5)
    """
    return _convolved("transpose", "conv_transpose", inputs, kernel, data_format, {
        "strides": strides, "padding": padding, "output_padding": output_padding, "dilation_rate": dilation_rate})


def by_layer(cls: Any, who: str, x: Any, *arguments: Any, **named: Any) -> Any:
    """Return what a layer without weights makes of an array or a tensor.

    Parameters
    ----------
    cls : type
    who : str
    x : array or tensor
        Of integers: as float32.
    *arguments, **named
        The layer's.
    """
    (x,) = meet(f"ops.{who}", x, floating=True)
    kind = types.dtype_of(x).name
    if isinstance(x, Tensor):
        y = cls(*arguments, dtype=kind, **named)(x)
        return y if x.shape[0] is None else reshape(y, (x.shape[0], *y.shape[1:]))
    x = x.numpy() if isinstance(x, Parameter) else x
    return cls(*arguments, dtype=kind, name=f"ops.{who}", **named).predict(device.of(x).ready(np.asarray(x)))


def max_pool(inputs: Any, pool_size: Any, strides: Any = None, padding: Any = "valid",
             data_format: str | None = None) -> Any:
    """Return the largest number of each window.

    Parameters
    ----------
    inputs : (N, .., C) array or tensor
    pool_size : int or tuple of int
    strides : int or tuple of int, optional
        `pool_size` if absent.
    padding : str
        "valid" or "same".
    data_format : str, optional
        "channels_last", the only order that is offered.

    Examples
    --------
    >>> fc.ops.max_pool(np.ones((1, 8, 8, 3), "float32"), 2).shape
    (1, 4, 4, 3)
    """
    return _pooled("max_pool", "MaxPooling", inputs, pool_size, strides, padding, data_format)


def average_pool(inputs: Any, pool_size: Any, strides: Any = None, padding: Any = "valid",
                 data_format: str | None = None) -> Any:
    """Return the mean of each window.

    Parameters
    ----------
    inputs : (N, .., C) array or tensor
    pool_size : int or tuple of int
    strides : int or tuple of int, optional
        `pool_size` if absent.
    padding : str
        "valid" or "same".
    data_format : str, optional
        "channels_last", the only order that is offered.

    Examples
    --------
    >>> fc.ops.average_pool(np.ones((1, 8, 8, 3), "float32"), 2).shape
    (1, 4, 4, 3)
    """
    return _pooled("average_pool", "AveragePooling", inputs, pool_size, strides, padding, data_format)


def _pooled(who: str, kind: str, x: Any, pool_size: Any, strides: Any, padding: Any, data_format: Any) -> Any:
    channels_last(who, data_format)
    (x,) = meet(f"ops.{who}", x, floating=True)
    return by_layer(getattr(layers, f"{kind}{_rank_of(who, x)}D"), who, x, pool_size, strides, padding)
