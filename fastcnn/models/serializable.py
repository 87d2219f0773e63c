"""A model as JSON can hold it, as a copy, and as a file.

What files need is imported when one is written or read: a program that only trains starts without it.
"""

from typing import Any

import numpy as np

from fastcnn.layers import Layer, held_layers
from fastcnn.models import structure


class Serializable:
    """The part of `fastcnn.Model` that writes it and reads it."""

    # What the others have.
    has_call: bool
    input_shape: Any
    held_layers: Any
    get_weights: Any
    _between: Any
    _given_inputs: Any
    _given_outputs: Any

    def get_config(self) -> dict[str, Any]:
        """Return the structure, as JSON can hold it; the arguments of a model with `call`."""
        if self.has_call:
            return Layer.get_config(self)  # type: ignore[arg-type]
        return structure.of_model(self, self._between(), self._given_inputs, self._given_outputs)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, type] | None = None) -> Any:
        """Make a built model from `get_config`; classes are found in `custom_objects`, then in `fastcnn.layers`.

        Raises
        ------
        ArgumentError
            If there are classes that are not known: all of them are named.
        """
        if cls.has_call:
            return Layer.from_config.__func__(cls, config)  # type: ignore[attr-defined]
        with structure.reading(cls.__name__):
            inputs, outputs = structure.tensors(config, custom_objects or {}, cls.__name__)
            made: Any = cls
            return structure.as_trainable(made(inputs, outputs, name=config.get("name")), config)

    def __reduce__(self) -> Any:
        """A copy has the structure, the weights and what compile was given, as a saved model has."""
        from fastcnn.models.files import compile_arguments, contents

        own = {type(layer).__name__: type(layer) for _, layer in held_layers.all_within(self)}
        told = compile_arguments.described(self)
        built = (self.input_shape, held_layers.frozen(self)) if self.has_call else None
        return contents.copied, (type(self), self.get_config(), self.get_weights(), own, told, built)

    def save(self, path: Any, overwrite: bool = True) -> None:
        """Write structure and parameters to one safetensors file (`fastcnn.saving.save_model`).

        Parameters
        ----------
        path : str or Path
            Ends in ``.safetensors``.
        overwrite : bool
            Replace a file that is there; else refuse.
        """
        from fastcnn.formats import safetensors
        from fastcnn.formats.files import user_path

        safetensors.save(user_path(path, "save_model"), self.contents, {}, overwrite)

    def contents(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return what a file of the model holds: its structure, with what `compile` was given, and its parameters."""
        from fastcnn.models.files import contents

        return contents.of_model(self)

    def save_weights(self, path: Any, overwrite: bool = True) -> None:
        """As `save`: the file has the structure, too."""
        self.save(path, overwrite)

    def load_weights(self, path: Any, by_name: bool = False, skip_mismatch: bool = False) -> None:
        """Set the parameters to those of a file, fastcnn's or Keras's; nothing changes unless all fit.

        Parameters
        ----------
        path : str or Path
        by_name : bool
            Take the layers that have one name in the file and in the model, and leave the others as they are.
        skip_mismatch : bool
            Leave a layer that does not fit as it is, with a warning (`fastcnn.saving.load_weights`).
        """
        from fastcnn.formats.files import user_path
        from fastcnn.models.files import reading

        reading.load_weights(self, user_path(path, "load_weights"), by_name, skip_mismatch)
