"""The kernels of CUDA: the names, the arguments and the contract of `fastcnn.kernels.cpu`, each a launcher.

They take float32 alone; sums are the same bits on every launch (`sums`). What the CPU has beside a kernel
(`x_scratch`, `x_packed` ..) stands beside it here too, with the answer of this device.
"""

from fastcnn.kernels.cuda.elementwise.activation import activation_backward, activation_forward
from fastcnn.kernels.cuda.elementwise.merge import merge_backward, merge_backward_scratch, merge_forward

__all__ = ["activation_backward", "activation_forward", "merge_backward", "merge_backward_scratch", "merge_forward"]
