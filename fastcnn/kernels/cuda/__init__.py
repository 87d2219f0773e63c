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
from fastcnn.kernels.cuda.conv.forward import conv2d_forward, conv2d_forward_packed
from fastcnn.kernels.cuda.elementwise.activation import activation_backward, activation_forward
from fastcnn.kernels.cuda.elementwise.dropout import dropout
from fastcnn.kernels.cuda.elementwise.merge import merge_backward, merge_backward_scratch, merge_forward
from fastcnn.kernels.cuda.elementwise.noise import gaussian_noise, uniform_numbers
from fastcnn.kernels.cuda.elementwise.softmax import softmax_backward, softmax_forward
from fastcnn.kernels.cuda.layout.arrays import add, copy_columns, gather, pad2d
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
from fastcnn.kernels.cuda.optimizers.descent import adam, sgd
from fastcnn.kernels.cuda.pooling.average import average_pool2d_backward, average_pool2d_forward
from fastcnn.kernels.cuda.pooling.l2 import l2_step
from fastcnn.kernels.cuda.pooling.max import max_pool2d_backward, max_pool2d_forward, max_pool2d_index_type

__all__ = [
    "activation_backward",
    "activation_forward",
    "adam",
    "add",
    "average_pool2d_backward",
    "average_pool2d_forward",
    "batch_norm_backward",
    "batch_norm_backward_scratch",
    "batch_norm_forward",
    "batch_norm_forward_scratch",
    "batch_norm_predict",
    "batch_norm_predict_scratch",
    "bias_backward",
    "bias_backward_scratch",
    "binary_loss",
    "categorical_crossentropy",
    "conv2d_backward_input",
    "conv2d_backward_input_packed",
    "conv2d_backward_input_scratch",
    "conv2d_backward_weights",
    "conv2d_backward_weights_scratch",
    "conv2d_forward",
    "conv2d_forward_packed",
    "copy_columns",
    "dropout",
    "elementwise_loss",
    "fold_losses",
    "gather",
    "gaussian_noise",
    "l2_step",
    "max_pool2d_backward",
    "max_pool2d_forward",
    "max_pool2d_index_type",
    "merge_backward",
    "merge_backward_scratch",
    "merge_forward",
    "pad2d",
    "row_loss",
    "sgd",
    "softmax_backward",
    "softmax_categorical_crossentropy",
    "softmax_forward",
    "softmax_sparse_categorical_crossentropy",
    "sparse_categorical_crossentropy",
    "uniform_numbers",
]
