"""The fully connected layer."""

from typing import Any

import numpy as np

from fastcnn import constraints, geometry
from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import positive
from fastcnn.layers.activation import function
from fastcnn.layers.base import Backward, Call, Layer, Shape, elements
from fastcnn.operations.convolution import convolution, predict_convolution, repeated
from fastcnn.parameters import Parameter
from fastcnn.traits import Trait


class Dense(Layer):
    """A matrix product over the last axis: (N, ..., C) to (N, ..., units). ONNX: Gemm.

        y = activation(x kernel + bias)

    Parameters
    ----------
    units : int
        Outputs.
    activation : str or function, optional
    use_bias : bool
    kernel_initializer, bias_initializer : str or Initializer
    kernel_regularizer, bias_regularizer, activity_regularizer : str or Regularizer, optional
    kernel_constraint, bias_constraint : str, Constraint or function, optional
    lora_rank, lora_alpha, quantization_config : None
        Not offered.

    Examples
    --------
    >>> layers.Dense(10).compute_output_shape((None, 784))
    (None, 10)
    """

    traits = Trait.PRODUCT | Trait.TAKES_RESIDUAL | Trait.CALLS_KERNELS
    trains_short = predicts_short = True

    def __init__(self, units: int, activation: Any = None, use_bias: bool = True,
                 kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
                 kernel_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
                 kernel_constraint: Any = None, bias_constraint: Any = None, lora_rank: Any = None,
                 lora_alpha: Any = None, quantization_config: Any = None, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.refuse(lora_rank=(lora_rank, None), lora_alpha=(lora_alpha, None),
                    quantization_config=(quantization_config, None))
        (self.units,) = positive(self, units=units)
        self.activation = function(activation, self)
        self.use_bias = use_bias
        self.kernel_initializer, self.bias_initializer = kernel_initializer, bias_initializer
        self.kernel_regularizer, self.bias_regularizer = kernel_regularizer, bias_regularizer
        self.kernel_constraint, self.bias_constraint = map(constraints.get, (kernel_constraint, bias_constraint))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) < 2:
            raise ArgumentError(f"{self}: expected input (N, ..., C), got {input_shape}")
        return *input_shape[:-1], self.units

    def create_weights(self, input_shape: Shape) -> None:
        self.kernel = self.add_weight("kernel", (input_shape[-1], self.units), self.kernel_initializer,
                                      regularizer=self.kernel_regularizer, constraint=self.kernel_constraint)
        self.bias = self.add_weight("bias", (self.units,), self.bias_initializer, regularizer=self.bias_regularizer,
                                    constraint=self.bias_constraint) if self.use_bias else None

    def multiply_adds(self) -> int:
        return elements(self.output_shape) * self.kernel.shape[0]

    def over_kernel(self, numbers: np.ndarray) -> np.ndarray:
        """Return a number for each output in the shape that multiplies the kernel, as `Conv2D.over_kernel`."""
        return numbers

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        return self.forward_with(x, call, self.activation)

    def forward_with(self, x: np.ndarray, call: Call, activation: Any) -> tuple[np.ndarray, Backward]:
        """As `forward`, with another activation."""
        x = self.checked(x)
        # A dense layer is a 1x1 convolution of one image, one row high: the kernels are the same.
        g = geometry.dense(x.size // x.shape[-1], x.shape[-1], self.units)
        return convolution(x, self.kernel, self.bias, activation, g, (*x.shape[:-1], self.units), self.trainable,
                           call.wants_dx)

    def predict(self, x: np.ndarray) -> np.ndarray:
        if self.built:
            y = repeated(x, self.kernel, self.bias, self.activation, self.input_shape)
            if y is not None:
                return y
        x = self.checked(x)
        return self.predict_with(x, self.kernel, self.bias, self.activation)

    def predict_with(self, x: np.ndarray, kernel: Parameter, bias: Parameter | None, activation: Any,
                     residual: np.ndarray | None = None) -> np.ndarray:
        """As `Conv2D.predict_with`."""
        g = geometry.dense(x.size // x.shape[-1], x.shape[-1], self.units)
        return predict_convolution(x, kernel, bias, activation, g, (*x.shape[:-1], self.units), residual,
                                   self.input_shape)
