"""The Dice coefficient of masks, counted over all pixels."""

from typing import Any

import numpy as np

from fastcnn.metrics.segmentation import IoU


class DiceScore(IoU):
    """Dice's coefficient 2 TP / (2 TP + FP + FN), counted over all positions: the mean over some classes.

    Of one class it is the F1 score of its pixels, and 2 IoU / (1 + IoU). Classes that occur in neither targets nor
    outputs do not count. Dice, "Measures of the amount of ecologic association between species", 1945.

    Parameters
    ----------
    num_classes : int
        2: an output is one number, and means class 1 if it is at least `threshold`. More: one number a class.
    target_class_ids : list of int, optional
        The classes of the mean. All but class 0, the background, if absent.
    threshold : float
        Of two classes.
    name : str, optional
    dtype : as in `Metric`
    ignore_class : int, optional
        Positions with this target do not count. Nor do those whose target is not one of the classes.

    Examples
    --------
    >>> t, y = np.array([0, 1, 1, 0]), np.array([0.1, 0.8, 0.4, 0.7])
    >>> metrics.DiceScore()(t, y)
    0.5
    """

    def __init__(self, num_classes: int = 2, target_class_ids: Any = None, threshold: float = 0.5,
                 name: str | None = None, dtype: Any = None, ignore_class: int | None = None) -> None:
        self.threshold = threshold
        classes = range(1, num_classes) if target_class_ids is None else target_class_ids
        super().__init__(num_classes, list(classes), name, dtype, ignore_class, True, num_classes == 2)

    def update_state(self, y_true: np.ndarray, y_pred: np.ndarray, sample_weight: Any = None) -> None:
        y_pred = np.asarray(y_pred)
        if self.num_classes == 2:
            lost = np.isnan(y_pred) if y_pred.dtype.kind == "f" else False
            y_pred = np.where(lost, np.nan, y_pred >= self.threshold)
        super().update_state(y_true, y_pred, sample_weight)

    def result(self) -> float:
        """Return the coefficient; 0 before anything was counted."""
        hits = self._matrix.diagonal()
        both = (self._matrix.sum(0)[:-1] + self._matrix.sum(1))[self.target_class_ids]
        seen = both > 1e-9
        return float((2 * hits[self.target_class_ids][seen] / both[seen]).mean()) if seen.any() else 0.0

    def get_config(self) -> dict[str, Any]:
        names = ("num_classes", "target_class_ids", "threshold", "name", "dtype", "ignore_class")
        return {key: getattr(self, key) for key in names}
