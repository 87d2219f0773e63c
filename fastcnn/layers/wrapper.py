"""A layer around another."""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.layers.base import Backward, Call, Layer, Shape
from fastcnn.layers.serialization import deserialize, serialize
from fastcnn.layers.weights import each_once
from fastcnn.operations.spectral import normalize_spectrum
from fastcnn.parameters import Parameter


class Wrapper(Layer):
    """The base of layers that run another one: as it is, it does what that does.

    Parameters
    ----------
    layer : Layer
        Built with the wrapper, and its own: its weights are trained and saved with it.
    **kwargs
        Those of `Layer`.

    Examples
    --------
    >>> layers.Wrapper(layers.Dense(3)).compute_output_shape((None, 2))
    (None, 3)
    """

    holds_layers = True

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if isinstance(layer, dict):  # as a configuration has it
            layer = deserialize(layer)
        if not isinstance(layer, Layer):
            raise ArgumentError(f"{type(self).__name__}: expected a layer, got {layer!r}")
        self.layer = layer

    def call(self, x: Any) -> Any:
        """Return what the layer makes of a tensor, or of a list of them."""
        return self.layer(x)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"layer": serialize(self.layer)}


class SpectralNormalization(Wrapper):
    """A layer whose kernel is divided by its largest singular value before each step of a training.

    The kernel is looked at as a matrix W (all axes but the last, the last), and the value is found by the power
    iteration, which goes on from step to step::

        v = W u^T / |W u^T|,   u = v^T W / |v^T W|,   W <- W / (v^T W u^T)

    As in Keras it is the kernel itself that is divided, and the gradient is that of the divided one. Miyato, Kataoka,
    Koyama and Yoshida, 2018.

    Parameters
    ----------
    layer : Layer
        With a `kernel`: Dense, Conv2D, ...
    power_iterations : int
        In each step.
    **kwargs
        Those of `Layer`.

    Examples
    --------
    >>> layer = layers.SpectralNormalization(layers.Dense(3), power_iterations=20)
    >>> y = layer(np.ones((1, 4), "float32"), training=True)
    >>> round(float(np.linalg.norm(layer.kernel.value, 2)), 2)
    1.0
    """

    has_call = is_composite = False  # it computes: its forward pass changes the kernel

    def __init__(self, layer: Layer, power_iterations: int = 1, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        if isinstance(power_iterations, bool) or not isinstance(power_iterations, (int, np.integer)) \
                or power_iterations < 1:
            raise ArgumentError(f"{self}: expected power_iterations to be a positive integer, got {power_iterations!r}")
        self.power_iterations = int(power_iterations)
        self.replayable = self.layer.replayable

    @property
    def kernel(self) -> Parameter:
        """The kernel of the layer, which is divided."""
        found: Parameter = vars(self.layer)["kernel"]
        return found

    @property
    def weights(self) -> list[Parameter]:
        """All parameters, as Keras orders them: the kernel is the wrapper's own, too."""
        found = super().weights
        return found if self.input_shape is None else each_once([self.kernel, *found])

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return self.layer.compute_output_shape(input_shape)

    def create_weights(self, input_shape: Shape) -> None:
        self.layer.build(input_shape)
        kernel = vars(self.layer).get("kernel")
        if not isinstance(kernel, Parameter):
            raise ArgumentError(f"{self}: expected a layer with a kernel, such as Dense or Conv2D, got {self.layer}")
        start = {"class_name": "TruncatedNormal", "config": {"stddev": 0.02}}
        self.vector_u = self.add_weight("vector_u", (1, kernel.shape[-1]), start, trainable=False)

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        if call.training:
            normalize_spectrum(self.kernel, self.vector_u, self.power_iterations)
        return self.layer.forward(x, call)

    def predict(self, x: np.ndarray) -> np.ndarray:
        return self.layer.predict(self.checked(x))

    def multiply_adds(self) -> int:
        return self.layer.multiply_adds()
