"""SqueezeNet: AlexNet's accuracy with a fiftieth of its parameters."""

from collections.abc import Mapping
from typing import Any

from fastcnn import layers
from fastcnn.applications._network import Options, Shape, Tensor, Weights, checked_weights, network
from fastcnn.applications._published import published, set_published
from fastcnn.errors import ArgumentError, unknown
from fastcnn.models import Model

# First convolution: filters and window. Then the squeeze of each fire module (1 x 1 to s channels, and from there to
# 4 s by 1 x 1 and 4 s by 3 x 3), 0 where a pooling stands. Last the smallest image.
_VERSIONS = {
    "1.0": ((96, 7), (16, 16, 32, 0, 32, 48, 48, 64, 0, 64), 35),
    "1.1": ((64, 3), (16, 16, 0, 32, 32, 0, 48, 48, 64, 64), 31),
}

_FIRST = "squeezenet0_conv0_weight"  # in files of the ONNX model zoo


def SqueezeNet(include_top: bool = True, weights: Weights = None, input_tensor: Tensor | None = None,  # noqa: N802
               input_shape: Shape | None = None, pooling: str | None = None, classes: int = 1000,
               classifier_activation: str | None = "softmax", name: str = "squeezenet", version: str = "1.0") -> Model:
    """SqueezeNet: 1,248,424 parameters; version 1.1, of the authors', 1,235,496 and 2.4 times fewer multiply-adds.

    Images: ``preprocess_input(x, "caffe")``, 227 x 227, at least 35 x 35 (31 x 31).

    Parameters
    ----------
    include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name
        As in `fastcnn.applications`. Weights may be those of the ONNX model zoo, version 1.1, as .safetensors, too;
        these want their images ``preprocess_input(x, "torch")``.
    version : str
        "1.0", the paper's, or "1.1".

    References
    ----------
    Iandola, Han, Moskewicz, Ashraf, Dally, Keutzer: SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and
    <0.5MB model size, 2016, table 1.
    """
    if version not in _VERSIONS:
        raise ArgumentError(unknown("SqueezeNet: version", version, _VERSIONS))
    (filters, size), squeezes, smallest = _VERSIONS[version]

    def features(x: Tensor) -> Tensor:
        x = layers.Conv2D(filters, size, 2, activation="relu", name="conv1")(x)
        x = _pool(x, "pool1")
        module = 1
        for squeeze in squeezes:
            if squeeze:
                module += 1
                x = _fire(x, squeeze, f"fire{module}")
            else:
                x = _pool(x, f"pool{module}")
        return x

    def top(x: Tensor) -> Tensor:
        x = layers.Dropout(0.5, name="drop9")(x)
        x = layers.Conv2D(classes, 1, activation="relu", name="conv10")(x)
        x = layers.GlobalAveragePooling2D(name="pool10")(x)
        return layers.Activation(classifier_activation or "linear", name="predictions")(x)

    path = checked_weights("SqueezeNet", weights)
    others = published(path, _FIRST)
    options = Options(include_top, path if others is None else None, input_tensor, input_shape, pooling, name)
    model = network("SqueezeNet", features, top, options, default=(227, 227, 3), smallest=smallest)
    if others is not None:
        set_published(model, others, lambda arrays: _in_order(arrays, len(model.weights) // 2), path)
    return model


def _in_order(arrays: Mapping[str, Any], convolutions: int) -> list[Any]:
    """Return kernels and biases in turn, kernels from (filters, channels, KH, KW) to (KH, KW, channels, filters)."""
    return [part for i in range(convolutions) for part in (
        arrays[f"squeezenet0_conv{i}_weight"].transpose(2, 3, 1, 0), arrays[f"squeezenet0_conv{i}_bias"])]


def _pool(x: Tensor, name: str) -> Tensor:
    return layers.MaxPooling2D(3, 2, name=name)(x)


def _fire(x: Tensor, squeeze: int, name: str) -> Tensor:
    x = layers.Conv2D(squeeze, 1, activation="relu", name=f"{name}_squeeze1x1")(x)
    return layers.Concatenate(name=f"{name}_concat")([
        layers.Conv2D(4 * squeeze, n, padding="same", activation="relu", name=f"{name}_expand{n}x{n}")(x)
        for n in (1, 3)
    ])
