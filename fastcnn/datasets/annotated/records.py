"""Pictures with boxes: a ragged record, the boxes of all pictures one after the other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcnn.data.ragged_rows import RaggedRows
from fastcnn.datasets.annotated.parsed import COUNTS
from fastcnn.errors import DataError

if TYPE_CHECKING:
    from fastcnn.datasets.annotated.letterboxing import Letterboxed


class BoxedImage(NamedTuple):
    """A picture with its boxes.

    Attributes
    ----------
    image : (H, W, C) uint8 array
    boxes : (K, 4) float32 array
        Corners x1, y1, x2, y2 in pixels, half-open: the width is x2 - x1.
    classes : (K,) int64 array
    kinds : (K,) uint8 array
        0 for what counts, 1 for a crowd, 2 for what is difficult.
    file : str
    """

    image: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    classes: NDArray[np.int64]
    kinds: NDArray[np.uint8]
    file: str


@dataclass(frozen=True, eq=False)
class BoxedImages:
    """Pictures of any sizes with any number of boxes each, none too.

    Box k of picture i is ``boxes[offsets[i] + k]``.

    Parameters
    ----------
    images : sequence of (H, W, C) uint8 arrays
        A list, or pictures that stay files and are read when they are asked for.
    boxes : (M, 4) float32 array
        Corners x1, y1, x2, y2 in pixels, half-open.
    offsets : (N + 1,) int64 array
        Where the boxes of each picture begin, and at last how many there are.
    classes : (M,) int64 array
        From 0 to ``len(names) - 1``.
    names : tuple of str
        Of the classes.
    files : tuple of str
        Names of the pictures within their folder.
    sizes : (N, 2) int64 array
        Height and width of each picture.
    kinds : (M,) uint8 array, optional
        0 for what counts, 1 for a crowd, 2 for what is difficult. All count if absent.
    areas : (M,) float32 array, optional
        Of the objects, NaN where it is not known, and that of the box is meant.

    Raises
    ------
    DataError
        Arrays that do not fit together; boxes that are not finite or have no area; classes without a name.

    Examples
    --------
    >>> pictures = [np.zeros((40, 60, 3), "uint8"), np.zeros((50, 50, 3), "uint8")]
    >>> data = fc.datasets.BoxedImages(
    ...     pictures, boxes=[[5, 5, 20, 30], [0, 0, 60, 40]], offsets=[0, 2, 2], classes=[0, 1],
    ...     names=("cat", "dog"), files=("a.png", "b.png"), sizes=[[40, 60], [50, 50]])
    >>> len(data), data[0].boxes.tolist(), len(data[1].boxes)
    (2, [[5.0, 5.0, 20.0, 30.0], [0.0, 0.0, 60.0, 40.0]], 0)
    """

    images: Sequence[Any] = field(repr=False)
    boxes: NDArray[np.float32] = field(repr=False)
    offsets: NDArray[np.int64] = field(repr=False)
    classes: NDArray[np.int64] = field(repr=False)
    names: tuple[str, ...]
    files: tuple[str, ...] = field(repr=False)
    sizes: NDArray[np.int64] = field(repr=False)
    kinds: NDArray[np.uint8] | None = field(default=None, repr=False)
    areas: NDArray[np.float32] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        count = len(np.asarray(self.boxes))
        given: dict[str, ArrayLike | None] = {
            "boxes": self.boxes, "offsets": self.offsets, "classes": self.classes, "sizes": self.sizes,
            "kinds": np.zeros(count, np.uint8) if self.kinds is None else self.kinds,
            "areas": np.full(count, np.nan, np.float32) if self.areas is None else self.areas}
        kinds = {"boxes": np.float32, "areas": np.float32, "kinds": np.uint8}
        shapes = {"boxes": (count, 4), "offsets": (len(self.files) + 1,), "classes": (count,),
                  "sizes": (len(self.files), 2), "kinds": (count,), "areas": (count,)}
        for name, value in given.items():
            array = np.asarray(value)
            array = array.reshape(shapes[name]) if array.size == 0 == int(np.prod(shapes[name])) else array
            if array.shape != shapes[name] or array.dtype.kind not in "buif":
                raise DataError(f"BoxedImages: expected {name} of shape {shapes[name]}, got {array.dtype} "
                                f"{array.shape}")
            object.__setattr__(self, name, np.ascontiguousarray(array, kinds.get(name, np.int64)))
        object.__setattr__(self, "names", tuple(self.names))
        object.__setattr__(self, "files", tuple(self.files))
        self._check()

    def _check(self) -> None:
        if len(self.images) != len(self.files):
            raise DataError(f"BoxedImages: expected a file name for each image, got {len(self.files)} for "
                            f"{len(self.images)}")
        if self.offsets[0] != 0 or self.offsets[-1] != len(self.boxes) or (np.diff(self.offsets) < 0).any():
            raise DataError(f"BoxedImages: expected offsets that rise from 0 to {len(self.boxes)}, got others")
        if not np.isfinite(self.boxes).all() or (self.boxes[:, 2:] <= self.boxes[:, :2]).any():
            raise DataError("BoxedImages: expected finite boxes with an area, corners x1, y1, x2, y2, got others")
        if len(self.classes) and not (self.classes.min() >= 0 and self.classes.max() < len(self.names)):
            raise DataError(f"BoxedImages: expected classes from 0 to {len(self.names) - 1}, got others")

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, row: int) -> BoxedImage:
        """Return a picture with its boxes."""
        assert self.kinds is not None
        some, row = self.slice_of(row), range(len(self))[row]
        return BoxedImage(self.images[row], self.boxes[some], self.classes[some], self.kinds[some], self.files[row])

    def __iter__(self) -> Iterator[BoxedImage]:
        return (self[row] for row in range(len(self)))

    def slice_of(self, row: int) -> slice:
        """Return which boxes are those of a picture."""
        row = range(len(self))[row]
        return slice(int(self.offsets[row]), int(self.offsets[row + 1]))

    def take(self, rows: ArrayLike) -> "BoxedImages":
        """Return some of the pictures, in this order, with their boxes.

        Parameters
        ----------
        rows : (n,) array of int
        """
        numbers = np.arange(len(self))[np.asarray(rows)].tolist()
        assert self.kinds is not None
        assert self.areas is not None
        parts = [np.arange(self.offsets[row], self.offsets[row + 1]) for row in numbers]
        kept = np.concatenate([np.zeros(0, np.int64), *parts])
        offsets = np.append(0, np.cumsum([len(part) for part in parts], dtype=np.int64))
        images = self.images.taken(numbers) if hasattr(self.images, "taken") else [
            self.images[row] for row in numbers]
        return BoxedImages(images, self.boxes[kept], offsets, self.classes[kept], self.names,
                           tuple(self.files[row] for row in numbers), self.sizes[numbers], self.kinds[kept],
                           self.areas[kept])

    def joined(self, *others: "BoxedImages") -> "BoxedImages":
        """Return these pictures and then others, of the same classes."""
        every = (self, *others)
        if any(one.names != self.names for one in every):
            raise DataError(f"BoxedImages: expected data of the classes {', '.join(self.names)} to join, got others")
        ends = np.cumsum([0, *(len(one.boxes) for one in every)])
        images: Any = [image for one in every for image in one.images] if not all(
            hasattr(one.images, "taken") for one in every) else _joined([one.images for one in every])
        whole = {name: np.concatenate([getattr(one, name) for one in every])
                 for name in ("boxes", "classes", "sizes", "kinds", "areas")}
        offsets = np.concatenate([[0], *(one.offsets[1:] + end for one, end in zip(every, ends))])
        return BoxedImages(images, offsets=offsets, names=self.names,
                           files=tuple(file for one in every for file in one.files), **whole)

    def targets(self) -> RaggedRows:
        """Return targets for `fit`: rows x1, y1, x2, y2, class, kind of each picture, padded batch by batch."""
        assert self.kinds is not None
        rows = np.column_stack([self.boxes, self.classes.astype(np.float32), self.kinds.astype(np.float32)])
        return RaggedRows(rows.reshape(-1, 6), self.offsets, "boxes")

    def letterboxed(self, size: tuple[int, int], fill: int = 114, enlarge: bool = True) -> "Letterboxed":
        """Return all pictures in one size, whole and in their own shape, with a border around; and their boxes there.

        Parameters
        ----------
        size : (int, int)
            Height and width.
        fill : int
            The value of the border, 0 to 255.
        enlarge : bool
            Whether pictures that are smaller are enlarged.

        Returns
        -------
        letterboxed : Letterboxed
            Images and targets for `fit`, and a `fastcnn.vision.boxes.Letterbox` each, whose `invert` leads boxes back.
        """
        from fastcnn.datasets.annotated.letterboxing import letterboxed

        return letterboxed(self, size, fill, enlarge)

    def counts(self) -> dict[str, int]:
        """Return how many boxes of each class count."""
        assert self.kinds is not None
        found = np.bincount(self.classes[self.kinds == COUNTS], minlength=len(self.names))
        return dict(zip(self.names, found.tolist(), strict=True))


def _joined(parts: Sequence[Any]) -> Any:
    from fastcnn.datasets.annotated.picture_list import PictureList

    return PictureList([file for part in parts for file in part.files], max(part.channels for part in parts))
