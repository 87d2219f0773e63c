"""The cross-entropy losses."""

import numpy as np

from fastcnn.onnx.operators._registry import operator
from fastcnn.onnx.operators._sums import total
from fastcnn.onnx.operators.activations import log_softmax


@operator("NegativeLogLikelihoodLoss")
def negative_log_likelihood(x: np.ndarray, target: np.ndarray, weight: np.ndarray | None = None, *,
                            ignore_index: int | None = None, reduction: str = "mean") -> np.ndarray:
    """-weight[target] x[n, target, ...], x (N, C, ...) being log-probabilities; "mean" divides by the weights' sum."""
    counted = np.ones(target.shape, bool) if ignore_index is None else target != ignore_index
    classes = np.where(counted, target, 0).astype(np.int64)
    chosen = np.take_along_axis(x, np.expand_dims(classes, 1), 1).squeeze(1)
    factor = counted.astype(x.dtype) if weight is None else weight[classes] * counted
    loss = (-chosen * factor).astype(x.dtype)
    if reduction == "none":
        return loss
    whole = total(loss)
    return whole if reduction == "sum" else (whole / total(factor)).astype(x.dtype)


@operator("SoftmaxCrossEntropyLoss")
def softmax_cross_entropy(x: np.ndarray, target: np.ndarray, weight: np.ndarray | None = None, *,
                          ignore_index: int | None = None, reduction: str = "mean") -> tuple[np.ndarray, np.ndarray]:
    """The loss of the logits x (N, C, ...), and their log-probabilities."""
    log_probabilities = log_softmax(x, axis=1)
    return negative_log_likelihood(log_probabilities, target, weight, ignore_index=ignore_index,
                                   reduction=reduction), log_probabilities
