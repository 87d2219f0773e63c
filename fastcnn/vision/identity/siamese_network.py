"""A Siamese network: two pictures through one embedding, and a dense unit that says whether they show one person."""

from typing import Any

from fastcnn import layers, ops
from fastcnn.errors import ArgumentError, unknown
from fastcnn.models import Model
from fastcnn.symbolic import Tensor
from fastcnn.vision.identity.embedding import require_embeddings

_EPSILON = 1e-6


def _absolute(f: Tensor, g: Tensor) -> Any:
    return ops.abs(f - g)


def _chi_square(f: Tensor, g: Tensor) -> Any:
    return ops.square(f - g) / (ops.abs(f) + ops.abs(g) + _EPSILON)


_COMPARISONS = {"absolute": _absolute, "chi-square": _chi_square}


def siamese(embedding: Model, comparison: str = "absolute", name: str = "siamese") -> Model:
    """Return a model of two pictures: how probable it is that they show one person, (N, 1).

        "absolute"     sigmoid(sum_k w_k |f_k - f'_k| + b)
        "chi-square"   sigmoid(sum_k w_k (f_k - f'_k)^2 / (|f_k| + |f'_k|) + b)

    Both pictures go through the same layers, whose weights are shared, and which learn from both. Train it with
    ``loss="binary_crossentropy"`` on `PairBatches`. The embedding alone stays a model of its own, with what was
    learned: a threshold on its distances is the other way to verify.

    Parameters
    ----------
    embedding : Model
        From pictures to embeddings (N, C).
    comparison : {"absolute", "chi-square"}
        Of two embeddings, number by number. Chi-square is that of the paper where embeddings are not below 0, behind a
        ReLU say.
    name : str

    Raises
    ------
    ArgumentError
        If the model gives no embeddings, or the comparison is not known.

    References
    ----------
    Taigman, Yang, Ranzato, Wolf: DeepFace, CVPR 2014, section 4. Koch, Zemel, Salakhutdinov: Siamese neural networks
    for one-shot image recognition, 2015.

    Examples
    --------
    >>> embedding = fc.Sequential([fc.Input((8, 8, 1)), layers.Flatten(), layers.Dense(4, activation="relu")])
    >>> model = fc.vision.identity.siamese(embedding, "chi-square")
    >>> model.predict([np.zeros((2, 8, 8, 1)), np.zeros((2, 8, 8, 1))], verbose=0).shape
    (2, 1)
    """
    require_embeddings(embedding, "siamese")
    if comparison not in _COMPARISONS:
        raise ArgumentError(unknown("siamese: comparison", comparison, _COMPARISONS))
    a, b = (layers.Input(tuple(embedding.input_shape[1:]), name=place) for place in ("first", "second"))
    apart = _COMPARISONS[comparison](embedding(a), embedding(b))
    return Model([a, b], layers.Dense(1, activation="sigmoid", name="same")(apart), name=name)
