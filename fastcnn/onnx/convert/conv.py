"""Convolution layers; products and sums by channel that follow go into their weights."""

from typing import Any

import numpy as np

from fastcnn import layers
from fastcnn.onnx._graph import OnnxNode
from fastcnn.onnx._importer import Importer, converter
from fastcnn.onnx._layout import NotOfferedError
from fastcnn.onnx._layout_view import View, channels_last
from fastcnn.onnx.convert.quantized import integers_of
from fastcnn.onnx.operators._windows import Ints, windows
from fastcnn.onnx.operators.conv import check_bank, transposed_windows

_CONV = layers.Conv1D, layers.Conv2D, layers.Conv3D
_DEPTHWISE = layers.DepthwiseConv1D, layers.DepthwiseConv2D
_TRANSPOSE = layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose


def padding_of(before: Any, after: Any, auto_pad: str = "NOTSET") -> Any:
    """Return a layer's padding: "valid", pairs, or "same", which says of any size what SAME_UPPER says."""
    if auto_pad == "SAME_UPPER":
        return "same"
    pairs = tuple((int(b), int(a)) for b, a in zip(before, after))
    return pairs if any(map(any, pairs)) else "valid"


def times(w: np.ndarray, scale: Any) -> np.ndarray:
    """Return scale w, computed in double precision; w itself where that changes nothing."""
    return w if np.all(np.equal(scale, 1)) else w.astype(np.float64) * scale


def _bank(w: np.ndarray) -> np.ndarray:
    """Return (K, C, ...) as (..., C, K)."""
    return w.transpose(*range(2, w.ndim), 1, 0)


@converter("Conv")
def conv(im: Importer, x: View, w: Any, bias: Any = None, *, node: OnnxNode, auto_pad: str = "NOTSET",
         dilations: Ints = None, group: int = 1, kernel_shape: Ints = None, pads: Ints = None,
         strides: Ints = None) -> View:
    w = im.constant(w, "a convolution's filter bank")
    check_bank("Conv", (im.batch, *x.shape), w, group, kernel_shape)
    rank, filters = w.ndim - 2, w.shape[0]
    if not 1 <= rank <= 3:
        raise NotOfferedError(f"a convolution of {rank} dimensions")
    images = im.image(x, rank)
    lie = windows("Conv", images.shape[1:-1], w.shape[2:], strides, pads, dilations, auto_pad)
    known = integers_of(im, node.inputs[1], 0) if rank == 2 else None
    if known is not None:
        weights = [_bank(known[0]), known[1], *([] if bias is None else [im.constant(bias, "a convolution's bias")])]
        y = im.apply(node, layers.QuantizedConv2D, images, filters, lie.kernel, lie.strides,
                     padding_of(lie.before, lie.after, auto_pad), lie.dilations, group, use_bias=bias is not None,
                     weights=weights)
        return channels_last(y)
    b = None if bias is None else im.constant(bias, "a convolution's bias").astype(np.float64)
    scale, offset, name = im.affine_after(node, w.ndim, filters)
    use_bias = b is not None or bool(offset.any())
    b = (np.zeros(filters) if b is None else b) * scale + offset
    w = times(w, scale.reshape(-1, *(1,) * (rank + 1)))
    window: dict[str, Any] = {"kernel_size": lie.kernel, "strides": lie.strides, "dilation_rate": lie.dilations,
                              "padding": padding_of(lie.before, lie.after, auto_pad), "use_bias": use_bias}
    if group == images.shape[-1] > 1 and rank < 3:
        multiplier = filters // group
        weights = [w.reshape(group, multiplier, *w.shape[2:]).transpose(*range(2, rank + 2), 0, 1)]
        y = im.apply(node, _DEPTHWISE[rank - 1], images, depth_multiplier=multiplier, **window,
                     weights=weights + [b] * use_bias, depthwise_initializer="zeros")
    else:
        y = im.apply(node, _CONV[rank - 1], images, filters, groups=group, **window,
                     weights=[_bank(w)] + [b] * use_bias)
    return im.also(node, name, channels_last(y))


@converter("ConvTranspose")
def conv_transpose(im: Importer, x: View, w: Any, bias: Any = None, *, node: OnnxNode, auto_pad: str = "NOTSET",
                   dilations: Ints = None, group: int = 1, kernel_shape: Ints = None, output_padding: Ints = None,
                   output_shape: Ints = None, pads: Ints = None, strides: Ints = None) -> View:
    w = im.constant(w, "a convolution's filter bank")
    check_bank("ConvTranspose", (im.batch, *x.shape), w, group, kernel_shape)
    rank, filters = w.ndim - 2, w.shape[1] * group
    if not 1 <= rank <= 3:
        raise NotOfferedError(f"a transposed convolution of {rank} dimensions")
    images = im.image(x, rank)
    lie, _, more = transposed_windows(images.shape[1:-1], w.shape[2:], strides, dilations, auto_pad, pads,
                                      output_padding, output_shape)
    if min(more) < 0:
        raise NotOfferedError(f"a transposed convolution with output_padding of {min(more)}")
    scale, offset, name = im.affine_after(node, w.ndim, filters)
    b = None if bias is None else im.constant(bias, "a convolution's bias")
    use_bias = b is not None or bool(offset.any())
    b = (np.zeros(filters) if b is None else b) * scale + offset
    w = times(w.reshape(group, -1, *w.shape[1:]), scale.reshape(group, 1, -1, *(1,) * rank))
    y = im.apply(node, _TRANSPOSE[rank - 1], images, filters, kernel_size=w.shape[3:],
                 strides=lie.strides, dilation_rate=lie.dilations, groups=group, use_bias=use_bias,
                 padding=tuple(zip(lie.before, lie.after, strict=True)), output_padding=more,
                 weights=[_bank(w.reshape(-1, *w.shape[2:]))] + [b] * use_bias)
    return im.also(node, name, channels_last(y))
