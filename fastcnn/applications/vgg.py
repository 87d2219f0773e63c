"""VGG: nothing but 3 x 3 convolutions, deep."""

from fastcnn import layers
from fastcnn.applications._network import AUTOMATIC, Options, Shape, Tensor, Weights, network
from fastcnn.models import Model

_FILTERS = (64, 128, 256, 512, 512)


def VGG16(include_top: bool = True, weights: Weights = None, input_tensor: Tensor | None = None,  # noqa: N802
          input_shape: Shape | None = None, pooling: str | None = None, classes: int = 1000,
          classifier_activation: str | None = "softmax", name: str = "vgg16") -> Model:
    """VGG-16: 138,357,544 parameters, as in Keras.

    Images: ``preprocess_input(x, "caffe")``, 224 x 224, at least 32 x 32. The arguments are those of
    `fastcnn.applications`.

    References
    ----------
    Simonyan, Zisserman: Very deep convolutional networks for large-scale image recognition, ICLR 2015, table 1, D.
    """
    return _vgg("VGG16", (2, 2, 3, 3, 3), classes, classifier_activation,
                Options(include_top, weights, input_tensor, input_shape, pooling, name))


def VGG19(include_top: bool = True, weights: Weights = None, input_tensor: Tensor | None = None,  # noqa: N802
          input_shape: Shape | None = None, pooling: str | None = None, classes: int = 1000,
          classifier_activation: str | None = "softmax", name: str = "vgg19") -> Model:
    """VGG-19: 143,667,240 parameters, as in Keras; else as `VGG16`.

    References
    ----------
    As `VGG16`, table 1, E.
    """
    return _vgg("VGG19", (2, 2, 4, 4, 4), classes, classifier_activation,
                Options(include_top, weights, input_tensor, input_shape, pooling, name))


def _vgg(who: str, depths: tuple[int, ...], classes: int, classifier_activation: str | None,
         options: Options) -> Model:
    def features(x: Tensor) -> Tensor:
        for block, (depth, filters) in enumerate(zip(depths, _FILTERS), 1):
            for i in range(1, depth + 1):
                x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"block{block}_conv{i}")(x)
            x = layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
        return x

    def top(x: Tensor) -> Tensor:
        x = layers.Flatten(name="flatten")(x)
        x = layers.Dense(4096, activation="relu", name="fc1")(x)
        x = layers.Dense(4096, activation="relu", name="fc2")(x)
        return layers.Dense(classes, activation=classifier_activation, name="predictions")(x)

    return network(who, features, top, options,
                   pool_names=AUTOMATIC)
