"""What stands for Keras's `Trainer`, with which its tests mix a layer to get a model: the same layer in a `fc.Model`.

    class ExampleModel(Trainer, layers.Dense): ...          a model whose `call` applies a Dense of the same arguments
    class StructModel(Trainer, layers.Layer): ...           a model with the `call` that the class has
"""

import inspect
from typing import Any

import fastcnn as fc
from fastcnn import layers


class Trainer(fc.Model):
    """A model made of what a class inherits beside it."""

    def __init__(self) -> None:
        told = vars(self)
        kind: Any = next(one for one in type(self).__mro__ if issubclass(one, layers.Layer)
                         and one.__module__.startswith("fastcnn") and not issubclass(fc.Model, one) or one is layers.Layer)
        own = None
        if kind is not layers.Layer:
            own = kind(**{name: told[name] for name in inspect.signature(kind.__init__).parameters if name in told})
        fc.Model.__init__(self)
        if own is not None:
            self.own = own

    def call(self, x: Any) -> Any:
        return self.own(x)
