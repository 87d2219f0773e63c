"""What Keras's networks share: how they want their images, and the names of ImageNet's classes."""

from typing import Any

from fastcnn.applications import preprocessing
from fastcnn.applications.imagenet import decode_predictions

__all__ = ["decode_predictions", "preprocess_input"]


def preprocess_input(x: Any, data_format: str | None = None, mode: str = "caffe") -> Any:
    """Return images as a network was trained on them: `fastcnn.applications.preprocess_input`, with Keras's arguments.

    Parameters
    ----------
    x : (..., H, W, C) array, or a tensor
        Red, green, blue from 0 to 255.
    data_format : str, optional
        "channels_last" alone.
    mode : str
        "caffe", "tf" or "torch".

    Raises
    ------
    ArgumentError
        If the mode or the format is not offered, or the channels are not three.

    Examples
    --------
    >>> from fastcnn.applications import imagenet_utils
    >>> imagenet_utils.preprocess_input(np.full((1, 1, 1, 3), 255, "float32"), mode="tf")[0, 0]
    array([[1., 1., 1.]], dtype=float32)
    """
    preprocessing.check_format(data_format)
    return preprocessing.preprocess_input(x, mode)
