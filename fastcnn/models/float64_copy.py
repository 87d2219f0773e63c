"""A copy of a model that computes in float64, without a trace of its making."""

from typing import Any

from fastcnn import dtype_policies, random
from fastcnn.errors import ArgumentError
from fastcnn.layers import held_layers
from fastcnn.layers.base import names


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
    from fastcnn.models.files import contents  # not before it is wanted

    own = {type(layer).__name__: type(layer) for _, layer in held_layers.all_within(model)}
    built = (model.input_shape, held_layers.frozen(model)) if model.has_call else (None, ())
    try:
        with dtype_policies.everywhere("float64"), random.apart(), names.apart():
            copy = contents.made(type(model), model.get_config(), own, *built)
            copy.set_weights(model.get_weights())
    except Exception as error:  # layers of one's own may do anything
        raise ArgumentError(f"{who}: expected a model that can be made again in float64 from its configuration, "
                            f"got {type(error).__name__}: {error}") from error
    return copy
