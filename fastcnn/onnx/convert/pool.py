"""Pooling layers."""

from typing import Any

from fastcnn import layers
from fastcnn.onnx._graph import OnnxNode
from fastcnn.onnx._importer import Importer, converter
from fastcnn.onnx._layout import NotOfferedError
from fastcnn.onnx._layout_view import View, channels_last
from fastcnn.onnx.convert.conv import padding_of
from fastcnn.onnx.operators._windows import Ints, windows

_MAX = layers.MaxPooling1D, layers.MaxPooling2D, layers.MaxPooling3D
_AVERAGE = layers.AveragePooling1D, layers.AveragePooling2D, layers.AveragePooling3D
_L2 = layers.L2Pooling1D, layers.L2Pooling2D, layers.L2Pooling3D
_GLOBAL_MAX = layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D, layers.GlobalMaxPooling3D
_GLOBAL_AVERAGE = layers.GlobalAveragePooling1D, layers.GlobalAveragePooling2D, layers.GlobalAveragePooling3D
_GLOBAL_L2 = layers.GlobalL2Pooling1D, layers.GlobalL2Pooling2D, layers.GlobalL2Pooling3D


def _pooled(im: Importer, x: View, node: OnnxNode, kinds: Any, *, kernel: Ints, strides: Ints, pads: Ints,
            dilations: Ints, auto_pad: str, ceil_mode: int, **more: Any) -> View:
    rank = len(kernel or ())
    if not 1 <= rank <= 3:
        raise NotOfferedError(f"pooling over {rank} dimensions")
    images = im.image(x, rank)
    lie = windows(node.operator, images.shape[1:-1], kernel or (), strides, pads, dilations, auto_pad, ceil_mode)
    return channels_last(im.apply(node, kinds[rank - 1], images, lie.kernel, lie.strides,
                                  padding_of(lie.before, lie.after, auto_pad), dilation_rate=lie.dilations,
                                  ceil_mode=bool(ceil_mode), **more))


@converter("MaxPool")
def max_pool(im: Importer, x: View, *, node: OnnxNode, kernel_shape: Ints, auto_pad: str = "NOTSET", ceil_mode: int = 0,
             dilations: Ints = None, pads: Ints = None, storage_order: int = 0, strides: Ints = None) -> View:
    return _pooled(im, x, node, _MAX, kernel=kernel_shape, strides=strides, pads=pads, dilations=dilations,
                   auto_pad=auto_pad, ceil_mode=ceil_mode)


@converter("AveragePool")
def average_pool(im: Importer, x: View, *, node: OnnxNode, kernel_shape: Ints, auto_pad: str = "NOTSET",
                 ceil_mode: int = 0, count_include_pad: int = 0, dilations: Ints = None, pads: Ints = None,
                 strides: Ints = None) -> View:
    return _pooled(im, x, node, _AVERAGE, kernel=kernel_shape, strides=strides, pads=pads, dilations=dilations,
                   auto_pad=auto_pad, ceil_mode=ceil_mode, count_include_pad=bool(count_include_pad))


@converter("LpPool")
def lp_pool(im: Importer, x: View, *, node: OnnxNode, kernel_shape: Ints, auto_pad: str = "NOTSET", ceil_mode: int = 0,
            dilations: Ints = None, p: int = 2, pads: Ints = None, strides: Ints = None) -> View:
    if p != 2:
        raise NotOfferedError(f"LpPool with p={p}")
    return _pooled(im, x, node, _L2, kernel=kernel_shape, strides=strides, pads=pads, dilations=dilations,
                   auto_pad=auto_pad, ceil_mode=ceil_mode)


def _global(im: Importer, x: View, node: OnnxNode, kinds: Any) -> View:
    rank = len(x.dims) - 1
    if not 1 <= rank <= 3:
        raise NotOfferedError(f"global pooling of {rank + 2} dimensions")
    return channels_last(im.apply(node, kinds[rank - 1], im.image(x), keepdims=True))


@converter("GlobalMaxPool")
def global_max_pool(im: Importer, x: View, *, node: OnnxNode) -> View:
    return _global(im, x, node, _GLOBAL_MAX)


@converter("GlobalAveragePool")
def global_average_pool(im: Importer, x: View, *, node: OnnxNode) -> View:
    return _global(im, x, node, _GLOBAL_AVERAGE)


@converter("GlobalLpPool")
def global_lp_pool(im: Importer, x: View, *, node: OnnxNode, p: int = 2) -> View:
    if p != 2:
        raise NotOfferedError(f"GlobalLpPool with p={p}")
    return _global(im, x, node, _GLOBAL_L2)


@converter("AdaptiveAverage")
def adaptive_average(im: Importer, x: View, *, node: OnnxNode, sizes: list[int], output_size: list[int]) -> View:
    """No operator of ONNX, but what `fastcnn.onnx.rewrite.adaptive` finds several of them to be."""
    if x.shape[1:] != tuple(sizes):
        raise NotOfferedError(f"pixels picked by index of an image of {x.shape[1:]}")
    return channels_last(im.apply(node, layers.AdaptiveAveragePooling2D, im.image(x, 2), tuple(output_size)))
