"""Networks of features: which there are, and the normalization that they begin with."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastcnn.errors import ArgumentError

#: The names of `fastcnn.applications.by_name` that take rows of features.
OF_FEATURES = ("mlp", "logistic_regression", "linear_regression")


def require_model(data: Any, name: str) -> None:
    """Raise ArgumentError where a network of some name is none for a data set."""
    from fastcnn import applications

    if data.features and name in applications.by_name and name not in OF_FEATURES:
        raise ArgumentError(f"--model {name}: expected a network of features, {', '.join(OF_FEATURES)}, for "
                            f"{data.name}, got one of images")  # fmt: skip
    odd = "logistic_regression" if data.task == "regression" else "linear_regression"
    if name == odd:
        other = "linear_regression" if data.task == "regression" else "logistic_regression"
        raise ArgumentError(f"--model {name}: expected a network for the {data.task} that {data.name} is, as {other}")


def with_normalization(model: Any, x: NDArray[Any]) -> Any:
    """Return a model that takes raw features: each with mean 0 and variance 1 in the training part goes on into it.

    Parameters
    ----------
    model : Model
        Of standardized features (N, F).
    x : (N, F) array
        The training part. A feature that is the same everywhere is only shifted.
    """
    from fastcnn import layers
    from fastcnn.models import Model, Sequential

    first = layers.Normalization(name="normalization_of_features")
    first.adapt(x)
    variance = first.variance.value
    first.variance.assign(np.where(variance > 0, variance, 1))
    inputs = layers.Input(x.shape[1:])
    if isinstance(model, Sequential):
        return Sequential([inputs, first, *model.layers], name=model.name)
    return Model(inputs, model(first(inputs)), name=model.name)
