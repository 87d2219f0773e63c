"""A `build` of a user's own: it makes parameters and layers, as `create_weights` does, and the base fixes the shapes.

::

    class Scale(layers.Layer):
        def build(self, input_shape):                 asked once, before the first call
            self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones")

        def call(self, x):
            return x * self.scale

It may call ``super().build(input_shape)`` or set ``self.built = True``, as in Keras, or do neither.
"""

import functools
from typing import Any


def taken(cls: Any, base: Any) -> None:
    """Let the `build` of a class be asked by that of `base`, where the class has no `create_weights` of its own.

    Parameters
    ----------
    cls, base : type
        The class with a `build`, and `Layer`, which this room's other files have from `fastcnn.layers.base`.
    """
    if cls.create_weights not in (base.create_weights, _by_build):
        return  # a build of its own that ends in super().build(input_shape), which asks create_weights
    own = vars(cls)["build"]
    fixed = next(vars(kind)["build"] for kind in cls.__mro__[1:]
                 if "build" in vars(kind) and kind.__module__.startswith("fastcnn."))

    @functools.wraps(own)
    def build(self: Any, input_shape: Any = None) -> Any:
        return own(self, input_shape) if self._building else fixed(self, input_shape)

    cls.build, cls.create_weights = build, _by_build


def _by_build(self: Any, input_shape: Any) -> None:
    """Make what the layer's own build makes."""
    self._building = True
    try:
        self.build(input_shape)
    finally:
        self._building = False
