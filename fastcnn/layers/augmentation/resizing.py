"""Pictures of any size as images of the size a network wants: resized, or their middle."""

from typing import Any

from fastcnn.errors import ArgumentError, unknown
from fastcnn.geometry import framing
from fastcnn.geometry.arguments import number, positive
from fastcnn.geometry.interpolation import Interpolation
from fastcnn.layers.augmentation.base import PictureLayer
from fastcnn.layers.base import Shape
from fastcnn.layers.conv import check_image
from fastcnn.operations.augmentation.change import Change
from fastcnn.operations.augmentation.draws import Draws
from fastcnn.operations.augmentation.frame import Frame

BILINEAR = Interpolation("linear")
_MODES = {"bilinear": BILINEAR, "nearest": Interpolation("nearest", rounding="round_prefer_ceil"),
          "bicubic": Interpolation("cubic")}


class Framed(PictureLayer):
    """Images (N, H, W, C) cut or framed, and then resized to (N, height, width, C).

    Attributes
    ----------
    border : ((int, int), (int, int))
        What is put around an image of `input_shape` before it is resized; negative: cut off.
    how : Interpolation
    fill_value : float
        Of the border.
    """

    how = BILINEAR
    fill_value = 0.0

    def __init__(self, height: int, width: int, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.height, self.width = positive(self, height=height, width=width)

    @property
    def size(self) -> framing.Size:
        """Height and width of the output."""
        return self.height, self.width

    @property
    def border(self) -> framing.Border:
        """What is cut off, or added, on each side of the images it was built for."""
        return self.framed(self.input_shape[1:3])

    def framed(self, size: framing.Size) -> framing.Border:
        """Return the border of an image of a size."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        check_image(self, input_shape, 2)
        return None, *self.size, input_shape[3]

    def changes(self, draws: Draws, shape: tuple[int, int, int]) -> list[Change]:
        return self.changes_at_rest(shape)

    def changes_at_rest(self, shape: tuple[int, int, int]) -> list[Change]:
        size = shape[0], shape[1]
        return [Frame(size, self.size, self.framed(size), self.how, self.fill_value)]


class Resizing(Framed):
    """Images of another size: (N, H, W, C) to (N, height, width, C). ONNX: Resize.

    `Resize` has ONNX's other rules, signals and volumes. Bicubic interpolation has Keys's coefficient -3/4, and -1/2
    with `antialias`, as Keras on PyTorch and Pillow have.

    Parameters
    ----------
    height, width : int
    interpolation : str
        "bilinear", "nearest" or "bicubic".
    crop_to_aspect_ratio : bool
        Whether the sides are cut off that a picture of another ratio of height to width has too many, so that nothing
        is distorted.
    pad_to_aspect_ratio : bool
        Whether it gets a border in their place.
    fill_mode : str
        "constant".
    fill_value : float
        Of that border.
    antialias : bool
        Whether an output that covers several pixels is a mixture of all of them; right for large pictures.
    data_format : str, optional
        "channels_last", the only order that is offered.

    Raises
    ------
    ArgumentError
        If an argument is none of these, or both ratios are to be kept.

    Examples
    --------
    >>> layers.Resizing(32, 64).compute_output_shape((None, 28, 28, 3))
    (None, 32, 64, 3)

    Examples
    --------
    >>> layers.Resizing(1, 2)(np.arange(8.0).reshape(1, 2, 4, 1)).ravel().tolist()
    [2.5, 4.5]
    """

    def __init__(self, height: int, width: int, interpolation: str = "bilinear", crop_to_aspect_ratio: bool = False,
                 pad_to_aspect_ratio: bool = False, fill_mode: str = "constant", fill_value: float = 0.0,
                 antialias: bool = False, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(height, width, data_format, **kwargs)
        if interpolation not in _MODES:
            raise ArgumentError(unknown(f"{self}: interpolation", interpolation, _MODES))
        if crop_to_aspect_ratio and pad_to_aspect_ratio:
            raise ArgumentError(f"{self}: expected one of crop_to_aspect_ratio and pad_to_aspect_ratio, got both")
        self.refuse(fill_mode=(fill_mode, "constant"))
        self.interpolation, self.antialias = interpolation, bool(antialias)
        self.crop_to_aspect_ratio, self.pad_to_aspect_ratio = bool(crop_to_aspect_ratio), bool(pad_to_aspect_ratio)
        self.fill_value = number(fill_value, self, "a number for fill_value")
        self.how = _MODES[interpolation]
        if antialias and interpolation != "nearest":
            self.how = self.how._replace(antialias=True, a=-0.5, exclude_outside=True)

    def framed(self, size: framing.Size) -> framing.Border:
        if self.crop_to_aspect_ratio:
            return framing.cut_to_ratio(size, self.size)
        return framing.padded_to_ratio(size, self.size) if self.pad_to_aspect_ratio else framing.NO_BORDER


class CenterCrop(Framed):
    """The middle of images: (N, H, W, C) to (N, height, width, C). ONNX: Slice, Resize.

    If an image is too small, the largest middle part of the wanted aspect ratio is resized instead.

    Parameters
    ----------
    height, width : int
    data_format : str, optional
        "channels_last", the only order that is offered.

    Examples
    --------
    >>> layers.CenterCrop(24, 20).compute_output_shape((None, 28, 28, 3))
    (None, 24, 20, 3)

    Examples
    --------
    >>> layers.CenterCrop(1, 2)(np.arange(8.0).reshape(1, 2, 4, 1)).ravel().tolist()
    [1.0, 2.0]
    """

    def framed(self, size: framing.Size) -> framing.Border:
        if size[0] >= self.height and size[1] >= self.width:
            return framing.cut_to(size, self.size)
        return framing.cut_to_ratio(size, self.size)
