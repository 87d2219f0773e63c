"""A choice between two tensors, number by number."""

from fastcnn.layers.merge import _Merge
from fastcnn.operations import selection


class Where(_Merge):
    """y = b where the condition is 0, else a, of [condition, a, b]. ONNX: Where.

    Keras has it as an operation alone, `keras.ops.where`. The condition gets no gradient; what is not chosen may be
    infinite or no number. Inputs broadcast as for the merge layers.
    """

    _exactly = 3
    operation = staticmethod(selection.where)
