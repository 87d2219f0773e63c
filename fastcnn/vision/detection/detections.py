"""What a detector found on a picture, and the picture with it drawn."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

#: Colours that are told apart with any eyes, as far as there are such (Okabe and Ito, 2008).
COLORS = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167))


@dataclass(frozen=True, eq=False)
class Detections:
    """Boxes that a detector found on one picture, the best first.

    Parameters
    ----------
    boxes : (K, 4) float32 array
        Corners x1, y1, x2, y2 in pixels of the picture, half-open, cut off at its border.
    scores : (K,) float32 array
        From 0 to 1.
    classes : (K,) int64 array
    names : tuple of str
        Of the classes.

    Examples
    --------
    >>> found = fc.vision.detection.Detections(np.array([[2, 3, 20, 30]], "float32"), np.array([0.9], "float32"),
    ...                                        np.array([1]), ("cat", "dog"))
    >>> len(found), found.labels(), found.rows().tolist()[0][:5]
    (1, ['dog'], [2.0, 3.0, 20.0, 30.0, 1.0])
    """

    boxes: np.ndarray
    scores: np.ndarray
    classes: np.ndarray
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.boxes)

    def __iter__(self) -> Iterator[tuple[np.ndarray, float, str]]:
        """Yield each box with its score and the name of its class."""
        return zip(self.boxes, self.scores.tolist(), self.labels(), strict=True)

    def labels(self) -> list[str]:
        """Return the name of each box's class."""
        return [self.names[k] for k in self.classes.tolist()]

    def rows(self) -> np.ndarray:
        """Return rows x1, y1, x2, y2, class, score, as `fastcnn.metrics.MeanAveragePrecision` takes them."""
        return np.column_stack([self.boxes, self.classes, self.scores]).astype(np.float32).reshape(-1, 6)

    def to_supervision(self) -> Any:
        """Return the same boxes as ``supervision.Detections``, for that library's annotators, trackers and zones.

        Its ``xyxy``, ``confidence`` and ``class_id`` are copies; names are ``data["class_name"]``.

        Raises
        ------
        ImportError
            supervision is not installed.
        """
        try:
            import supervision
        except ImportError:
            raise ImportError("to_supervision needs the package supervision: pip install supervision") from None
        return supervision.Detections(
            xyxy=np.array(self.boxes, np.float32).reshape(-1, 4), confidence=np.array(self.scores, np.float32),
            class_id=np.array(self.classes, int), data={"class_name": np.array(self.labels(), str)})

    def draw(self, picture: Any, path: str | os.PathLike[str] | None = None, line: int = 2) -> np.ndarray:
        """Return the picture with boxes, names and scores drawn, and write it to a file where one is named.

        Parameters
        ----------
        picture : (H, W, C) uint8 array or path
        path : path, optional
            Its ending says the format.
        line : int
            How wide the lines are, in pixels.

        Returns
        -------
        (H, W, 3) uint8 array

        Raises
        ------
        ImportError
            Pillow is not installed.
        """
        from fastcnn.datasets.rgb import write_picture
        from fastcnn.vision.detection.letterboxing import picture_of

        try:
            from PIL import Image, ImageDraw
        except ImportError:
            raise ImportError('drawing needs Pillow: pip install "fastcnn[image]"') from None
        image = Image.fromarray(picture_of(picture, 3, "Detections.draw"))
        pen = ImageDraw.Draw(image)
        for (x1, y1, x2, y2), score, name, kind in reversed(list(zip(
                self.boxes.tolist(), self.scores.tolist(), self.labels(), self.classes.tolist(), strict=True))):
            color = COLORS[kind % len(COLORS)]
            # The frame is drawn on the pixels within: the last one is half-open.
            pen.rectangle((x1, y1, max(x1, x2 - 1), max(y1, y2 - 1)), outline=color, width=line)
            told = f"{name} {score:.2f}".encode("latin-1", "replace").decode("latin-1")
            place = pen.textbbox((x1, max(0.0, y1 - 11)), told)
            pen.rectangle(place, fill=color)
            pen.text(place[:2], told, fill=(0, 0, 0))
        drawn = np.asarray(image)
        if path is not None:
            write_picture(path, drawn)
        return drawn
