"""Activation functions by Keras's names: for ``activation="relu"`` or ``activation=activations.relu``, and to call.

Each function of this module takes an array, or a symbolic tensor of a functional model, and the parameters that Keras's
has. A layer is told a function by its name, or is given the function itself, which is saved by its name; one with other
parameters than the defaults is a layer: ``layers.ReLU(max_value=3)``.

Behind them are objects with a forward and a backward pass (`fastcnn.operations.activation`). A derivative is taken from
the output where the formula allows it (ReLU, tanh, sigmoid, ...), so that the input need not be kept.
"""

from typing import TYPE_CHECKING

from fastcnn import unsupported
from fastcnn.activations.names import clip as clip
from fastcnn.activations.names import config_of as config_of
from fastcnn.activations.names import deserialize, get, serialize
from fastcnn.activations.names import rectifier as rectifier
from fastcnn.activations.piecewise import (
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_tanh,
    leaky_relu,
    linear,
    relu,
    relu6,
    soft_shrink,
    sparse_plus,
    sparse_sigmoid,
    step,
    threshold,
)
from fastcnn.activations.smooth import (
    celu,
    elu,
    exponential,
    gelu,
    log_sigmoid,
    mish,
    selu,
    sigmoid,
    silu,
    softplus,
    softsign,
    squareplus,
    tanh,
    tanh_shrink,
)
from fastcnn.activations.softmaxes import log_softmax, softmax
from fastcnn.operations.activation import Function as Function

swish, hard_swish = silu, hard_silu

__all__ = [
    "celu", "deserialize", "elu", "exponential", "gelu", "get", "hard_shrink", "hard_sigmoid", "hard_silu",
    "hard_swish", "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu",
    "serialize", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid",
    "squareplus", "step", "swish", "tanh", "tanh_shrink", "threshold",
]  # fmt: skip


if not TYPE_CHECKING:  # else type checkers would believe in any name
    __getattr__ = unsupported.names_of("activations")
