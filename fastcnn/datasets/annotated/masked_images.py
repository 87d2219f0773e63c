"""Pictures with masks: of each pixel its class, or which object it belongs to."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcnn.datasets._pillow import read_labels
from fastcnn.datasets.annotated.records import BoxedImages
from fastcnn.errors import DataError

UNKNOWN = 255  # in masks of a palette, as Pascal VOC has them


class MaskedImage(NamedTuple):
    """A picture with its mask.

    Attributes
    ----------
    image : (H, W, C) uint8 array
    mask : (H, W) int32 array
        0 is background; -1 where nobody knows.
    file : str
    """

    image: NDArray[np.uint8]
    mask: NDArray[np.int32]
    file: str


class MaskList(Sequence[Any]):
    """Masks that stay files: an index reads one, (H, W) of int32.

    Parameters
    ----------
    files : sequence of MaskFiles
        Of each picture.
    values : dict of int to int, optional
        What the numbers in the files mean, if not themselves.
    """

    def __init__(self, files: Sequence["MaskFiles"], values: dict[int, int] | None = None) -> None:
        self.files, self.values = list(files), values

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, row: Any) -> Any:
        if isinstance(row, slice):
            return MaskList(self.files[row], self.values)
        mask = mask_at(self.files[row])
        if self.values is None:
            return mask
        found = mask.copy()
        for old, new in self.values.items():
            found[mask == old] = new
        return found

    def taken(self, rows: Sequence[int]) -> "MaskList":
        """Return some of the masks, unread."""
        return MaskList([self.files[row] for row in rows], self.values)


class MaskFiles(NamedTuple):
    """The files of a picture's mask: one map, or one an object."""

    files: list[Path]
    of_objects: bool


def mask_at(told: MaskFiles) -> NDArray[np.int32]:
    """Return the map of a picture: as one file has it, or numbered from 1 where each object has a file.

    Pixels of several objects are those of the last.

    Raises
    ------
    DataError
        A file that is no mask, or masks of one picture that have several sizes.
    """
    first, _ = read_labels(told.files[0])
    if not told.of_objects:
        return first
    whole = np.zeros_like(first)
    for number, file in enumerate(told.files, 1):
        one = first if number == 1 else read_labels(file)[0]
        if one.shape != whole.shape:
            raise DataError(f"{file}: expected a mask of {whole.shape[1]}x{whole.shape[0]} pixels as the others of the "
                            f"picture, got {one.shape[1]}x{one.shape[0]}")
        whole[one > 0] = number
    return whole


@dataclass(frozen=True, eq=False)
class MaskedImages:
    """Pictures with masks.

    Parameters
    ----------
    images : sequence of (H, W, C) uint8 arrays
        A list, or pictures that stay files and are read when they are asked for.
    masks : sequence of (H, W) int32 arrays
        As the images; 0 is background, -1 where nobody knows.
    files : tuple of str
        Names of the pictures within their folder.
    sizes : (N, 2) int64 array
        Height and width of each.
    kind : {"instances", "classes"}
        What numbers above 0 are: of objects, each with its own within its picture; or of classes.
    """

    images: Sequence[Any] = field(repr=False)
    masks: Sequence[Any] = field(repr=False)
    files: tuple[str, ...] = field(repr=False)
    sizes: NDArray[np.int64] = field(repr=False)
    kind: Literal["instances", "classes"] = "instances"

    def __post_init__(self) -> None:
        if not len(self.images) == len(self.masks) == len(self.files) == len(self.sizes):
            raise DataError(f"MaskedImages: expected as many masks, files and sizes as images, got {len(self.masks)}, "
                            f"{len(self.files)} and {len(self.sizes)} for {len(self.images)}")

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, row: int) -> MaskedImage:
        """Return a picture with its mask."""
        row = range(len(self))[row]
        return MaskedImage(self.images[row], self.masks[row], self.files[row])

    def __iter__(self) -> Iterator[MaskedImage]:
        return (self[row] for row in range(len(self)))

    def take(self, rows: ArrayLike) -> "MaskedImages":
        """Return some of the pictures, in this order.

        Parameters
        ----------
        rows : (n,) array of int
        """
        numbers = np.arange(len(self))[np.asarray(rows)].tolist()
        taken: Callable[[Any], Any] = lambda some: some.taken(numbers) if hasattr(some, "taken") else [
            some[row] for row in numbers]
        return MaskedImages(taken(self.images), taken(self.masks), tuple(self.files[row] for row in numbers),
                            self.sizes[numbers], self.kind)

    def arrays(self) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
        """Return all images (N, H, W, C) and masks (N, H, W), where all have one size.

        Raises
        ------
        DataError
            Pictures of several sizes.
        """
        sizes = {(int(height), int(width)) for height, width in self.sizes}
        if len(sizes) > 1:
            raise DataError(f"MaskedImages.arrays: expected pictures of one size, got {len(sizes)}, as "
                            f"{' and '.join(f'{w}x{h}' for h, w in sorted(sizes)[:2])}; take them one by one")
        return np.stack([*self.images]), np.stack([*self.masks])

    def boxed(self, name: str = "object") -> BoxedImages:
        """Return the same pictures with a box around each object, all of one class; its area is that of its pixels.

        Parameters
        ----------
        name : str
            Of the class.
        """
        if self.kind != "instances":
            raise DataError("MaskedImages.boxed: expected masks of objects, got those of classes")
        each = [boxes_around(mask) for mask in self.masks]
        offsets = np.append(0, np.cumsum([len(boxes) for boxes, _ in each], dtype=np.int64))
        boxes = np.concatenate([np.zeros((0, 4), np.float32), *(boxes for boxes, _ in each)])
        areas = np.concatenate([np.zeros(0, np.float32), *(areas for _, areas in each)])
        return BoxedImages(self.images, boxes, offsets, np.zeros(len(boxes), np.int64), (name,), self.files,
                           self.sizes, None, areas)


def boxes_around(mask: NDArray[np.integer]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return a box (K, 4) around the pixels of each number above 0, by rising number, and how many pixels they are.

    Parameters
    ----------
    mask : (H, W) array of int
    """
    rows, columns = np.nonzero(mask > 0)
    names, which, counts = np.unique(mask[rows, columns], return_inverse=True, return_counts=True)
    boxes = np.empty((len(names), 4), np.float32)
    for k, (places, ends) in enumerate(((columns, (np.minimum, 0)), (rows, (np.minimum, 0)), (columns, (np.maximum, 1)),
                                        (rows, (np.maximum, 1)))):
        extreme, beyond = ends
        found = np.full(len(names), -1 if beyond else max(mask.shape))
        extreme.at(found, which, places)
        boxes[:, k] = found + beyond
    return boxes, counts.astype(np.float32)
