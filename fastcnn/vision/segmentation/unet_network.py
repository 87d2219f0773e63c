"""The network of a segmentation: a U-Net that takes pictures of any size."""

from collections.abc import Sequence
from typing import Any

from fastcnn import layers
from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import positive
from fastcnn.layers import Tensor
from fastcnn.models import Model


def unet(classes: int, *, channels: int = 1, filters: int | Sequence[int] = 16, depth: int | None = None,
         convolutions: int = 2, size: tuple[int | None, int | None] = (None, None), name: str = "unet") -> Model:
    """Return a U-Net from pictures (N, H, W, channels) of any size to probabilities of each pixel, (N, H, W, classes).

    The way down keeps what it saw at each size, and the way up gets it back, to tell where. Convolutions of 3 x 3 have
    batch normalization; transposed convolutions of 2 x 2 double the size. Rows and columns need not divide: the network
    puts a border below and on the right, which it cuts off in the end.

    Parameters
    ----------
    classes : int
        Background counts.
    channels : int
        Of the pictures.
    filters : int, or one for each level
        Of the first level; each one below has twice as many.
    depth : int, optional
        How often pictures are halved; 3, or as often as `filters` tell.
    convolutions : int
        On each level and way.
    size : (int or None, int or None)
        Rows and columns, where all pictures have one size.
    name : str

    Returns
    -------
    Model

    Raises
    ------
    ArgumentError
        Numbers that are not positive, a depth that is not that of `filters`.

    References
    ----------
    Ronneberger, Fischer, Brox: U-Net: convolutional networks for biomedical image segmentation, MICCAI 2015, figure 1.
    `fastcnn.applications.UNet` has the paper's layers one by one.

    Examples
    --------
    >>> model = fc.vision.segmentation.unet(2, filters=4)
    >>> model.predict(np.zeros((1, 50, 77, 1), "float32"), verbose=0).shape
    (1, 50, 77, 2)
    """
    classes, channels, convolutions = positive("unet", classes=classes, channels=channels, convolutions=convolutions)
    *widths, lowest = _widths(filters, depth)
    inputs = layers.Input((*size, channels))
    x = layers.PadToMultiple(1 << len(widths))(inputs)
    skips = list[Tensor]()
    for width in widths:
        x = _convolved(x, width, convolutions)
        skips.append(x)
        x = layers.MaxPooling2D(2)(x)
    x = _convolved(x, lowest, convolutions)
    for width, skip in zip(reversed(widths), reversed(skips), strict=True):
        x = layers.Conv2DTranspose(width, 2, strides=2)(x)
        x = _convolved(layers.Concatenate()([skip, x]), width, convolutions)
    logits = layers.CropLike()([layers.Conv2D(classes, 1, name="logits")(x), inputs])
    return Model(inputs, layers.Softmax(name="probabilities")(logits), name=name)


def _convolved(x: Tensor, filters: int, count: int) -> Tensor:
    for _ in range(count):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False, kernel_initializer="he_normal")(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.95)(x))
    return x


def _widths(filters: Any, depth: int | None) -> list[int]:
    """Return the filters of each level."""
    if isinstance(filters, Sequence) and not isinstance(filters, str):
        widths = positive("unet", **{f"filters_{k}": one for k, one in enumerate(filters)})
        if len(widths) < 2 or depth not in (None, len(widths) - 1):
            raise ArgumentError(f"unet: expected filters for each of at least two levels, one more than a depth, got "
                                f"{filters!r} with depth={depth}")
        return widths
    first, depth = positive("unet", filters=filters, depth=3 if depth is None else depth)
    return [first << level for level in range(depth + 1)]
