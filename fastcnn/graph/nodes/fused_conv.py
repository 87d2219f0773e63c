"""A convolution or dense layer with what stands around it, in prediction."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.geometry import dimensions
from fastcnn.operations.folded_weights import FoldedWeights
from fastcnn.parameters import Parameter
from fastcnn.traits import Trait, of


class FusedConv:
    """A convolution or dense layer with what stands around it: one kernel call.

        y = activation(scale product(padded x) + offset + residual)

    With moving statistics a normalization is an affine map of each channel, as a scale is. So it folds into the weights
    and the bias (Jacob et al., 2018, section 3.2), which are computed again when a parameter changes. The residual is
    added, and a clamp applied, in the registers of the convolution.

    Parameters
    ----------
    product : Layer
        A convolution or dense layer.
    affines : sequence of Layer
        Normalizations and scales after it, which promise `Trait.CHANNEL_AFFINE`.
    border : ((int, int), ...), or None
        The product's padding, instead of its own.
    image_shape : tuple, optional
        Of x: the product's input shape unless there is a border.
    adds : bool
        Whether it takes (x, residual).
    activation : Function, or None
        The product's own, or that of a layer after it.

    Attributes
    ----------
    input_shape, output_shape : tuple
    """

    replayable = True

    def __init__(self, product: Any, affines: Sequence[Any] = (), border: Any = None,
                 image_shape: Any = None, adds: bool = False, activation: Any = None) -> None:
        self.product, self.affines, self.border, self.adds = product, tuple(affines), border, adds
        self.activation = product.activation if activation is None else activation
        self.image_shape = product.input_shape if image_shape is None else image_shape
        self.output_shape, self.many_inputs = product.output_shape, adds
        self.predicts_short = product.predicts_short
        self.input_shape = (self.image_shape, self.output_shape) if adds else self.image_shape
        # It can take a residual or a border as the product can, but each only once.
        once = (Trait(0) if adds else Trait.TAKES_RESIDUAL) | (Trait(0) if border else Trait.TAKES_BORDER)
        self.traits = of(product) & (Trait.PRODUCT | once)
        self._entry = product if border is None else product.replaced(input_shape=image_shape)
        self._made: tuple[tuple[Parameter, Parameter], list[int]] | None = None  # folded, and from which versions

    @classmethod
    def of(cls, node: Any) -> "FusedConv":
        """Return a node as it is, or a layer as a node of this class."""
        return node if isinstance(node, cls) else cls(node)

    @property
    def parameters(self) -> list[Parameter]:
        return [p for layer in (self.product, *self.affines) for p in layer.parameters]

    def _with(self, **changes: Any) -> "FusedConv":
        return FusedConv(**{"product": self.product, "affines": self.affines, "border": self.border,
                            "image_shape": self.image_shape, "adds": self.adds, "activation": self.activation}
                         | changes)

    def with_affine(self, affine: Any) -> "FusedConv":
        """Return the node with a normalization or a scale after it."""
        return self._with(affines=(*self.affines, affine))

    def with_border(self, zeros: Any) -> "FusedConv":
        """Return the node with the zeros of a padding layer before it in its own border."""
        layer = self.product
        sides = dimensions.padding_of(layer.padding, zeros.output_shape[1:3], layer.kernel_size, layer.strides,
                                      layer.dilation_rate, str(layer))
        border = tuple((a + c, b + d) for (a, b), (c, d) in zip(sides, zeros.border, strict=True))
        return self._with(border=border, image_shape=zeros.input_shape)

    def with_residual(self) -> "FusedConv":
        """Return the node that takes (x, residual)."""
        return self._with(adds=True)

    def with_activation(self, activation: Any) -> "FusedConv":
        """Return the node with an activation at its end."""
        return self._with(activation=activation)

    def predict(self, x: Any) -> np.ndarray:
        """Infer: return the output for x, or for (x, residual)."""
        x, residual = x if self.adds else (x, None)
        if residual is not None:
            # A residual may come from a layer of the user's own, in any memory layout.
            residual = device.of(residual).ready(residual)
        return self._predicted(self.checked(x), residual)

    def predict_short(self, x: Any) -> np.ndarray:
        """As `predict`, from arrays of bfloat16 that nodes of this graph made to one of that type."""
        return self._predicted(*x) if self.adds else self._predicted(x)

    def _predicted(self, x: np.ndarray, residual: np.ndarray | None = None) -> np.ndarray:
        kernel, bias = self.weights()
        more = {} if self.border is None else {"padding": self.border}
        y: np.ndarray = self.product.predict_with(x, kernel, bias, self.activation, residual, **more)
        return y

    def checked(self, x: Any) -> Any:
        """As `Layer.checked`, for the input of this node."""
        return self._entry.checked(x)

    def geometry(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return the geometry of the convolution of an input, border and all."""
        g: np.ndarray = self.product.geometry(shape, self.border)
        return g

    def weights(self) -> tuple[Parameter, Parameter | None]:
        """Return kernel and bias, normalizations and scales folded into them, as the parameters are now."""
        if not self.affines:
            return self.product.kernel, self.product.bias
        versions, made = [p.version for p in self.parameters], self._made
        if made is None or versions != made[1]:
            layer, name = self.product, self.product.name
            d = layer.kernel.home
            dtype = layer.variable_dtype
            kernel = FoldedWeights(lambda: d.put(folded_kernel(layer, self.affines, dtype)), layer.kernel, "kernel",
                                   f"{name}/folded_kernel")
            bias = Parameter(d.put(folded_bias(layer, self.affines).astype(dtype)), "bias", f"{name}/folded_bias")
            made = self._made = (kernel, bias), versions  # in one assignment, since other threads read it
        return made[0]


def folded_kernel(layer: Any, affines: Sequence[Any], dtype: Any) -> np.ndarray:
    """Return the kernel of a layer with affine maps of its channels after it: computed in float64, rounded once.

    Parameters
    ----------
    layer : Layer
        A convolution or dense layer.
    affines : sequence of Layer
    dtype : dtype
        Of the result.
    """
    made = device.host_empty(layer.kernel.shape, dtype)
    kernel = layer.kernel.fetched(made if made.dtype == layer.kernel.dtype else device.host_empty(
        layer.kernel.shape, layer.kernel.dtype))
    for affine in affines[:-1]:
        kernel = kernel * _over(layer, affine)
    # NumPy multiplies a piece at a time, which saves a copy in float64, and may do so in place.
    np.multiply(kernel, _over(layer, affines[-1]) if affines else 1.0, out=made, dtype=np.float64, casting="same_kind")
    return made


def _over(layer: Any, affine: Any) -> Any:
    """Return by what an affine map multiplies the kernel of a layer, in float64."""
    return layer.over_kernel(np.broadcast_to(affine.channel_affine()[0], layer.output_shape[-1:]).astype(np.float64))


def folded_bias(layer: Any, affines: Sequence[Any]) -> Any:
    """Return the bias of a layer with affine maps of its channels after it, in float64."""
    bias = np.zeros(layer.output_shape[-1]) if layer.bias is None else layer.bias.numpy().astype(np.float64)
    for affine in affines:
        scale, offset = affine.channel_affine()
        bias = bias * scale + offset
    return bias
