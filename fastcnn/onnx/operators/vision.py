"""What detectors end with: the suppression of overlapping boxes."""

import numpy as np

from fastcnn.geometry.regions import suppression
from fastcnn.onnx.operators._registry import operator
from fastcnn.operations.boxes import order_rows, suppress


def _corners(boxes: np.ndarray, center_point_box: int) -> np.ndarray:
    """Return boxes (..., 4) as y1, x1, y2, x2 with the smaller first."""
    if center_point_box:
        x, y, w, h = np.moveaxis(boxes, -1, 0)
        return np.stack([y - h / 2, x - w / 2, y + h / 2, x + w / 2], -1)
    y1, x1, y2, x2 = np.moveaxis(boxes, -1, 0)
    return np.stack([np.minimum(y1, y2), np.minimum(x1, x2), np.maximum(y1, y2), np.maximum(x1, x2)], -1)


@operator("NonMaxSuppression")
def non_max_suppression(boxes: np.ndarray, scores: np.ndarray, most: np.ndarray | None = None,
                        iou: np.ndarray | None = None, score: np.ndarray | None = None, *,
                        center_point_box: int = 0) -> np.ndarray:
    """Boxes (N, B, 4) and scores (N, classes, B) to rows (image, class, box) of the best that do not overlap."""
    limit = 0 if most is None else int(most.reshape(-1)[0])
    threshold = 0.0 if iou is None else float(iou.reshape(-1)[0])
    lowest = -np.inf if score is None else float(score.reshape(-1)[0])
    kind = boxes.dtype if boxes.dtype == np.float64 else np.dtype(np.float32)
    corners = np.ascontiguousarray(_corners(boxes.astype(kind), center_point_box)).reshape(-1, 4)
    images, classes, count = scores.shape
    rows = np.ascontiguousarray(scores, kind).reshape(images * classes, count)
    at = np.arange(images * classes)
    lists = np.stack([at * count, at * count + count, at // max(classes, 1) * count, at * count], 1)
    kept, _ = suppress(corners, rows.reshape(-1), lists, order_rows(rows, lowest).reshape(-1),
                       suppression(threshold, max(0, limit)))
    chosen = np.flatnonzero(kept >= 0)
    where = chosen // max(count, 1)
    return np.stack([where // max(classes, 1), where % max(classes, 1), kept[chosen]], 1).astype(np.int64)
