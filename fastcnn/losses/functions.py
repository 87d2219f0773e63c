"""Losses of errors, margins and masks as functions: ``losses.mean_squared_error(y_true, y_pred)``."""

from typing import Any

from fastcnn.losses.regression import (
    Hinge,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    SquaredHinge,
)
from fastcnn.losses.similarity import CategoricalHinge, CosineSimilarity, Dice, Tversky


def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """Return the loss of each position as `MeanSquaredError` has it; of a vector, one number.

    Parameters
    ----------
    y_true, y_pred : arrays
        Targets and outputs.

    Examples
    --------
    >>> t, y = np.array([[1.0, 2.0]]), np.array([[1.5, 4.0]])
    >>> np.round(losses.mean_squared_error(t, y), 3)
    array([2.125])
    """
    return MeanSquaredError(reduction=None)(y_true, y_pred)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """Return the loss of each position as `MeanAbsoluteError` has it; of a vector, one number.

    Parameters
    ----------
    y_true, y_pred : arrays
        Targets and outputs.

    Examples
    --------
    >>> t, y = np.array([[1.0, 2.0]]), np.array([[1.5, 4.0]])
    >>> np.round(losses.mean_absolute_error(t, y), 3)
    array([1.25])
    """
    return MeanAbsoluteError(reduction=None)(y_true, y_pred)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """Return the loss of each position as `MeanAbsolutePercentageError` has it; of a vector, one number.

    Parameters
    ----------
    y_true, y_pred : arrays
        Targets and outputs.

    Examples
    --------
    >>> t, y = np.array([[1.0, 2.0]]), np.array([[1.5, 4.0]])
    >>> np.round(losses.mean_absolute_percentage_error(t, y), 3)
    array([75.])
    """
    return MeanAbsolutePercentageError(reduction=None)(y_true, y_pred)


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """Return the loss of each position as `MeanSquaredLogarithmicError` has it; of a vector, one number.

    Parameters
    ----------
    y_true, y_pred : arrays
        Targets and outputs.

    Examples
    --------
    >>> t, y = np.array([[1.0, 2.0]]), np.array([[1.5, 4.0]])
    >>> np.round(losses.mean_squared_logarithmic_error(t, y), 3)
    array([0.155])
    """
    return MeanSquaredLogarithmicError(reduction=None)(y_true, y_pred)


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """Return the loss of each position as `Huber` has it; of a vector, one number.

    Parameters
    ----------
    y_true, y_pred : arrays
        Targets and outputs.
    delta : as in `Huber`

    Examples
    --------
    >>> t, y = np.array([[1.0, 2.0]]), np.array([[1.5, 4.0]])
    >>> np.round(losses.huber(t, y), 3)
    array([0.812])
    """
    return Huber(delta=delta, reduction=None)(y_true, y_pred)


def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """Return the loss of each position as `LogCosh` has it; of a vector, one number.

    Parameters
    ----------
    y_true, y_pred : arrays
        Targets and outputs.

    Examples
    --------
    >>> t, y = np.array([[1.0, 2.0]]), np.array([[1.5, 4.0]])
    >>> np.round(losses.log_cosh(t, y), 3)
    array([0.723])
    """
    return LogCosh(reduction=None)(y_true, y_pred)


def poisson(y_true: Any, y_pred: Any) -> Any:
    """Return the loss of each position as `Poisson` has it; of a vector, one number.

    Parameters
    ----------
    y_true, y_pred : arrays
        Targets and outputs.

    Examples
    --------
    >>> t, y = np.array([[1.0, 2.0]]), np.array([[1.5, 4.0]])
    >>> np.round(losses.poisson(t, y), 3)
    array([1.161])
    """
    return Poisson(reduction=None)(y_true, y_pred)


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Return the loss of each position as `CosineSimilarity` has it; of a vector, one number.

    Parameters
    ----------
    y_true, y_pred : arrays
        Targets and outputs.
    axis : as in `CosineSimilarity`

    Examples
    --------
    >>> t, y = np.array([[1.0, 2.0]]), np.array([[1.5, 4.0]])
    >>> np.round(losses.cosine_similarity(t, y), 3)
    array([-0.995])
    """
    return CosineSimilarity(axis=axis, reduction=None)(y_true, y_pred)


def hinge(y_true: Any, y_pred: Any) -> Any:
    """Return the loss of each position as `Hinge` has it; of a vector, one number.

    Parameters
    ----------
    y_true, y_pred : arrays
        Targets and outputs.

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> np.round(losses.hinge(t, y), 3)
    array([0.867, 1.133])
    """
    return Hinge(reduction=None)(y_true, y_pred)


def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """Return the loss of each position as `SquaredHinge` has it; of a vector, one number.

    Parameters
    ----------
    y_true, y_pred : arrays
        Targets and outputs.

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> np.round(losses.squared_hinge(t, y), 3)
    array([0.913, 1.42 ])
    """
    return SquaredHinge(reduction=None)(y_true, y_pred)


def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """Return the loss of each position as `CategoricalHinge` has it; of a vector, one number.

    Parameters
    ----------
    y_true, y_pred : arrays
        Targets and outputs.

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> np.round(losses.categorical_hinge(t, y), 3)
    array([0.5, 1.3])
    """
    return CategoricalHinge(reduction=None)(y_true, y_pred)


def dice(y_true: Any, y_pred: Any, axis: Any = None) -> Any:
    """Return the loss of each position as `Dice` has it; of a vector, one number.

    Parameters
    ----------
    y_true, y_pred : arrays
        Targets and outputs.
    axis : as in `Dice`

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> np.round(losses.dice(t, y), 3)
    np.float64(0.5)
    """
    return Dice(axis=axis, reduction=None)(y_true, y_pred)


def tversky(y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Any = None) -> Any:
    """Return the loss of each position as `Tversky` has it; of a vector, one number.

    Parameters
    ----------
    y_true, y_pred : arrays
        Targets and outputs.
    alpha, beta, axis : as in `Tversky`

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> np.round(losses.tversky(t, y), 3)
    np.float64(0.5)
    """
    return Tversky(alpha=alpha, beta=beta, axis=axis, reduction=None)(y_true, y_pred)
