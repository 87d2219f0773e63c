"""The small convolutional network of Keras's documentation."""

from fastcnn import layers
from fastcnn.applications._network import Shape, Weights, chain
from fastcnn.models import Sequential


def ConvNet(input_shape: Shape = (28, 28, 1), classes: int = 10, *, include_top: bool = True,  # noqa: N802
            weights: Weights = None, pooling: str | None = None, classifier_activation: str | None = "softmax",
            name: str = "convnet") -> Sequential:
    """Keras's "Simple MNIST convnet": 34,826 parameters for MNIST.

    Parameters
    ----------
    input_shape : (H, W, C)
        At least 10 x 10.
    classes : int
    include_top, weights, pooling, classifier_activation, name
        As in `fastcnn.applications`.

    References
    ----------
    https://keras.io/examples/vision/mnist_convnet/

    Examples
    --------
    >>> fc.applications.ConvNet().count_params()
    34826
    """
    features = [
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(2),
    ]
    top = [layers.Flatten(), layers.Dropout(0.5), layers.Dense(classes, activation=classifier_activation)]
    return chain("ConvNet", features, top, include_top, weights, input_shape, pooling, name)
