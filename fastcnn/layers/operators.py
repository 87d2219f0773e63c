"""The layers behind operators and functions on symbolic tensors: ``x + y``, ``2 * x``, ``abs(x)``, ``relu(x)``.

And the layer behind the tensors that a layer's `call` is given.
"""

from typing import Any

from fastcnn import symbolic
from fastcnn.layers.activation import Activation
from fastcnn.layers.elementwise import Abs, Power
from fastcnn.layers.input import InputLayer
from fastcnn.layers.merge import Add, Multiply, Subtract
from fastcnn.layers.preprocessing import Rescaling
from fastcnn.symbolic import Tensor


def _merge(layer: Any) -> Any:
    return lambda a, b: layer(dtype=a.dtype.name)([a, b])


def _scale(a: Tensor, scale: float, offset: float) -> Any:
    return Rescaling(scale, offset, dtype=a.dtype.name)(a)


symbolic.operators.update(
    add=_merge(Add), subtract=_merge(Subtract), multiply=_merge(Multiply), scale=_scale,
    power=lambda a, exponent: Power(exponent, dtype=a.dtype.name)(a),
    abs=lambda a: Abs(dtype=a.dtype.name)(a),
    input=lambda shape, dtype, name: InputLayer(shape, dtype=dtype, name=name).tensor(),
    activate=lambda function, a: Activation(function, dtype=a.dtype.name)(a),
)
