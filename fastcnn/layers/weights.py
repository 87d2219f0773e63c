"""What a layer owns: its parameters, those that training changes and statistics, and those of the layers it holds."""

import itertools
from collections.abc import Iterable
from typing import Any

import numpy as np

from fastcnn import constraints, dtype_policies, initializers, regularizers
from fastcnn.dtype_policies import DTypePolicy
from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import is_integer
from fastcnn.layers import held_layers
from fastcnn.parameters import Parameter, assign_all, entered

_OURS = ("name", "shape", "initializer", "trainable", "regularizer", "constraint")
_KERAS = ("shape", "initializer", "dtype", "trainable")


class Weights:
    """The part of a layer that owns its parameters.

    Attributes
    ----------
    parameters : list of Parameter
        Its own, in the order in which it makes them.
    variable_dtype : dtype
        Of the parameters.
    compute_dtype : dtype
        Of inputs and outputs, and of what is multiplied.
    array_dtype : dtype
        Of the arrays that hold inputs and outputs: float32 where the compute type is bfloat16.
    """

    #: Whether it is asked for layers in its attributes: a class of a user's own is (`fastcnn.layers.held_layers`).
    holds_layers = False
    #: Whether building it may make parameters.
    makes_weights = True

    name: str
    variable_dtype: np.dtype
    compute_dtype: np.dtype
    array_dtype: np.dtype
    parameters: list[Parameter]
    _policy: DTypePolicy
    _trainable: bool
    _original: Any = None  # the layer that this is a twin of

    def add_weight(self, *given: Any, name: str | None = None, shape: Any = None, initializer: Any = None,
                   trainable: bool = True, regularizer: Any = None, constraint: Any = None, dtype: Any = None
                   ) -> Parameter:
        """Make a parameter.

        Parameters
        ----------
        *given
            Arguments by position: name, shape, initializer, trainable, ..., or, as Keras has them, shape, initializer,
            dtype.
        name : str, optional
            "variable", "variable_1", ... if absent.
        shape : tuple of int, optional
            () if absent.
        initializer : str or Initializer, optional
            "glorot_uniform" if absent.
        trainable : bool
            False for a statistic, which no optimizer changes.
        regularizer : str or Regularizer, optional
            A penalty on the value, which a model that trains adds to its loss.
        constraint : str, Constraint or function, optional
            What an optimizer brings the value to after each step.
        dtype : None
            Not offered: parameters have the layer's `variable_dtype`.
        """
        if given:
            names = _OURS if isinstance(given[0], str) else _KERAS
            by_name = {"name": name, "shape": shape, "initializer": initializer, "trainable": trainable,
                       "regularizer": regularizer, "constraint": constraint, "dtype": dtype}
            parameter: Parameter = self.add_weight(**by_name | dict(zip(names, given, strict=False)))
            return parameter
        shape = () if shape is None else (int(shape),) if is_integer(shape) else tuple(map(int, shape))
        initializer = "glorot_uniform" if initializer is None else initializer
        if name is None:
            taken = {p.name for p in self.parameters}
            name = next(one for k in itertools.count() if (one := f"variable_{k}" if k else "variable") not in taken)
        if dtype is not None and np.dtype(dtype) != self.variable_dtype:
            raise ArgumentError(f"{self}: {name}: expected the layer's own dtype, {self.variable_dtype.name}, got "
                                f"{dtype!r}; make the layer with dtype=")
        try:
            value = initializers.first_value(initializer, shape, self.variable_dtype)
        except ArgumentError as error:
            raise ArgumentError(f"{self}: {name}: {error}") from None
        parameter = Parameter(entered(value), name, f"{self.name}/{name}", trainable,
                              regularizers.get(regularizer), constraints.get(constraint), self._policy.rounds)
        self.parameters.append(parameter)
        return parameter

    def held_layers(self) -> dict[str, Any]:
        """Return the layers that it holds, each once, by their paths: ``conv``, ``branches/0``, ``heads/mask``."""
        return held_layers.direct(self, Weights) if self.holds_layers else {}

    @property
    def dtype_policy(self) -> DTypePolicy:
        """Which type the parameters have, and which one the layer computes in."""
        return self._policy

    @dtype_policy.setter
    def dtype_policy(self, policy: Any) -> None:
        policy = dtype_policies.get(policy, type(self).__name__)
        if self.parameters and policy != self._policy:
            raise ArgumentError(f"{type(self).__name__}: expected a dtype policy before there are parameters, which "
                                f"are {self.variable_dtype.name}, got {policy.name}; make a new layer with dtype=")
        self._policy, self.array_dtype = policy, policy.array_dtype
        self.variable_dtype, self.compute_dtype = policy.variable_dtype, policy.compute_dtype

    @property
    def rounds(self) -> bool:
        """Whether its outputs are numbers of bfloat16 in arrays of float32."""
        return self._policy.rounds and self.array_dtype == np.float32

    @property
    def dtype(self) -> np.dtype:
        """Keras's other name of `variable_dtype`."""
        return self.variable_dtype

    @property
    def input_dtype(self) -> np.dtype:
        """Keras's other name of `compute_dtype`."""
        return self.compute_dtype

    @property
    def trainable(self) -> bool:
        """Whether training changes the parameters; setting it sets it for the layers that it holds, too."""
        return self._trainable if self._original is None else self._original.trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if self._original is not None:
            self._original.trainable = value
        self._trainable = self._is_trainable(value)
        for layer in self.held_layers().values():
            layer.trainable = self._trainable

    def _is_trainable(self, value: Any) -> bool:
        if not isinstance(value, (bool, np.bool_, int)):
            raise ArgumentError(f"{type(self).__name__}: expected trainable to be True or False, got {value!r}")
        return bool(value)

    @property
    def trainable_weights(self) -> list[Parameter]:
        """The parameters that training changes, its own and those of the layers it holds."""
        if not self.trainable:
            return []
        own = [p for p in self.parameters if p.trainable]
        held = self.held_layers()
        return each_once([*own, *(p for one in held.values() for p in one.trainable_weights)]) if held else own

    @property
    def non_trainable_weights(self) -> list[Parameter]:
        """The parameters that training does not change: statistics, and those that are frozen."""
        trained = set(map(id, self.trainable_weights))
        return [p for p in self.weights if id(p) not in trained]

    @property
    def weights(self) -> list[Parameter]:
        """All parameters, as Keras orders them: its own, first those an optimizer may change, then statistics; then
        those of each layer that it holds.
        """
        held = self.held_layers()
        return each_once([*self._own(), *(p for one in held.values() for p in one.weights)]) if held else self._own()

    def _own(self) -> list[Parameter]:
        return [p for p in self.parameters if p.trainable] + [p for p in self.parameters if not p.trainable]

    def weights_by_path(self) -> list[tuple[str, Parameter]]:
        """Return `weights` with their places in the layer: ``kernel``, or ``branches/0/kernel`` in one it holds."""
        return [(p.name, p) for p in self._own()] + [
            (f"{where}/{path}", p) for where, one in self.held_layers().items() for path, p in one.weights_by_path()]

    @property
    def variables(self) -> list[Parameter]:
        """Keras's other name of `weights`."""
        return self.weights

    @property
    def trainable_variables(self) -> list[Parameter]:
        """Keras's other name of `trainable_weights`."""
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Parameter]:
        """Keras's other name of `non_trainable_weights`."""
        return self.non_trainable_weights

    def get_weights(self) -> list[np.ndarray]:
        """Return copies of the values of `weights`."""
        return [p.numpy() for p in self.weights]

    def set_weights(self, weights: list[np.ndarray]) -> None:
        """Set the values of `weights`; nothing changes unless all fit.

        Raises
        ------
        ArgumentError
            If their number or a shape differs.
        """
        assign_all(str(self), self.weights, weights)

    def count_params(self) -> int:
        """Return how many numbers the parameters hold."""
        return sum(p.size for p in self.weights)


def each_once(parameters: Iterable[Parameter]) -> list[Parameter]:
    """Return parameters without those that came before."""
    return list({id(p): p for p in parameters}.values())
