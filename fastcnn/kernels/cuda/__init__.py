"""The kernels of CUDA: the names, the arguments and the contract of `fastcnn.kernels.cpu`, each a launcher.

They take float32 alone; sums are the same bits on every launch (`sums`). What the CPU has beside a kernel
(`x_scratch`, `x_packed` ..) stands beside it here too, with the answer of this device.
"""

from fastcnn.kernels.cuda.conv.backward_input import (
    conv2d_backward_input,
    conv2d_backward_input_packed,
    conv2d_backward_input_scratch,
)
from fastcnn.kernels.cuda.conv.backward_weights import conv2d_backward_weights, conv2d_backward_weights_scratch
from fastcnn.kernels.cuda.conv.bias import bias_backward, bias_backward_scratch
from fastcnn.kernels.cuda.conv.depth import fold_depth, unfold_depth
from fastcnn.kernels.cuda.conv.forward import conv2d_forward, conv2d_forward_packed
from fastcnn.kernels.cuda.depthwise.backward_weights import (
    depthwise2d_backward_weights,
    depthwise2d_backward_weights_scratch,
)
from fastcnn.kernels.cuda.depthwise.forward import (
    depthwise2d_backward_input,
    depthwise2d_backward_input_scratch,
    depthwise2d_forward,
    depthwise2d_forward_scratch,
)
from fastcnn.kernels.cuda.elementwise.activation import activation_backward, activation_forward
from fastcnn.kernels.cuda.elementwise.dropout import dropout
from fastcnn.kernels.cuda.elementwise.merge import merge_backward, merge_backward_scratch, merge_forward
from fastcnn.kernels.cuda.elementwise.noise import gaussian_noise, uniform_numbers
from fastcnn.kernels.cuda.elementwise.reduce_rows import reduce_rows_backward, reduce_rows_forward
from fastcnn.kernels.cuda.elementwise.softmax import softmax_backward, softmax_forward
from fastcnn.kernels.cuda.layout.arrays import add, copy_columns, gather, pad2d
from fastcnn.kernels.cuda.layout.padding import pad3d_backward, pad3d_forward
from fastcnn.kernels.cuda.layout.permute import permute
from fastcnn.kernels.cuda.layout.resize import resize2d
from fastcnn.kernels.cuda.losses.binary import binary_loss
from fastcnn.kernels.cuda.losses.categorical import categorical_crossentropy, sparse_categorical_crossentropy
from fastcnn.kernels.cuda.losses.elementwise import elementwise_loss
from fastcnn.kernels.cuda.losses.rows import fold_losses, row_loss
from fastcnn.kernels.cuda.losses.softmax import (
    softmax_categorical_crossentropy,
    softmax_sparse_categorical_crossentropy,
)
from fastcnn.kernels.cuda.normalization.batch import (
    batch_norm_backward,
    batch_norm_backward_scratch,
    batch_norm_forward,
    batch_norm_forward_scratch,
    batch_norm_predict,
    batch_norm_predict_scratch,
)
from fastcnn.kernels.cuda.normalization.group import (
    group_norm_backward,
    group_norm_backward_scratch,
    group_norm_forward,
    group_norm_forward_scratch,
)
from fastcnn.kernels.cuda.normalization.local_response import (
    local_response_norm_backward,
    local_response_norm_forward,
    local_response_norm_scratch,
)
from fastcnn.kernels.cuda.normalization.pooled import (
    batch_norm_pool_backward,
    batch_norm_pool_backward_scratch,
    batch_norm_pool_forward,
    batch_norm_pool_forward_scratch,
)
from fastcnn.kernels.cuda.normalization.unit_rows import unit_rows_backward, unit_rows_forward
from fastcnn.kernels.cuda.optimizers.adaptive import adaptive_step
from fastcnn.kernels.cuda.optimizers.bounded_norms import bound_norms, bound_norms_scratch
from fastcnn.kernels.cuda.optimizers.descent import adam, sgd
from fastcnn.kernels.cuda.optimizers.factored import factored_step, factored_step_scratch
from fastcnn.kernels.cuda.optimizers.parts import moving_average, scale_parts, squared_norms, squared_norms_scratch
from fastcnn.kernels.cuda.optimizers.penalty import penalty, penalty_scratch
from fastcnn.kernels.cuda.pooling.average import average_pool2d_backward, average_pool2d_forward
from fastcnn.kernels.cuda.pooling.l2 import l2_step
from fastcnn.kernels.cuda.pooling.max import max_pool2d_backward, max_pool2d_forward, max_pool2d_index_type

__all__ = [
    "activation_backward",
    "activation_forward",
    "adam",
    "adaptive_step",
    "add",
    "average_pool2d_backward",
    "average_pool2d_forward",
    "batch_norm_backward",
    "batch_norm_backward_scratch",
    "batch_norm_forward",
    "batch_norm_forward_scratch",
    "batch_norm_pool_backward",
    "batch_norm_pool_backward_scratch",
    "batch_norm_pool_forward",
    "batch_norm_pool_forward_scratch",
    "batch_norm_predict",
    "batch_norm_predict_scratch",
    "bias_backward",
    "bias_backward_scratch",
    "binary_loss",
    "bound_norms",
    "bound_norms_scratch",
    "categorical_crossentropy",
    "conv2d_backward_input",
    "conv2d_backward_input_packed",
    "conv2d_backward_input_scratch",
    "conv2d_backward_weights",
    "conv2d_backward_weights_scratch",
    "conv2d_forward",
    "conv2d_forward_packed",
    "copy_columns",
    "depthwise2d_backward_input",
    "depthwise2d_backward_input_scratch",
    "depthwise2d_backward_weights",
    "depthwise2d_backward_weights_scratch",
    "depthwise2d_forward",
    "depthwise2d_forward_scratch",
    "dropout",
    "elementwise_loss",
    "factored_step",
    "factored_step_scratch",
    "fold_depth",
    "fold_losses",
    "gather",
    "gaussian_noise",
    "group_norm_backward",
    "group_norm_backward_scratch",
    "group_norm_forward",
    "group_norm_forward_scratch",
    "l2_step",
    "local_response_norm_backward",
    "local_response_norm_forward",
    "local_response_norm_scratch",
    "max_pool2d_backward",
    "max_pool2d_forward",
    "max_pool2d_index_type",
    "merge_backward",
    "merge_backward_scratch",
    "merge_forward",
    "moving_average",
    "pad2d",
    "pad3d_backward",
    "pad3d_forward",
    "penalty",
    "penalty_scratch",
    "permute",
    "reduce_rows_backward",
    "reduce_rows_forward",
    "resize2d",
    "row_loss",
    "scale_parts",
    "sgd",
    "softmax_backward",
    "softmax_categorical_crossentropy",
    "softmax_forward",
    "softmax_sparse_categorical_crossentropy",
    "sparse_categorical_crossentropy",
    "squared_norms",
    "squared_norms_scratch",
    "unfold_depth",
    "uniform_numbers",
    "unit_rows_backward",
    "unit_rows_forward",
]
