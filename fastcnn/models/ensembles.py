"""Several models as one, whose outputs are the means of theirs."""

from collections.abc import Sequence
from typing import Any

from fastcnn import layers
from fastcnn.errors import ArgumentError
from fastcnn.models.model import Model


def ensemble(models: Sequence[Model], name: str = "ensemble") -> Model:
    """Return a model whose outputs are the means of those of some models.

    Networks from other seeds, or of other kinds, err on other images, and the mean of their probabilities errs less
    than each: usually by one to three parts in ten, at the price of as many predictions. The models keep their layers
    and weights, which are shared, not copied; the file of an ensemble, ONNX too, holds all of them.

    Parameters
    ----------
    models : sequence of Model
        With one input and one output each, of the same shapes.
    name : str

    Raises
    ------
    ArgumentError
        Fewer than two models, or of other shapes.

    References
    ----------
    Hansen, Salamon: Neural network ensembles, IEEE Transactions on Pattern Analysis and Machine Intelligence 12, 1990.

    Examples
    --------
    >>> one, other = (fc.Sequential([fc.Input((4,)), layers.Dense(3, activation="softmax")]) for _ in range(2))
    >>> both, x = fc.models.ensemble([one, other]), np.ones((2, 4), "float32")
    >>> np.allclose(both.predict(x), (one.predict(x) + other.predict(x)) / 2)
    True
    """
    if len(models) < 2:
        raise ArgumentError(f"ensemble: expected at least two models, got {len(models)}")
    first = models[0]
    for one in models:
        if not isinstance(one, Model) or len(one.inputs) != 1 or len(one.outputs) != 1:
            raise ArgumentError(f"ensemble: expected models with one input and one output, got {one!r}")
        shapes = one.input_shape, one.output_shape
        if shapes != (first.input_shape, first.output_shape):
            raise ArgumentError(f"ensemble: expected models from {first.input_shape} to {first.output_shape}, as the "
                                f"first, got one from {shapes[0]} to {shapes[1]}")
    inputs: Any = layers.Input(first.input_shape[1:])
    members = [Model(one.inputs, one.outputs, name=f"member_{k}") for k, one in enumerate(models, 1)]
    return Model(inputs, layers.Average(name="mean")([one(inputs) for one in members]), name=name)
