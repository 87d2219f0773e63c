"""What stands for Keras's `Trainer`, with which its tests mix a layer to get a model: the same layer in a `fc.Model`.

::

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
        of_layers = [one for one in type(self).__mro__ if issubclass(one, layers.Layer) and one is not layers.Layer
                     and one.__module__.startswith("fastcnn") and not issubclass(fc.Model, one)]
        own: Any = None
        if of_layers:
            names = inspect.signature(of_layers[0].__init__).parameters
            own = of_layers[0](**{name: told[name] for name in names if name in told})
        fc.Model.__init__(self)
        if own is not None:
            self.own = own

    def call(self, x: Any) -> Any:
        return self.own(x)
