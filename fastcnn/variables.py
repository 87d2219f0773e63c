"""Variable: a parameter that belongs to no layer, as scripts make one to optimize: a picture, a factor."""

from typing import Any

import numpy as np

from fastcnn import dtype_policies, initializers
from fastcnn.auto_names import Names
from fastcnn.errors import ArgumentError
from fastcnn.parameters import Parameter

_names = Names()


class Variable(Parameter):
    """Numbers that optimizers change, without a layer.

    Parameters
    ----------
    initializer : array, number or list; or an initializer, by name or as an object
        The first value, or what makes it.
    shape : tuple of int, optional
        Where an initializer makes the value.
    dtype : str, optional
        The type; that of layers for floating values and what initializers make, that of the value otherwise.
    trainable : bool
    name : str, optional

    Raises
    ------
    ArgumentError
        If an initializer comes without a shape, or the value is no array of numbers.

    Examples
    --------
    >>> image = fc.Variable(np.ones((1, 2), "float32"))
    >>> optimizer = fc.optimizers.SGD(0.5)
    >>> _, gradient = fc.gradients(lambda x: fc.ops.sum(x ** 2), image)
    >>> steps = optimizer.apply_gradients([(gradient, image)])
    >>> image.numpy()
    array([[0., 0.]], dtype=float32)
    """

    def __init__(self, initializer: Any, shape: tuple[int, ...] | None = None, dtype: str | None = None,
                 trainable: bool = True, name: str | None = None) -> None:
        name = name or _names.new(type(self).__name__)
        if isinstance(initializer, (str, dict, initializers.Initializer)) or callable(initializer):
            if shape is None:
                raise ArgumentError(f'Variable "{name}": expected a shape beside an initializer, got none')
            value = np.asarray(initializers.get(initializer)(shape, dtype=dtype or dtype_policies.floatx()))
        else:
            value = np.asarray(initializer)
        if value.dtype.kind not in "buif":
            raise ArgumentError(f'Variable "{name}": expected numbers, got {value.dtype}')
        if dtype is None and value.dtype.kind == "f" and not isinstance(initializer, np.ndarray):
            dtype = dtype_policies.floatx()
        super().__init__(np.array(value, dtype or value.dtype, order="C"), name, name, trainable)

    @property
    def overwrite_with_gradient(self) -> bool:
        """Whether an optimizer puts the gradient in the place of the value: never, and asking for it is refused."""
        return False

    @overwrite_with_gradient.setter
    def overwrite_with_gradient(self, value: bool) -> None:
        if value:
            raise ArgumentError(f'Variable "{self.name}": expected overwrite_with_gradient to be False, got True; '
                                f"assign the gradient yourself: variable.assign(gradient)")
