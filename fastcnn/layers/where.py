"""A choice between two tensors, number by number."""

import numpy as np

from fastcnn import device
from fastcnn.kernels import function_codes as codes
from fastcnn.layers.arithmetic import Gradients, masked, summed_to, weighted_sum
from fastcnn.layers.function import applied
from fastcnn.layers.merge import _Merge


class Where(_Merge):
    """y = b where the condition is 0, else a, of [condition, a, b]. ONNX: Where.

    Keras has it as an operation alone, `keras.ops.where`. The condition gets no gradient; what is not chosen may be
    infinite or no number. Inputs broadcast as for the merge layers.
    """

    _exactly = 3

    def _merge(self, arrays: list[np.ndarray]) -> tuple[np.ndarray, Gradients]:
        condition, a, b = arrays
        other = applied(condition, codes.IS_ZERO)
        chosen = applied(other, codes.IS_ZERO)
        y, _ = weighted_sum([masked(a, chosen), masked(b, other)], [1.0, 1.0])

        def gradients(dy: np.ndarray) -> tuple[np.ndarray, ...]:
            none = device.of(dy).zeros(condition.shape, dy.dtype)
            return none, summed_to(masked(dy, chosen), a.shape), summed_to(masked(dy, other), b.shape)

        return y, gradients
