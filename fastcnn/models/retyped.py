"""A copy of a model that computes in another type, without a trace of its making."""

import operator
from typing import Any, Literal

from fastcnn import dtype_policies, random
from fastcnn.errors import ArgumentError
from fastcnn.layers import held_layers
from fastcnn.layers.base import names

#: Precisions of a prediction, and their policies.
PRECISIONS = {"float32": "float32", "bf16": "mixed_bfloat16", "mixed_bfloat16": "mixed_bfloat16"}

_VERSION = operator.attrgetter("version")  # in a third of a comprehension's time


def in_float64(model: Any, who: str) -> Any:
    """Return a model of the same structure and weights, whose layers all compute in float64; it is not compiled.

    Parameters
    ----------
    model : Model
        Built. It stays as it is, and so do the sequences of seeds and of automatic names.
    who : str
        Who asks, for the message of an error.

    Raises
    ------
    ArgumentError
        If it cannot be made again from its configuration.
    """
    return under_policy(model, "float64", who)


def under_policy(model: Any, policy: str, who: str) -> Any:
    """As `in_float64`, under any dtype policy."""
    from fastcnn.models.files import contents  # not before it is wanted

    own = {type(layer).__name__: type(layer) for _, layer in held_layers.all_within(model)}
    built = (model.input_shape, held_layers.frozen(model)) if model.has_call else (None, ())
    try:
        with dtype_policies.everywhere(policy), random.apart(), names.apart():
            copy = contents.made(type(model), model.get_config(), own, *built)
            copy.set_weights(model.get_weights())
    except ImportError:
        raise
    except Exception as error:  # layers of one's own may do anything
        raise ArgumentError(f"{who}: expected a model that can be made again in {policy} from its configuration, "
                            f"got {type(error).__name__}: {error}") from error
    return copy


def in_precision(model: Any, precision: str, who: str) -> Any:
    """Return a model whose layers compute in a precision: itself, if they do, or a copy.

    Parameters
    ----------
    model : Model
    precision : str
        One of PRECISIONS.
    who : str
        Who asks, for the message of an error.
    """
    return Retyped(model).get(precision, who)


def precision_of(model: Any) -> Literal["float32", "bf16"]:
    """Return "bf16" if layers of a model compute in bfloat16, else "float32"."""
    return "bf16" if any(layer.dtype_policy.rounds for _, layer in held_layers.all_within(model)) else "float32"


class Retyped:
    """Copies of a model by policy, whose weights follow the model's.

    Parameters
    ----------
    model : Model
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._copies: dict[str, tuple[Any, list[int]]] = {}
        self._walked: tuple[Any, list[Any], set[str]] = (None, [], set())

    def get(self, precision: Any, who: str) -> Any:
        """Return what predicts in a precision: the model itself, if its layers compute so, or a copy.

        Parameters
        ----------
        precision : str
            One of PRECISIONS.
        who : str
            Who asks, for the message of an error.

        Raises
        ------
        ArgumentError
            If there is no such precision, the model is not built, or it cannot be made again.
        """
        policy = PRECISIONS.get(precision) if isinstance(precision, str) else None
        if policy is None:
            raise ArgumentError(f"{who}: expected precision to be 'float32' or 'bf16', got {precision!r}")
        model = self._model
        if not model.built:
            raise ArgumentError(f"{who}: expected a built model for another precision, got one without shapes; "
                                f"begin it with fc.Input, or call it with data first")
        weights, found = self._weights_and_policies()
        # A model under the mixed policy has layers of float32 where its maker wants them.
        if found == {policy} or (policy in found and policy != "float32"):
            return model
        versions = [*map(_VERSION, weights)]
        copy, known = self._copies.get(policy) or (under_policy(model, policy, who), versions)
        if known != versions:
            copy.set_weights(model.get_weights())
        self._copies[policy] = copy, versions
        return copy

    def _weights_and_policies(self) -> tuple[list[Any], set[str]]:
        """Return the model's parameters, and the policies of its layers that have some.

        Walking over the layers of a ResNet-50 takes half a millisecond, a tenth of a prediction in bfloat16: it is done
        once for what the model runs, which is another after each change of its layers.
        """
        model, (runs, weights, found) = self._model, self._walked
        if model.has_call or runs is not model.executables:  # the attributes of a model with a `call` may change
            weights = model.weights
            found = {layer.dtype_policy.name for _, layer in held_layers.all_within(model) if layer.weights}
            self._walked = model.executables, weights, found
        return weights, found
