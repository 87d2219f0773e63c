"""The feed-forward style network: one pass paints what style transfer by gradient takes hundreds of steps for."""

from collections.abc import Mapping
from typing import Any

from fastcnn import layers
from fastcnn.applications._network import Options, Shape, Tensor, Weights, checked_weights, network
from fastcnn.applications._published import published, set_published
from fastcnn.models import Model

_DOWN, _UP = ((32, 9, 1), (64, 3, 2), (128, 3, 2)), (64, 32)
_FIRST = "Variable"  # what published files call their arrays: Variable, Variable_1, ..: kernel, shift, scale in turn


def StyleNet(weights: Weights = None, input_tensor: Tensor | None = None,  # noqa: N802
             input_shape: Shape | None = None, name: str = "style_net") -> Model:
    """Johnson's style network with instance normalization: 1,677,638 parameters, one style in each file of weights.

    Images: red, green, blue from 0 to 255, sides divisible by 4; so are the outputs, before they are clipped.

    Parameters
    ----------
    weights : None or path
        As in `fastcnn.applications`; or a published .safetensors file of 48 arrays, Variable to Variable_47.
    input_tensor, input_shape, name
        As in `fastcnn.applications`; 256 x 256 if nothing is said.

    References
    ----------
    Johnson, Alahi, Fei-Fei: Perceptual losses for real-time style transfer and super-resolution, 2016, supplement;
    Ulyanov, Vedaldi, Lempitsky: Instance normalization, 2016.

    Examples
    --------
    >>> model = fc.vision.style.StyleNet(input_shape=(64, 96, 3))
    >>> model.output_shape
    (None, 64, 96, 3)
    """
    path = checked_weights("StyleNet", weights)
    others = published(path, _FIRST)

    def features(x: Tensor) -> Tensor:
        x = layers.Rescaling(1 / 255, name="from_bytes")(x)
        for k, (filters, window, strides) in enumerate(_DOWN):
            x = _normalized(_convolution(filters, window, f"down{k + 1}", strides), x, f"down{k + 1}")
        for k in range(5):
            y = _normalized(_convolution(128, 3, f"residual{k + 1}a"), x, f"residual{k + 1}a")
            y = _normalized(_convolution(128, 3, f"residual{k + 1}b"), y, f"residual{k + 1}b", relu=False)
            x = layers.Add(name=f"residual{k + 1}")([x, y])
        for k, filters in enumerate(_UP):
            up = layers.Conv2DTranspose(filters, 3, 2, "same", use_bias=False, name=f"up{k + 1}")
            x = _normalized(up, x, f"up{k + 1}")
        x = _normalized(_convolution(3, 9, "colors"), x, "colors", relu=False)
        x = layers.Activation("tanh", name="tanh")(x)
        return layers.Rescaling(150.0, 127.5, name="to_bytes")(x)

    options = Options(False, path if others is None else None, input_tensor, input_shape, None, name)
    model = network("StyleNet", features, lambda x: x, options, default=(256, 256, 3), smallest=4)
    if others is not None:
        set_published(model, others, _in_order, path)
    return model


def _convolution(filters: int, window: int, name: str, strides: int = 1) -> layers.Layer:
    return layers.Conv2D(filters, window, strides, "same", use_bias=False, name=name)


def _normalized(convolution: layers.Layer, x: Tensor, name: str, relu: bool = True) -> Tensor:
    x = layers.GroupNormalization(groups=-1, epsilon=1e-3, name=f"{name}_norm")(convolution(x))
    return layers.ReLU(name=f"{name}_relu")(x) if relu else x


def _in_order(arrays: Mapping[str, Any]) -> list[Any]:
    """Return the arrays as the model has them: the shift, beta, stands before the scale, gamma, in published files."""
    names = [_FIRST, *(f"{_FIRST}_{i}" for i in range(1, 48))]
    return [arrays[names[i + j]] for i in range(0, 48, 3) for j in (0, 2, 1)]
