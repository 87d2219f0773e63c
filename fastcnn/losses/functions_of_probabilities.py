"""Losses of probabilities as functions: ``losses.categorical_crossentropy(y_true, y_pred)``."""

from typing import Any

from fastcnn.losses.binary import BinaryCrossentropy, BinaryFocalCrossentropy
from fastcnn.losses.crossentropy import (
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    KLDivergence,
    SparseCategoricalCrossentropy,
)


def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """Return the loss of each position as `KLDivergence` has it; of a vector, one number.

    Parameters
    ----------
    y_true, y_pred : arrays
        Targets and outputs.

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> np.round(losses.kl_divergence(t, y), 3)
    array([0.357, 1.204])
    """
    return KLDivergence(reduction=None)(y_true, y_pred)


def binary_crossentropy(y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0,
                        axis: int = -1) -> Any:
    """Return the loss of each position as `BinaryCrossentropy` has it; of a vector, one number.

    Parameters
    ----------
    y_true, y_pred : arrays
        Targets and outputs.
    from_logits, label_smoothing, axis : as in `BinaryCrossentropy`

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> np.round(losses.binary_crossentropy(t, y), 3)
    array([0.228, 0.742])
    """
    return BinaryCrossentropy(from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
                              reduction=None)(y_true, y_pred)


def binary_focal_crossentropy(y_true: Any, y_pred: Any, apply_class_balancing: bool = False, alpha: float = 0.25,
                              gamma: float = 2.0, from_logits: bool = False, label_smoothing: float = 0.0,
                              axis: int = -1) -> Any:
    """Return the loss of each position as `BinaryFocalCrossentropy` has it; of a vector, one number.

    Parameters
    ----------
    y_true, y_pred : arrays
        Targets and outputs.
    apply_class_balancing, alpha, gamma, from_logits, label_smoothing, axis : as in `BinaryFocalCrossentropy`

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> np.round(losses.binary_focal_crossentropy(t, y), 3)
    array([0.014, 0.307])
    """
    return BinaryFocalCrossentropy(apply_class_balancing=apply_class_balancing, alpha=alpha, gamma=gamma,
                                   from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
                                   reduction=None)(y_true, y_pred)


def categorical_crossentropy(y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0,
                             axis: int = -1) -> Any:
    """Return the loss of each position as `CategoricalCrossentropy` has it; of a vector, one number.

    Parameters
    ----------
    y_true, y_pred : arrays
        Targets and outputs.
    from_logits, label_smoothing, axis : as in `CategoricalCrossentropy`

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> np.round(losses.categorical_crossentropy(t, y), 3)
    array([0.357, 1.204])
    """
    return CategoricalCrossentropy(from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
                                   reduction=None)(y_true, y_pred)


def categorical_focal_crossentropy(y_true: Any, y_pred: Any, alpha: float = 0.25, gamma: float = 2.0,
                                   from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1) -> Any:
    """Return the loss of each position as `CategoricalFocalCrossentropy` has it; of a vector, one number.

    Parameters
    ----------
    y_true, y_pred : arrays
        Targets and outputs.
    alpha, gamma, from_logits, label_smoothing, axis : as in `CategoricalFocalCrossentropy`

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> np.round(losses.categorical_focal_crossentropy(t, y), 3)
    array([0.008, 0.147])
    """
    return CategoricalFocalCrossentropy(alpha=alpha, gamma=gamma, from_logits=from_logits,
                                        label_smoothing=label_smoothing, axis=axis, reduction=None)(y_true, y_pred)


def sparse_categorical_crossentropy(y_true: Any, y_pred: Any, from_logits: bool = False,
                                    ignore_class: int | None = None, axis: int = -1) -> Any:
    """Return the loss of each position as `SparseCategoricalCrossentropy` has it; of a vector, one number.

    Parameters
    ----------
    y_true, y_pred : arrays
        Targets and outputs.
    from_logits, ignore_class, axis : as in `SparseCategoricalCrossentropy`

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> np.round(losses.sparse_categorical_crossentropy([1, 0], y), 3)
    array([0.357, 1.204])
    """
    return SparseCategoricalCrossentropy(from_logits=from_logits, ignore_class=ignore_class, axis=axis,
                                         reduction=None)(y_true, y_pred)
