"""Model: layers put together, which users train, look at, copy and save."""

import numbers
from collections.abc import Callable
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError, unknown
from fastcnn.geometry.arguments import is_integer
from fastcnn.graph.rules.report import Fusions
from fastcnn.layers import held_layers
from fastcnn.layers.base import Layer, names
from fastcnn.models import arguments, serialization
from fastcnn.models.structure import Structure, tensors_of
from fastcnn.models.summary import summary, unbuilt
from fastcnn.models.trainable import TrainableNetwork

_SUBCLASS = ("put layers together with the functional form, fc.Model(inputs, outputs), with call(self, x), or write a "
             "Layer of your own with forward and predict")


@serialization.enter
class Model(TrainableNetwork):
    """Layers between inputs and outputs, with skips, branches, layers that are used twice, and models inside.

    Parameters
    ----------
    inputs : Tensor, or list or dict of them
        From `fc.Input`, or between layers: ``fc.Model(m.input, m.get_layer("conv5").output)``.
    outputs : Tensor, or list or dict of them
    name : str, optional
    trainable : bool

    Attributes
    ----------
    layers : list of Layer
        In Keras's order: the furthest from the outputs first.
    input_shape, output_shape : tuple
        With None for the batch; tuples of them where there are several.

    Raises
    ------
    ArgumentError
        If an output depends on something that is not an input, or if two layers have the same name.

    Examples
    --------
    >>> inputs = fc.Input((28, 28, 1))
    >>> x = layers.Conv2D(8, 3, activation="relu")(inputs)
    >>> outputs = layers.Dense(10, activation="softmax")(layers.Flatten()(x))
    >>> model = fc.Model(inputs, outputs)
    >>> model.output_shape, model.count_params()
    ((None, 10), 54170)
    """

    foreign = dict.fromkeys(("predict_step", "make_train_function"), _SUBCLASS)

    def __init__(self, inputs: Any = None, outputs: Any = None, name: str | None = None,
                 trainable: bool = True) -> None:
        if inputs is None and outputs is None and (self.has_call or self.writes_step("train")):
            if not self.has_call:  # a GAN, say: its step knows what it does with its parts
                self.has_call = self.only_trains = True
            self._new(name, None)
            self._trainable = self._is_trainable(trainable)
            return
        if inputs is None or outputs is None or self.has_call:
            told = "inputs and outputs from call alone, got some" if self.has_call else (
                "inputs and outputs, got none")
            raise ArgumentError(f"{type(self).__name__}: expected {told}; {_SUBCLASS}")
        self._new(name, tensors_of(type(self).__name__, "inputs", inputs)[0].node.layer.dtype_policy)
        self._connect(Structure.between(inputs, outputs, self))
        serialization.check_names(self, self.layers)
        if not trainable:
            self.trainable = False

    def _new(self, name: str | None, policy: Any) -> None:
        kind = "Functional" if type(self) is Model else type(self).__name__  # Keras's name of it
        super()._new(name or names.new(kind), policy)

    # --- what it is made of -----------------------------------------------------------------------------------------

    def get_layer(self, name: str | None = None, index: int | None = None) -> Any:
        """Return the layer of a name, or at an index.

        Raises
        ------
        ArgumentError
            If there is none.
        """
        if isinstance(index, numbers.Integral) and -len(self.layers) <= index < len(self.layers):
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ArgumentError(unknown(f"{self}: layer", name if index is None else index,
                                    [layer.name for layer in self.layers]))

    def summary(self, print_fn: Callable[[str], Any] | None = None, expand_nested: bool = False,
                show_trainable: bool = False, **others: Any) -> None:
        """Print the layers with output shapes, parameters, multiply-adds and memory; their names where it is not built.

        Parameters
        ----------
        print_fn : callable, optional
            Called with the text in the place of `print`.
        expand_nested : bool
            Tell the layers of models inside, too.
        show_trainable : bool
            Tell which layers are trained.
        **others
            Keras's line_length, positions and layer_range are not offered: a line is as long as it has to be.
        """
        arguments.refuse(f"{self}.summary", others, {"line_length": None, "positions": None, "layer_range": None},
                         arguments.names_of(Model.summary))
        arguments.check(print_fn is None or callable(print_fn), f"{self}.summary", "print_fn to be a function",
                        print_fn)
        if not self.built:
            unbuilt(self, print_fn)
            return
        summary(self, print_fn, expand_nested, show_trainable)

    def fusions(self, batch_size: int = 32) -> Fusions:
        """Return which nodes run in place of layers, rule by rule, and why a rule that nearly matched did not apply.

        What training with cross-entropy joins is told once the model is compiled.

        Parameters
        ----------
        batch_size : int
            Some rules want a batch that fills the lanes of vectors.

        Returns
        -------
        list of Fusion
            (mode, rule, layers, node, reason) for training, then for prediction; `print` shows it as text. Empty where
            ``fastcnn.config.set_fusion(False)``.
        """
        arguments.check(is_integer(batch_size) and batch_size > 0, f"{self}.fusions", "a positive batch_size",
                        batch_size)
        which = () if self.objective is None else self.objective.after_softmax
        return self._executable.fusions(int(batch_size), which)

    # --- as JSON, as a copy, and as a file: what these need is imported when one is made ----------------------------

    def get_config(self) -> dict[str, Any]:
        """Return the structure, as JSON can hold it; the arguments of a model with `call`."""
        if self.has_call:
            return Layer.get_config(self)
        return serialization.of_model(self, self._built_structure())

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
        with serialization.reading(cls.__name__):
            inputs, outputs = serialization.tensors(config, custom_objects or {}, cls.__name__)
            made: Any = cls
            return serialization.as_trainable(made(inputs, outputs, name=config.get("name")), config)

    def __reduce__(self) -> Any:
        """A copy has the structure, the weights and what compile was given, as a saved model has."""
        from fastcnn.models.files import compile_arguments, contents

        own = {type(layer).__name__: type(layer) for _, layer in held_layers.all_within(self)}
        told = compile_arguments.described(self)
        built = (self.input_shape, held_layers.frozen(self)) if self.has_call else None
        return contents.copied, (type(self), self.get_config(), self.get_weights(), own, told, built)

    def to(self, device: str) -> Any:
        """Move the model, with its optimizer's state, to another device, and return it.

        Arrays that go in and come out stay NumPy's, and files know no device: a model that was trained on a card is
        loaded anywhere.

        Parameters
        ----------
        device : str
            "cpu", "cuda" or "cuda:0".

        Raises
        ------
        ArgumentError
            If it is no name of a device, or the model is not built.
        DeviceError
            If the device is not there or cannot be used, or has no kernels for a layer: each is named, and nothing has
            moved.

        Examples
        --------
        >>> model = fc.Sequential([fc.Input((4,)), layers.Dense(2)])
        >>> model.to("cpu").predict(np.ones((3, 4), "float32")).shape
        (3, 2)
        """
        from fastcnn.models import placement

        self._built_structure("to")
        placement.move(self, device)
        return self

    def to_json(self, indent: int | None = None, **others: Any) -> str:
        """Return class and structure as text, of which `fastcnn.models.model_from_json` makes a model again.

        Parameters
        ----------
        indent : int, optional
            Write it on several lines, each level so many spaces further right.
        **others
            Of `json.dumps`.
        """
        import json

        return json.dumps({"class_name": type(self).__name__, "config": serialization.without_layers(
            self.get_config())}, indent=indent, **others)

    def save(self, filepath: Any, overwrite: bool = True) -> None:
        """Write structure and parameters to one file (`fastcnn.saving.save_model`).

        Parameters
        ----------
        filepath : str or Path
            Ends in ``.safetensors``, or in ``.keras`` or ``.h5`` for a file that Keras opens.
        overwrite : bool
            Replace a file that is there; else refuse.
        """
        from fastcnn.formats.files import user_path
        from fastcnn.models.files import writing

        writing.save(user_path(filepath, "save_model"), self, {}, overwrite)

    def contents(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return what a file of the model holds: its structure, with what `compile` was given, and its parameters."""
        from fastcnn.models.files import contents

        return contents.of_model(self)

    def blueprint(self) -> dict[str, Any]:
        """Return the first part of `contents`: what the model can be made of again, without its weights."""
        from fastcnn.models.files import contents

        return contents.structure_of(self)

    def save_weights(self, filepath: Any, overwrite: bool = True) -> None:
        """Write parameters, and the state of the optimizer, to a ``.weights.h5`` file as Keras does; else as `save`.

        Parameters
        ----------
        filepath : str or Path
            A file that ends in ``.safetensors``, ``.keras`` or ``.h5`` also has the structure.
        overwrite : bool
            As of `save`.
        """
        from fastcnn.formats.files import user_path
        from fastcnn.models.files import writing

        writing.save_weights(user_path(filepath, "save_weights"), self, overwrite)

    def load_weights(self, filepath: Any, by_name: bool = False, skip_mismatch: bool = False) -> None:
        """Set the parameters from a file of fastcnn's or Keras's. Nothing changes unless all of them fit.

        Parameters
        ----------
        filepath : str or Path
        by_name : bool
            Take the layers that have one name in the file and in the model, and leave the others as they are.
        skip_mismatch : bool
            Leave a layer that does not fit as it is, with a warning (`fastcnn.saving.load_weights`).
        """
        from fastcnn.formats.files import user_path
        from fastcnn.models.files import reading

        reading.load_weights(self, user_path(filepath, "load_weights"), by_name, skip_mismatch)
