"""How the published networks want their images: the three ways that Keras distinguishes."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError, unknown
from fastcnn.symbolic import Tensor

# Means and standard deviations of ImageNet's training images: red, green, blue.
_MEAN_OF_BYTES = (123.68, 116.779, 103.939)
_MEAN, _STDDEV = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_MODES = ("caffe", "tf", "torch")


def preprocess_input(x: Any, mode: str = "caffe") -> Any:
    """Return images (..., 3), red, green, blue from 0 to 255, as a network was trained on them; float32 as a rule.

        caffe    blue, green, red, each minus its mean over ImageNet     VGG, ResNet, AlexNet, GoogLeNet, SqueezeNet
        tf       x / 127.5 - 1, so from -1 to 1                          InceptionV3, MobileNet, MobileNetV2, ResNetV2,
                                                                         Xception, InceptionResNetV2
        torch    (x / 255 - mean) / standard deviation                   DenseNet, ResNet18, ResNet34

    ConvNeXt, EfficientNet and MobileNetV3 do it by themselves. `x` is left as it is. The modules of Keras's networks
    have their own: ``applications.vgg16.preprocess_input(x)``.

    Parameters
    ----------
    x : (..., H, W, C) array, or a tensor
        Three channels, but for "tf", where any number will do. Of a tensor layers are made: a model may begin so.
    mode : str
        "caffe", "tf" or "torch".

    Raises
    ------
    ArgumentError
        If the mode is not known, or the channels are not three.

    Examples
    --------
    >>> x = np.full((1, 1, 1, 3), 255, "float32")
    >>> fc.applications.preprocess_input(x, "tf")[0, 0]
    array([[1., 1., 1.]], dtype=float32)
    """
    if mode not in _MODES:
        raise ArgumentError(unknown("preprocess_input: mode", mode, _MODES))
    if isinstance(x, Tensor):
        return _of_tensor(x, mode)
    x = np.asarray(x)
    kind = x.dtype if np.issubdtype(x.dtype, np.floating) else np.dtype(np.float32)
    if mode == "tf":
        return x.astype(kind) / kind.type(127.5) - kind.type(1)
    _check_channels(x, mode)
    if mode == "caffe":
        return x[..., ::-1].astype(kind) - np.array(_MEAN_OF_BYTES[::-1], kind)
    return (x.astype(kind) / kind.type(255) - np.array(_MEAN, kind)) / np.array(_STDDEV, kind)


def _check_channels(x: Any, mode: str) -> None:
    if x.ndim < 3 or x.shape[-1] != 3:
        raise ArgumentError(f"preprocess_input: expected images (..., H, W, 3) for mode {mode!r}, got {x.shape}; "
                            f"repeat a grey image: np.repeat(x, 3, axis=-1)")


def _of_tensor(x: Tensor, mode: str) -> Any:
    if mode == "tf":
        return x / 127.5 - 1.0
    _check_channels(x, mode)
    if mode == "caffe":
        return x[..., ::-1] - np.array(_MEAN_OF_BYTES[::-1], x.dtype)
    return (x / 255.0 - np.array(_MEAN, x.dtype)) / np.array(_STDDEV, x.dtype)


def by_mode(mode: str) -> Callable[..., Any]:
    """Return the `preprocess_input` of a network's module, with Keras's arguments.

    Parameters
    ----------
    mode : str
        As `preprocess_input`, or "none" for networks that do it by themselves.
    """

    def preprocess(x: Any, data_format: str | None = None) -> Any:
        check_format(data_format)
        if mode == "none":
            return x if isinstance(x, Tensor) else np.asarray(x)
        return preprocess_input(x, mode)

    how = "as they are, since it does it by itself" if mode == "none" else f"by `preprocess_input(x, {mode!r})`"
    preprocess.__name__ = preprocess.__qualname__ = "preprocess_input"
    preprocess.__doc__ = f"Return images as this network wants them: {how}."
    return preprocess


def check_format(data_format: str | None) -> None:
    """Raise ArgumentError for images that are not channels-last.

    Parameters
    ----------
    data_format : str, optional
    """
    if data_format not in (None, "channels_last"):
        raise ArgumentError(f"preprocess_input: expected data_format to be 'channels_last', got {data_format!r}; "
                            f"images (N, C, H, W) become (N, H, W, C) by np.moveaxis(x, 1, -1)")
