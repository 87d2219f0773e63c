"""What a file says where sizes are left open: the same for all sizes, or a rule that makes it of each.

A convolution with padding "same" and strides 2 has other borders for odd sizes than for even ones: the file says
SAME_UPPER there, which is the same rule. Without strides its borders are the same for all sizes, and are written.
"""

from collections.abc import Callable
from typing import Any

from fastcnn.errors import ArgumentError
from fastcnn.layers.open_sizes import is_open
from fastcnn.layers.twins import shape_text

_SIZES = range(4032, 4032 + 64)  # larger than any window; strides up to 64 see all their remainders

#: Layers that are written with sizes left open.
WRITTEN = frozenset((
    "Activation", "Add", "AlphaDropout", "Average", "BatchNormalization", "CELU", "Clip", "Concatenate", "CropLike",
    "Dense", "DepthwiseConv1D", "DepthwiseConv2D", "Dropout", "ELU", "Flatten", "GELU", "GaussianDropout",
    "GaussianNoise",
    "GroupNormalization", "HardSiLU", "HardSigmoid", "InputLayer", "LayerNormalization", "LayerScale", "LeakyReLU",
    "Linear", "LocalResponseNormalization", "LogSoftmax", "Maximum", "Minimum", "Mish", "Multiply", "Normalization",
    "Operation", "PReLU", "PadToMultiple", "Permute", "ReLU", "ReLU6", "Rescaling", "Reshape", "Resize", "Resizing",
    "SELU",
    "SeparableConv1D", "SeparableConv2D", "SiLU", "Sigmoid", "Softmax", "Softplus", "Softsign", "SpatialDropout1D",
    "SpatialDropout2D", "SpatialDropout3D", "Step", "Subtract", "Take", "Tanh", "ThresholdedReLU",
    *(f"{name}{n}D" for n in (1, 2, 3) for name in (
        "AveragePooling", "Conv", "Cropping", "GlobalAveragePooling", "GlobalL2Pooling", "GlobalMaxPooling",
        "GlobalMinPooling", "L2Pooling", "MaxPooling", "MinPooling", "Padding", "UpSampling", "ZeroPadding")),
    *(f"Conv{n}DTranspose" for n in (1, 2, 3)),
))


def check(layer: Any) -> None:
    """Raise ArgumentError for a layer that cannot be written for the sizes that its input leaves open."""
    if is_open(layer.input_shape) and type(layer).__module__.startswith("fastcnn.") and (
            type(layer).__name__ not in WRITTEN):
        raise not_offered(layer)


def not_offered(layer: Any) -> ArgumentError:
    """Return the error of a layer whose nodes depend on the size."""
    return ArgumentError(f"{layer}: expected known sizes to export, got {shape_text(layer.input_shape)}; export "
                         f"model.for_shape((None, 224, 224, 3)), say")


def for_all_sizes(layer: Any, what: Callable[[tuple[int, ...]], Any]) -> Any:
    """Return what follows from the size of a layer's images; None if it differs among those that are left open.

    Parameters
    ----------
    layer : Layer
        Of one input.
    what : callable
        Of the size without batch and channels.
    """
    size = layer.input_shape[1:-1]
    if None not in size:
        return what(size)
    found = [what(tuple(n if m is None else m for m in size)) for n in _SIZES]
    return found[0] if all(one == found[0] for one in found) else None


def dimensions(name: str, shape: Any) -> tuple[Any, ...]:
    """Return a shape with names for what is not known: N for the batch, and names of its own for each open size."""
    words = ("height", "width", "channels") if len(shape) == 4 else tuple(map(str, range(1, len(shape))))
    return "N", *(f"{name}_{word}" if n is None else n for n, word in zip(shape[1:], words, strict=True))
