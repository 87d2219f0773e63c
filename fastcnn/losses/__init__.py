"""Losses, with Keras's names: the value of each sample and, in the same pass, the gradient of their mean."""

from typing import TYPE_CHECKING, Any

from fastcnn import unsupported
from fastcnn.errors import ArgumentError, unknown
from fastcnn.losses.base import Loss
from fastcnn.losses.binary import BinaryCrossentropy, BinaryFocalCrossentropy, MaskedBinaryCrossentropy
from fastcnn.losses.boxes import BoxCIoU, BoxDIoU, BoxGIoU, BoxIoU
from fastcnn.losses.crossentropy import (
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    KLDivergence,
    SparseCategoricalCrossentropy,
)
from fastcnn.losses.embeddings import Contrastive, Triplet
from fastcnn.losses.function import FunctionLoss
from fastcnn.losses.functions import (
    categorical_hinge,
    cosine_similarity,
    dice,
    hinge,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    squared_hinge,
    tversky,
)
from fastcnn.losses.functions_of_probabilities import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    kl_divergence,
    sparse_categorical_crossentropy,
)
from fastcnn.losses.generalized_crossentropy import (
    CategoricalGeneralizedCrossEntropy,
    categorical_generalized_cross_entropy,
)
from fastcnn.losses.joint import JointLoss
from fastcnn.losses.pairs import Circle, circle
from fastcnn.losses.regression import (
    Hinge,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    RootMeanSquaredError,
    SquaredHinge,
)
from fastcnn.losses.similarity import CategoricalHinge, CosineSimilarity, Dice, Tversky

__all__ = [
    "BinaryCrossentropy", "BinaryFocalCrossentropy", "BoxCIoU", "BoxDIoU", "BoxGIoU", "BoxIoU",
    "CategoricalCrossentropy", "CategoricalFocalCrossentropy", "CategoricalGeneralizedCrossEntropy", "CategoricalHinge",
    "Circle", "Contrastive", "CosineSimilarity", "Dice", "Hinge", "Huber", "JointLoss", "KLDivergence", "LogCosh",
    "Loss", "MaskedBinaryCrossentropy", "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredError",
    "MeanSquaredLogarithmicError", "Poisson", "RootMeanSquaredError", "SparseCategoricalCrossentropy", "SquaredHinge",
    "Triplet", "Tversky", "binary_crossentropy", "binary_focal_crossentropy", "categorical_crossentropy",
    "categorical_focal_crossentropy", "categorical_generalized_cross_entropy", "categorical_hinge", "circle",
    "cosine_similarity", "deserialize", "dice", "get", "hinge", "huber", "kl_divergence", "log_cosh",
    "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_error", "mean_squared_logarithmic_error",
    "poisson", "serialize", "sparse_categorical_crossentropy", "squared_hinge", "tversky",
]

_BASES = ("JointLoss", "Loss")
_CLASSES: dict[str, type[Loss]] = {name: globals()[name] for name in __all__
                                   if name[0].isupper() and name not in _BASES}
_NAMES: dict[str, type[Loss]] = {
    "binary_crossentropy": BinaryCrossentropy, "bce": BinaryCrossentropy,
    "binary_focal_crossentropy": BinaryFocalCrossentropy,
    "box_ciou": BoxCIoU, "box_diou": BoxDIoU, "box_giou": BoxGIoU, "box_iou": BoxIoU,
    "categorical_crossentropy": CategoricalCrossentropy,
    "categorical_focal_crossentropy": CategoricalFocalCrossentropy,
    "categorical_generalized_cross_entropy": CategoricalGeneralizedCrossEntropy,
    "categorical_hinge": CategoricalHinge,
    "circle": Circle,
    "cosine_similarity": CosineSimilarity,
    "dice": Dice,
    "hinge": Hinge,
    "huber": Huber, "huber_loss": Huber,
    "kl_divergence": KLDivergence, "kld": KLDivergence,
    "log_cosh": LogCosh, "logcosh": LogCosh,
    "masked_binary_crossentropy": MaskedBinaryCrossentropy,
    "mean_absolute_error": MeanAbsoluteError, "mae": MeanAbsoluteError,
    "mean_absolute_percentage_error": MeanAbsolutePercentageError, "mape": MeanAbsolutePercentageError,
    "mean_squared_error": MeanSquaredError, "mse": MeanSquaredError,
    "mean_squared_logarithmic_error": MeanSquaredLogarithmicError, "msle": MeanSquaredLogarithmicError,
    "poisson": Poisson,
    "root_mean_squared_error": RootMeanSquaredError, "rmse": RootMeanSquaredError,
    "sparse_categorical_crossentropy": SparseCategoricalCrossentropy,
    "squared_hinge": SquaredHinge,
    "triplet": Triplet, "contrastive": Contrastive,
    "tversky": Tversky,
}
_SHORT = ("bce", "kld", "mae", "mape", "mse", "msle")
_ALL = {**_NAMES, **{name.upper(): _NAMES[name] for name in _SHORT}, **_CLASSES}


def get(identifier: Any) -> Loss:
    """Return the loss for a name ("mse", "MeanSquaredError"), a configuration, a class or a function, or a loss itself.

    Parameters
    ----------
    identifier : str, dict, class, function or Loss
        A name such as "mse"; a configuration as `serialize` makes it; a function of this module; a function of y_true
        and y_pred, which returns a loss for each sample or position as a tensor (`fastcnn.ops`).

    Raises
    ------
    ArgumentError
        If the name is not known.

    Examples
    --------
    >>> losses.get("mse").name
    'mean_squared_error'
    """
    if isinstance(identifier, Loss):
        return identifier
    if isinstance(identifier, type) and issubclass(identifier, Loss):
        return identifier()
    if isinstance(identifier, dict) and identifier.get("class_name") in _CLASSES:
        return _CLASSES[identifier["class_name"]].from_config(identifier.get("config", {}))
    if callable(identifier) and str(getattr(identifier, "__module__", "")).startswith("fastcnn.losses."):
        identifier = identifier.__name__  # a function of this module
    if isinstance(identifier, str) and identifier in _ALL:
        return _ALL[identifier]()
    if callable(identifier) and not isinstance(identifier, type):
        return FunctionLoss(identifier)
    raise ArgumentError(unknown("loss", identifier, _NAMES))


def serialize(loss: Loss) -> dict[str, Any]:
    """Return a configuration of a loss, which `get` understands and JSON can hold.

    Parameters
    ----------
    loss : Loss

    Examples
    --------
    >>> losses.serialize(losses.Huber(2.0))["class_name"]
    'Huber'
    """
    return {"class_name": type(loss).__name__, "config": loss.get_config()}


def deserialize(name: str | dict, custom_objects: dict[str, type[Loss]] | None = None) -> Loss:
    """Return the loss that `serialize` wrote down, or of a name.

    Parameters
    ----------
    name : str or dict
    custom_objects : dict, optional
        Your own classes by name.

    Examples
    --------
    >>> losses.deserialize(losses.serialize(losses.Huber(2.0))).delta
    2.0
    """
    own = (custom_objects or {}).get(name.get("class_name", "")) if isinstance(name, dict) else None
    return get(name) if own is None or isinstance(name, str) else own.from_config(name.get("config", {}))


if not TYPE_CHECKING:  # else type checkers would believe in any name
    __getattr__ = unsupported.names_of("losses")
