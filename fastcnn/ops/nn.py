"""Operations of networks, under the name that Keras has for them: `fastcnn.ops.nn`."""

from typing import TYPE_CHECKING

from fastcnn import unsupported
from fastcnn.ops.activation import (
    hard_sigmoid,
    hard_silu,
    hard_swish,
    hard_tanh,
    log_sigmoid,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    swish,
    tanh_shrink,
)
from fastcnn.ops.activation_settings import (
    celu,
    elu,
    gelu,
    glu,
    hard_shrink,
    leaky_relu,
    log_softmax,
    soft_shrink,
    softmax,
    squareplus,
    threshold,
)
from fastcnn.ops.creation import one_hot
from fastcnn.ops.losses import binary_crossentropy, categorical_crossentropy, sparse_categorical_crossentropy
from fastcnn.ops.normalization import batch_normalization, layer_normalization, moments, normalize, rms_normalization
from fastcnn.ops.pixels import depth_to_space, multi_hot, psnr, space_to_depth
from fastcnn.ops.windows import average_pool, conv, conv_transpose, depthwise_conv, max_pool, separable_conv

__all__ = [
    "average_pool", "batch_normalization", "binary_crossentropy", "categorical_crossentropy", "celu", "conv",
    "conv_transpose", "depth_to_space", "depthwise_conv", "elu", "gelu", "glu", "hard_shrink", "hard_sigmoid",
    "hard_silu", "hard_swish", "hard_tanh", "layer_normalization", "leaky_relu", "log_sigmoid", "log_softmax",
    "max_pool", "moments", "multi_hot", "normalize", "one_hot", "psnr", "relu", "relu6", "rms_normalization",
    "selu", "separable_conv", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign",
    "space_to_depth", "sparse_categorical_crossentropy", "sparse_plus", "sparse_sigmoid", "squareplus", "swish",
    "tanh_shrink", "threshold",
]  # fmt: skip

if not TYPE_CHECKING:  # else type checkers would believe in any name
    __getattr__ = unsupported.names_of("ops")
