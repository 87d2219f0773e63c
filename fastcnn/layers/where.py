"""A choice between two tensors, number by number."""

from fastcnn.layers.merge import _Merge
from fastcnn.operations import selection


class Where(_Merge):
    """y = b where the condition is 0, else a, of [condition, a, b]. ONNX: Where.

    Keras has this as an operation only, `keras.ops.where`. The condition gets no gradient. What is not chosen may be
    infinite or NaN. Inputs broadcast as in the merge layers.

    Examples
    --------
    >>> condition = np.array([[1, 0]], "float32")
    >>> a, b = np.array([[1, 5]], "float32"), np.array([[4, 3]], "float32")
    >>> layers.Where().predict((condition, a, b))
    array([[1., 3.]], dtype=float32)
    """

    _exactly = 3
    operation = staticmethod(selection.where)
