"""Detections of overlapping boxes: the last step of a detector's prediction."""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import number, positive
from fastcnn.layers.base import Backward, Call, Layer, Shape
from fastcnn.operations.boxes import best_detections, no_gradients
from fastcnn.operations.layout import permuted


class NonMaxSuppression(Layer):
    """The best boxes of each image: boxes (N, B, 4) and scores (N, B, classes) to (N, most, 6).

    A row is x1, y1, x2, y2, score, class, the best first; where an image has fewer boxes the rest are zeros of the
    class -1. Of each class the best box is taken, those that overlap with it by more than `iou_threshold` are left out,
    and so on. Of equal scores the lower class, then the lower box comes first. For prediction: it has no gradient.
    ONNX: NonMaxSuppression.

    Parameters
    ----------
    max_detections : int
        Boxes of an image.
    iou_threshold : float
        From 0 to 1.
    score_threshold : float, optional
        A box whose score is not above it is none.

    Examples
    --------
    >>> boxes = np.array([[[0, 0, 4, 4], [0, 0, 4, 3], [5, 5, 9, 9]]], "float32")
    >>> scores = np.array([[[0.9], [0.8], [0.7]]], "float32")
    >>> layers.NonMaxSuppression(2).predict((boxes, scores))
    array([[[0. , 0. , 4. , 4. , 0.9, 0. ],
            [5. , 5. , 9. , 9. , 0.7, 0. ]]], dtype=float32)
    """

    many_inputs = True

    def __init__(self, max_detections: int = 100, iou_threshold: float = 0.5, score_threshold: float | None = None,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        (self.max_detections,) = positive(self, max_detections=max_detections)
        self.iou_threshold = number(iou_threshold, self, "an iou_threshold from 0 to 1", lambda n: 0 <= n <= 1)
        self.score_threshold = None if score_threshold is None else number(
            score_threshold, self, "a number for score_threshold")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 2 or [len(one) for one in input_shape] != [3, 3] or input_shape[0][2] != 4 or (
                input_shape[0][1] != input_shape[1][1]):
            raise ArgumentError(f"{self}: expected two inputs, boxes (N, B, 4) and scores (N, B, classes), got "
                                f"{' and '.join(map(str, input_shape))}")
        return None, self.max_detections, 6

    def predict(self, x: Any) -> np.ndarray:
        boxes, scores = self.checked(x)
        lowest = -np.inf if self.score_threshold is None else self.score_threshold
        return best_detections(boxes, permuted(scores, (0, 2, 1)), self.max_detections, self.iou_threshold, lowest)

    def forward(self, x: Any, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        boxes, scores = self.checked(x)

        return self.predict(x), no_gradients(boxes, scores)
