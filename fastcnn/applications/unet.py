"""U-Net: down to see what there is, up to see where."""

from typing import Any

from fastcnn import layers
from fastcnn.applications._network import Options, Shape, Tensor, Weights, image_shape, network
from fastcnn.errors import ArgumentError, unknown
from fastcnn.models import Model

_DEPTH = 4


def UNet(include_top: bool = True, weights: Weights = None, input_tensor: Tensor | None = None,  # noqa: N802
         input_shape: Shape | None = None, pooling: str | None = None, classes: int = 2,
         classifier_activation: str | None = "softmax", name: str = "unet", filters: int = 64, padding: str = "same",
         dropout: float = 0.5) -> Model:
    """U-Net: images (H, W, C) to classes of each pixel (H, W, classes), 31,030,658 parameters for grey images.

    With padding="valid" as in the paper: of 572 x 572 pixels it classifies the middle 388 x 388, and what comes over
    the skips is cropped. With "same", the habit since, nothing is lost.

    Images: standardized, 256 x 256 (572 x 572 if "valid"), one channel. Rows and columns are multiples of 16 ("valid":
    188, 204, 220, ...), since they are halved four times.

    Parameters
    ----------
    include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name
        As in `fastcnn.applications`; without the top the output has the `filters` of the last level. For one class use
        "sigmoid".
    filters : int
        Of the first level; each level below has twice as many.
    padding : str
        "same", or "valid".
    dropout : float
        At the end of the way down, in the two lowest levels.

    References
    ----------
    Ronneberger, Fischer, Brox: U-Net: convolutional networks for biomedical image segmentation, MICCAI 2015, figure 1.
    """
    if padding not in ("same", "valid"):
        raise ArgumentError(unknown("UNet: padding", padding, ("same", "valid")))
    default: Shape = (256, 256, 1) if padding == "same" else (572, 572, 1)
    if padding == "valid" and input_tensor is None and input_shape is None:
        input_shape = default
    _check_size(image_shape("UNet", input_tensor, input_shape, default), padding)

    def convs(x: Tensor, level: int, side: str) -> Tensor:
        for i in (1, 2):
            x = layers.Conv2D(filters << level, 3, padding=padding, activation="relu", kernel_initializer="he_normal",
                              name=f"{side}{level + 1}_conv{i}")(x)
        return x

    def features(x: Tensor) -> Tensor:
        skips = []
        for level in range(_DEPTH + 1):
            x = convs(x, level, "down")
            if level >= _DEPTH - 1 and dropout > 0:
                x = layers.Dropout(dropout, name=f"down{level + 1}_drop")(x)
            if level < _DEPTH:
                skips.append(x)
                x = layers.MaxPooling2D(2, name=f"down{level + 1}_pool")(x)
        for level in reversed(range(_DEPTH)):
            x = layers.Conv2DTranspose(filters << level, 2, strides=2, kernel_initializer="he_normal",
                                       name=f"up{level + 1}_upconv")(x)
            skip = _cropped(skips[level], x, f"up{level + 1}_crop")
            x = layers.Concatenate(name=f"up{level + 1}_concat")([skip, x])
            x = convs(x, level, "up")
        return x

    def top(x: Tensor) -> Tensor:
        return layers.Conv2D(classes, 1, activation=classifier_activation, name="predictions")(x)

    return network("UNet", features, top, Options(include_top, weights, input_tensor, input_shape, pooling, name),
                   default=default, smallest=16)


def _check_size(shape: tuple[Any, ...], padding: str) -> None:
    # "valid": the lowest level of n x n pixels comes from 16 n + 124 on the way down, and needs n > 4.
    begin = 188 if padding == "valid" else 16
    if None in shape[:2] and padding == "valid":
        raise ArgumentError(f'UNet: expected known rows and columns for padding="valid", which crops what comes over '
                            f"the skips, got {shape[0]} x {shape[1]}; give input_shape=(572, 572, 1), say")
    for n in shape[:2]:
        if n is not None and (n < begin or (n - begin) % 16):
            sizes = ", ".join(str(begin + 16 * i) for i in range(3))
            raise ArgumentError(f'UNet: expected rows and columns of {sizes}, ... for padding="{padding}", got '
                                f"{shape[0]} x {shape[1]}; pad or crop the images")


def _cropped(skip: Tensor, x: Tensor, name: str) -> Tensor:
    """The middle of a feature map, as large as another; of sizes left open both are as large."""
    if None in skip.shape[1:3]:
        return skip
    rows, columns = (skip.shape[i] - x.shape[i] for i in (1, 2))
    if not rows and not columns:
        return skip
    return layers.Cropping2D(((rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2)), name=name)(skip)
