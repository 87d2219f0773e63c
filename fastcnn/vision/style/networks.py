"""The trained networks whose features tell content and style, and where their weights are."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fastcnn import applications
from fastcnn.errors import ArgumentError, ModelFileError, unknown
from fastcnn.formats.files import expanded
from fastcnn.models import Model
from fastcnn.models.network import Network

#: For a network by name: its content layer, its style layers, how it wants pictures.
LAYERS = {
    "squeezenet1.1": ("fire4_concat", ("conv1", *(f"fire{i}_concat" for i in (2, 3, 5, 7))), "torch"),
    "vgg16": ("block4_conv2", tuple(f"block{i}_conv1" for i in range(1, 6)), "caffe"),
    "vgg19": ("block4_conv2", tuple(f"block{i}_conv1" for i in range(1, 6)), "caffe"),
}
_VARIABLE = "FASTCNN_DATA"
_PLACES = ("squeezenet1.1", "real-models/squeezenet1.1", ".")
_FILE = "squeezenet1.1.safetensors"
_MEAN, _STDDEV = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's training images from 0 to 1
_CAFFE_MEAN = (103.939, 116.779, 123.68)  # blue, green, red, from 0 to 255


@dataclass(frozen=True)
class FeatureNetwork:
    """A trained network, and the layers that tell content and style.

    Attributes
    ----------
    model : Model
        Of pictures (H, W, 3).
    content_layers, style_layers : sequence of str
        Names of layers with feature maps.
    preprocessing : {"torch", "caffe", "tf", "none"}
        How it wants its pictures, as in `fastcnn.applications.preprocess_input`; "none": from 0 to 255.

    Examples
    --------
    >>> vgg = fc.applications.VGG16(include_top=False, input_shape=(64, 64, 3), weights=None)
    >>> network = fc.vision.style.FeatureNetwork(vgg, ["block4_conv2"], ["block1_conv1", "block2_conv1"], "caffe")
    """

    model: Network
    content_layers: Sequence[str]
    style_layers: Sequence[str]
    preprocessing: str = "none"

    def __post_init__(self) -> None:
        known = {layer.name for layer in self.model.layers}
        for name in (*self.content_layers, *self.style_layers):
            if name not in known:
                raise ArgumentError(unknown(f"stylize: layer of {self.model}", name, known))
        if not self.content_layers or not self.style_layers:
            raise ArgumentError("stylize: expected a content layer and a style layer at least, got none")
        if self.preprocessing not in ("torch", "caffe", "tf", "none"):
            raise ArgumentError(unknown("stylize: preprocessing", self.preprocessing, ("torch", "caffe", "tf", "none")))

    @property
    def names(self) -> list[str]:
        """The layers that are needed, each once, content first."""
        return list(dict.fromkeys((*self.content_layers, *self.style_layers)))

    def features(self, height: int, width: int) -> Network:
        """Return the model from the network's own pictures (N, height, width, 3) to the outputs of `names`."""
        model = self.model.for_shape((None, height, width, 3))
        return Model(model.input, [model.get_layer(name).output for name in self.names])

    def prepared(self, picture: Any) -> Any:
        """Return pictures (N, H, W, 3), a tensor or array from 0 to 1, as the network wants them."""
        if self.preprocessing == "torch":
            return (picture - np.array(_MEAN, np.float32)) / np.array(_STDDEV, np.float32)
        if self.preprocessing == "caffe":
            return picture[..., ::-1] * 255 - np.array(_CAFFE_MEAN, np.float32)
        return picture * 2 - 1 if self.preprocessing == "tf" else picture * 255


def feature_network(name: str | os.PathLike[str] = "squeezenet1.1", weights: str | os.PathLike[str] | None = None,
                    ) -> FeatureNetwork:
    """Return a trained network for `stylize`.

    Parameters
    ----------
    name : {"squeezenet1.1", "vgg16", "vgg19"}
    weights : path-like, optional
        The file of its weights. SqueezeNet: that of the ONNX model zoo as .safetensors, or one of fastcnn's; it is
        looked for as ``squeezenet1.1.safetensors`` in the folder of FASTCNN_DATA. VGG: Keras's .h5 file, with or
        without top.

    Raises
    ------
    ArgumentError
        If the name is not known, or there is no file.
    ModelFileError
        If the file does not hold its weights.

    Examples
    --------
    >>> network = fc.vision.style.feature_network("vgg16", "vgg16_notop.h5")  # doctest: +SKIP
    """
    key = str(name).lower()
    if key not in LAYERS:
        raise ArgumentError(unknown("stylize: network", key, LAYERS))
    path = _found(key) if weights is None else expanded(weights)
    if not path.exists():
        raise ArgumentError(f"stylize: expected the weights of {key} in {path}, got no such file")
    content, style, preprocessing = LAYERS[key]
    model = _vgg(key, path) if key in ("vgg16", "vgg19") else applications.SqueezeNet(
        weights=path, version="1.1", input_shape=(224, 224, 3), classifier_activation=None)
    return FeatureNetwork(model, [content], style, preprocessing)


def _found(key: str) -> Path:
    """Return where the weights of a network lie that nobody named."""
    root = os.environ.get(_VARIABLE)
    if key == "squeezenet1.1" and root:
        for place in _PLACES:
            if (path := expanded(root) / place / _FILE).exists():
                return path
    place = f"{_FILE} in the folder of {_VARIABLE}, or " if key == "squeezenet1.1" else ""
    raise ArgumentError(f"stylize: expected the weights of {key} in {place}a file of yours, got none; name it by "
                        f"weights or --weights")


def _vgg(key: str, path: Path) -> Model:
    build = applications.VGG16 if key == "vgg16" else applications.VGG19
    try:
        return build(weights=path, include_top=False, input_shape=(224, 224, 3))
    except ModelFileError:
        with_top = build(weights=path, include_top=True)  # the file may hold the classifier, too
    return Model(with_top.input, with_top.get_layer("block5_pool").output)
