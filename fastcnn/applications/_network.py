"""What all named networks share: the image they begin with, the top they end in, the file their weights come from."""

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Sequence, Set
from contextvars import ContextVar
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fastcnn import initializers, layers, saving
from fastcnn.errors import ArgumentError, ModelFileError, unknown
from fastcnn.formats.files import user_path
from fastcnn.models import Model, Sequential
from fastcnn.symbolic import Tensor

Shape = tuple[int | None, int | None, int]
Weights = str | os.PathLike[str] | None

#: What Keras calls the last pooling of networks that name it, and of those that leave it to Keras.
NAMED = ("avg_pool", "max_pool")
AUTOMATIC = ("global_average_pooling2d", "global_max_pooling2d")

_KERAS_FILES = (".h5", ".hdf5", ".keras")

#: The networks that Keras has under the same name.
KERAS = {"VGG16", "VGG19", "ResNet50", "ResNet101", "ResNet152", "DenseNet121", "DenseNet169", "DenseNet201",
         "InceptionV3", "InceptionResNetV2", "MobileNet", "MobileNetV2", "MobileNetV3Large", "MobileNetV3Small",
         "NASNetLarge", "NASNetMobile",
         "ResNet50V2", "ResNet101V2", "ResNet152V2", "Xception", *(f"EfficientNetB{i}" for i in range(8)),
         *(f"EfficientNetV2{size}" for size in ("B0", "B1", "B2", "B3", "S", "M", "L")),
         *(f"ConvNeXt{size}" for size in ("Tiny", "Small", "Base", "Large", "XLarge"))}


class Options(NamedTuple):
    """What every network lets its user choose, as `fastcnn.applications` explains it."""

    include_top: bool
    weights: Weights
    input_tensor: Tensor | None
    input_shape: Shape | None
    pooling: str | None
    name: str


def network(who: str, features: Callable[[Tensor], Tensor], top: Callable[[Tensor], Any], options: Options,
            *, default: Shape = (224, 224, 3), smallest: int = 32, pool_names: tuple[str, str] = NAMED,
            after_pooling: Callable[[Tensor], Tensor] | None = None) -> Model:
    """Return the model of a network: its features, and the top or the pooling on them.

    Parameters
    ----------
    who : str
        The function, for errors.
    features : callable
        From the image to the last feature map.
    top : callable
        From the last feature map to the outputs.
    options : Options
    default : (H, W, C)
        The image where neither a shape nor a tensor is given; without a top its size is left open.
    smallest : int
        The least number of rows and of columns.
    pool_names : (str, str)
        The layers' names of `pooling`, for "avg" and "max".
    after_pooling : callable, optional
        What comes last where there is no top.
    """
    path = checked_weights(who, options.weights)
    _check_pooling(who, options.pooling)
    with _values_from(path):
        usual = default if options.include_top else (None, None, default[2])
        image = _image(who, options.input_tensor, options.input_shape, usual, smallest)
        sources, before = _sources(image)
        taken = _taken.set({tensor.name for tensor in before})
        try:
            x = features(image)
            outputs = top(x) if options.include_top else _pooled(x, options.pooling, pool_names)
            if after_pooling is not None and not options.include_top:
                outputs = after_pooling(outputs)
        finally:
            _taken.reset(taken)
        model = Model(inputs=sources, outputs=outputs, name=options.name)
    load(model, path)
    return model


def chain(who: str, features: Sequence[layers.Layer], top: Sequence[layers.Layer], include_top: bool, weights: Weights,
          input_shape: tuple[int | None, ...], pooling: str | None, name: str) -> Sequential:
    """As `network`, for a chain of layers."""
    path = checked_weights(who, weights)
    _check_pooling(who, pooling)
    poolings = {"avg": layers.GlobalAveragePooling2D, "max": layers.GlobalMaxPooling2D}
    end: Sequence[layers.Layer] = top if include_top else [poolings[pooling]()] if pooling else []
    with _values_from(path):
        model = Sequential([layers.Input(input_shape), *features, *end], name=name)
    load(model, path)
    return model


def classify(pool_name: str, classes: int, activation: str | None, dropout: float = 0.0, dropout_name: str = "dropout",
             **dense: Any) -> Callable[[Tensor], Tensor]:
    """Return the top of most networks: the mean of each channel, dropout if any, one dense layer."""

    def top(x: Tensor) -> Tensor:
        x = layers.GlobalAveragePooling2D(name=pool_name)(x)
        if dropout > 0:
            x = layers.Dropout(dropout, name=dropout_name)(x)
        return layers.Dense(classes, activation=activation, name="predictions", **dense)(x)

    return top


def conv_bn(x: Tensor, filters: int, kernel_size: Any, strides: Any = 1, padding: Any = "same", *, name: str,
            bn_name: str, activation: Callable[[Tensor], Tensor] | None = None, epsilon: float = 1e-3,
            momentum: float = 0.99, scale: bool = True, **conv: Any) -> Tensor:
    """Convolution without bias, batch normalization and an activation layer: the unit of networks since 2015."""
    x = layers.Conv2D(filters, kernel_size, strides, padding, **{"use_bias": False} | conv, name=name)(x)
    x = layers.BatchNormalization(epsilon=epsilon, momentum=momentum, scale=scale, name=bn_name)(x)
    return x if activation is None else activation(x)


_taken: ContextVar[Set[str]] = ContextVar("taken", default=frozenset())


class Automatic:
    """The names that Keras gives, in a new process, to layers without one: conv2d, conv2d_1, ...

    Those of layers that made the network's `input_tensor` are left out.

    Examples
    --------
    >>> named = Automatic()
    >>> named("add"), named("add"), named("conv2d")
    ('add', 'add_1', 'conv2d')
    """

    def __init__(self) -> None:
        self._count: Counter[str] = Counter()

    def __call__(self, kind: str) -> str:
        while True:
            self._count[kind] += 1
            name = kind if self._count[kind] == 1 else f"{kind}_{self._count[kind] - 1}"
            if name not in _taken.get():
                return name


def relu(name: str) -> Callable[[Tensor], Tensor]:
    return layers.Activation("relu", name=name)


def relu6(name: str) -> Callable[[Tensor], Tensor]:
    return layers.ReLU(6.0, name=name)


def halving_pad(x: Tensor, kernel_size: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the padding after which a window with stride 2 and no padding sees what it sees in Keras's networks.

    A size that is left open is padded as an even one, as there.
    """
    half = kernel_size // 2
    rows, columns = ((half - (1 if n is None else 1 - n % 2), half) for n in x.shape[1:3])
    return rows, columns


def divisible(value: float, divisor: int = 8) -> int:
    """Return the multiple of `divisor` nearest to a number of channels, not below nine tenths of it."""
    nearest = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return nearest + divisor if nearest < 0.9 * value else nearest


def checked_weights(who: str, weights: Weights) -> Path | None:
    """Return the path of a file with weights.

    Raises
    ------
    ArgumentError
        If it is no path of a known kind of file.
    ModelFileError
        If there is no such file.
    """
    if weights is None:
        return None
    if weights == "imagenet":
        way = (f'where Keras is installed, keras.applications.{who}().save_weights("x.weights.h5") writes them: '
               f'pass weights="x.weights.h5"' if who in KERAS else "Keras has no such network; pass weights=None")
        raise ArgumentError(f'{who}: weights="imagenet" is not offered, since nothing is downloaded; {way}')
    path = user_path(weights, who) if isinstance(weights, (str, os.PathLike)) else Path()
    if path.suffix.lower() not in (".safetensors", *_KERAS_FILES):
        raise ArgumentError(f"{who}: expected weights to be None or a .safetensors, .weights.h5, .h5 or .keras file, "
                            f"got {weights!r}")
    if not path.is_file():
        raise ModelFileError(f"{who}: expected weights to be an existing file, got {os.fspath(weights)!r}; "
                             f"weights=None starts from random ones")
    return path


def load(model: Model, path: Path | None) -> None:
    """Set the weights to those of a file of fastcnn or of Keras, if any."""
    if path is not None:
        saving.load_weights(model, path)


def _check_pooling(who: str, pooling: str | None) -> None:
    if pooling not in (None, "avg", "max"):
        raise ArgumentError(unknown(f"{who}: pooling", pooling, ("avg", "max")))


def _values_from(path: Path | None) -> contextlib.AbstractContextManager[None]:
    """Nothing need be drawn for parameters that a file is going to set."""
    return contextlib.nullcontext() if path is None else initializers.nothing_drawn()


def image_shape(who: str, tensor: Tensor | None, shape: Sequence[int | None] | None, default: Shape) -> Shape:
    """Return (H, W, C) of what a network is made for.

    Raises
    ------
    ArgumentError
        If these are not three positive integers, or None for rows and columns that are left open.
    """
    if tensor is not None and not isinstance(tensor, Tensor):
        raise ArgumentError(f"{who}: expected an input_tensor such as fastcnn.Input gives, got {tensor!r}")
    given: Any = tensor.shape[1:] if tensor is not None else default if shape is None else shape
    good = isinstance(given, (tuple, list)) and len(given) == 3 and given[2] is not None and all(
        n is None or (isinstance(n, (int, np.integer)) and n > 0) for n in given)
    if not good:
        raise ArgumentError(f"{who}: expected images (H, W, C), got {given}; give three positive integers, "
                            "as input_shape=(224, 224, 3), or None for rows and columns that are left open")
    rows, columns, channels = given
    return rows, columns, channels


def _image(who: str, tensor: Tensor | None, shape: Shape | None, default: Shape, smallest: int) -> Tensor:
    wanted = image_shape(who, tensor, shape, default)
    if tensor is not None and shape is not None and tuple(shape) != wanted:
        raise ArgumentError(f"{who}: expected input_shape to be that of input_tensor, {wanted}, got {tuple(shape)}; "
                            f"leave one of them away")
    if any(n is not None and n < smallest for n in wanted[:2]):
        raise ArgumentError(f"{who}: expected images of at least {smallest} x {smallest}, got {wanted[0]} x "
                            f"{wanted[1]}; its poolings would leave nothing of a smaller one")
    return layers.Input(shape=wanted) if tensor is None else tensor


def _pooled(x: Tensor, pooling: str | None, names: tuple[str, str]) -> Tensor:
    if pooling is None:
        return x
    if pooling == "avg":
        return layers.GlobalAveragePooling2D(name=names[0])(x)
    return layers.GlobalMaxPooling2D(name=names[1])(x)


def _sources(tensor: Tensor) -> tuple[Tensor | list[Tensor], list[Tensor]]:
    """Return the inputs that a tensor is made from, itself if it is one, and all tensors on the way from them."""
    found: dict[int, Tensor] = {}
    seen: dict[int, Tensor] = {}
    waiting = [tensor]
    while waiting:
        one = waiting.pop()
        if id(one.node) not in seen:
            seen[id(one.node)] = one
            waiting.extend(reversed(one.node.inputs))
            if not one.node.inputs:
                found[id(one)] = one
    sources = list(found.values())
    return sources[0] if len(sources) == 1 else sources, list(seen.values())
