"""What detectors need: the suppression of overlapping boxes, and sampling at positions that are data."""

import numpy as np

from fastcnn.onnx.operators._registry import operator


def _corners(boxes: np.ndarray, center_point_box: int) -> np.ndarray:
    """Return boxes (..., 4) as y1, x1, y2, x2 with the smaller first."""
    if center_point_box:
        x, y, w, h = np.moveaxis(boxes, -1, 0)
        return np.stack([y - h / 2, x - w / 2, y + h / 2, x + w / 2], -1)
    y1, x1, y2, x2 = np.moveaxis(boxes, -1, 0)
    return np.stack([np.minimum(y1, y2), np.minimum(x1, x2), np.maximum(y1, y2), np.maximum(x1, x2)], -1)


def _overlap(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return intersection over union of one box with each of the others."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    common = np.prod(np.maximum(high - low, 0), -1)
    area = np.prod(box[2:] - box[:2]) + np.prod(others[:, 2:] - others[:, :2], -1) - common
    return np.where(area > 0, common / np.where(area > 0, area, 1), 0)


@operator("NonMaxSuppression")
def non_max_suppression(boxes: np.ndarray, scores: np.ndarray, most: np.ndarray | None = None,
                        iou: np.ndarray | None = None, score: np.ndarray | None = None, *,
                        center_point_box: int = 0) -> np.ndarray:
    """Boxes (N, B, 4) and scores (N, classes, B) to rows (image, class, box) of the best that do not overlap."""
    limit = 0 if most is None else int(most.reshape(-1)[0])
    threshold = 0.0 if iou is None else float(iou.reshape(-1)[0])
    lowest = -np.inf if score is None else float(score.reshape(-1)[0])
    corners = _corners(boxes.astype(np.float64), center_point_box)
    chosen = []
    for image, by_class in enumerate(scores):
        for kind, values in enumerate(by_class):
            order = np.argsort(-values, kind="stable")
            left = order[values[order] > lowest]
            for _ in range(limit):
                if not left.size:
                    break
                best, left = left[0], left[1:]
                chosen.append((image, kind, int(best)))
                left = left[_overlap(corners[image, best], corners[image, left]) <= threshold]
    return np.array(chosen, np.int64).reshape(-1, 3)
