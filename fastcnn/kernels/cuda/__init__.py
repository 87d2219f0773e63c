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
from fastcnn.kernels.cuda.elementwise.merge import merge_backward, merge_backward_scratch, merge_forward

__all__ = [
    "activation_backward",
    "activation_forward",
    "bias_backward",
    "bias_backward_scratch",
    "conv2d_backward_input",
    "conv2d_backward_input_packed",
    "conv2d_backward_input_scratch",
    "conv2d_backward_weights",
    "conv2d_backward_weights_scratch",
    "conv2d_forward",
    "conv2d_forward_packed",
    "merge_backward",
    "merge_backward_scratch",
    "merge_forward",
]
