"""A convolution or dense layer with what stands around it, in prediction."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.graph.nodes.twins import with_activation
from fastcnn.layers.conv import Conv2D
from fastcnn.layers.dense import Dense
from fastcnn.layers.norm import BatchNormalization
from fastcnn.operations.activation import clamp_of
from fastcnn.parameters import Parameter


class FusedConv:
    """A convolution or dense layer with what stands around it: one kernel call.

        y = activation(norm(product(padded x)) + addend)

    Normalizations with their moving statistics are affine maps of each output, so they fold into the kernel and the
    bias (Jacob et al., 2018, section 3.2), computed when one of them changes. The addend of a residual block and an
    activation that is a pair of bounds happen in the convolution's registers.

    Parameters
    ----------
    product : Layer
        A convolution or dense layer.

    Attributes
    ----------
    border : ((int, int), ...), or None
        Zeros around the input, in its place of a layer before it.
    norms : list of BatchNormalization
    adds : bool
        Whether it takes (x, addend).
    activation : Function, or None
    input_shape, output_shape : tuple
    """

    def __init__(self, product: Any) -> None:
        self.product, self.norms, self.adds, self.activation = product, list[BatchNormalization](), False, None
        self.border: Any = None
        self.input_shape, self.output_shape = product.input_shape, product.output_shape
        self._made: tuple[Any, list[int]] | None = None  # what `layer` returns, and the versions it was made from

    @property
    def many_inputs(self) -> bool:
        return self.adds

    @property
    def is_open(self) -> bool:
        """Whether what follows may join: nothing has happened to the output that is no affine map."""
        return self.product.activation is None and self.activation is None and not self.adds

    @property
    def parameters(self) -> list[Parameter]:
        return [p for layer in (self.product, *self.norms) for p in layer.parameters]

    @property
    def ending(self) -> Any:
        """The activation, whether it joined or was the layer's own."""
        return self.activation if self.product.activation is None else self.product.activation

    @property
    def lowest(self) -> float:
        """A bound that no result is below, as far as the activation tells."""
        clamp = clamp_of(self.ending)
        return -np.inf if clamp is None else clamp[0]

    def plain(self) -> Any:
        """Return the layer itself where nothing joined it, else this node."""
        joined = self.norms or self.adds or self.border is not None or self.activation is not None
        return self if joined else self.product

    def predict(self, x: Any) -> np.ndarray:
        """Infer: return the output for x, or for (x, addend)."""
        layer = self.layer()
        return _predict_added(layer, *x) if self.adds else layer.predict(x)

    def layer(self) -> Any:
        """Return the layer with everything in it but the addend, as the parameters are now."""
        versions, made = [p.version for p in self.parameters], self._made
        if made is None or (self.norms and versions != made[1]):
            made = self._made = self._new(), versions  # one attribute, which other threads see change whole
        return made[0]

    def _new(self) -> Any:
        """Return a layer that nobody has yet; its parameters are new where normalizations fold into them."""
        layer, dtype = with_activation(self.product, self.ending), self.product.dtype
        if self.border is not None:
            layer.padding, layer.input_shape = self.border, self.input_shape
        if self.norms:
            kernel, bias = folded(self.product, self.norms)
            layer.kernel = Parameter(kernel.astype(dtype), "kernel", f"{layer.name}/folded_kernel")
            layer.bias = Parameter(bias.astype(dtype), "bias", f"{layer.name}/folded_bias")
        return layer


def folded(layer: Any, norms: Sequence[BatchNormalization]) -> tuple[Any, Any]:
    """Return kernel and bias, in double precision, of a layer with normalizations after it."""
    kernel, bias = _values(layer.kernel, 0.0), _values(layer.bias, 0.0)
    for norm in norms:
        scale = _values(norm.gamma, 1.0) / np.sqrt(_values(norm.moving_variance, 1.0) + norm.epsilon)
        kernel = kernel * layer.over_kernel(scale)
        bias = _values(norm.beta, 0.0) + (bias - _values(norm.moving_mean, 0.0)) * scale
    return kernel, bias


def _values(parameter: Parameter | None, default: float) -> Any:
    return np.float64(default) if parameter is None else parameter.array.astype(np.float64)


def _predict_added(layer: Any, x: np.ndarray, addend: np.ndarray) -> np.ndarray:
    x = layer.checked(x)
    if not addend.flags.c_contiguous:
        copy = device.of(addend).empty(addend.shape, addend.dtype)
        copy[...] = addend
        addend = copy
    return layer.predict_with(x, layer.kernel, layer.bias, layer.activation, addend)


def takes_addend(layer: Any) -> bool:
    """Return whether a layer's kernels add in registers."""
    return type(layer) in (Conv2D, Dense)
