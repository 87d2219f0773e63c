"""A learned factor for each channel."""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import number, positive
from fastcnn.layers.base import Backward, Call, Layer, Shape
from fastcnn.operations.elementwise import scaled_channels
from fastcnn.traits import Trait


class LayerScale(Layer):
    """y = gamma x, with a learned gamma for each channel (last axis). ONNX: Mul.

    It stands at the end of a residual block. It begins near 0, so a deep network begins near the identity and trains.
    In prediction it is part of the convolution or dense layer before it.

    Parameters
    ----------
    init_values : float
        What gamma begins with.
    projection_dim : int, optional
        The number of channels; that of the input if absent.

    References
    ----------
    Touvron, Cord, Sablayrolles, Synnaeve, Jégou: Going deeper with image transformers, ICCV 2021, section 2.1.

    Examples
    --------
    >>> layers.LayerScale(0.5).predict(np.array([[1, 2, 3]], "float32"))
    array([[0.5, 1. , 1.5]], dtype=float32)
    """

    traits = Trait.CHANNEL_AFFINE

    def __init__(self, init_values: float = 1e-6, projection_dim: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.init_values = number(init_values, self, "init_values to be a finite number", np.isfinite)
        self.projection_dim = projection_dim
        if projection_dim is not None:
            (self.projection_dim,) = positive(self, projection_dim=projection_dim)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if self.projection_dim not in (None, input_shape[-1]):
            raise ArgumentError(f"{self}: expected {self.projection_dim} channels, as projection_dim says, "
                                f"got {input_shape}")
        return input_shape

    def create_weights(self, input_shape: Shape) -> None:
        start = {"class_name": "Constant", "config": {"value": self.init_values}}
        self.gamma = self.add_weight("gamma", (input_shape[-1],), start)

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        return scaled_channels(self.checked(x), self.gamma, self.trainable)

    def channel_affine(self) -> tuple[Any, Any]:
        """Return the factor and the summand of each channel, in double precision."""
        return self.gamma.numpy().astype(np.float64), 0.0
