"""The small convolutional network of Keras's documentation."""

from fastcnn import layers
from fastcnn.models import Sequential


def ConvNet(input_shape: tuple[int, int, int] = (28, 28, 1), classes: int = 10) -> Sequential:  # noqa: N802
    """Keras's "Simple MNIST convnet": 34,826 parameters for MNIST.

    Parameters
    ----------
    input_shape : (H, W, C)
        At least 10 x 10.
    classes : int

    References
    ----------
    https://keras.io/examples/vision/mnist_convnet/
    """
    return Sequential(
        [
            layers.Input(input_shape),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(classes, activation="softmax"),
        ],
        name="convnet",
    )
