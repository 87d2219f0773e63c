"""Inputs that are not finite: which models may have something for them."""

from typing import Any

from fastcnn.layers import Lambda
from fastcnn.layers.held_layers import all_within
from fastcnn.layers.operation import Operation

_TRUTH = ("test", "compare")  # operations that can tell NaN: isnan(x), not_equal(x, x)


def may_fill_gaps(model: Any) -> bool:
    """Return whether a model may make finite numbers of others: by code of its user, or by operations that tell them.

    No layer of fastcnn's own does: NaN that a layer takes for nothing comes back in the gradients of its weights.

    Parameters
    ----------
    model : Model
    """
    return _is_own(model) or any(
        _is_own(layer) or isinstance(layer, Lambda) or (isinstance(layer, Operation) and layer.operation in _TRUTH)
        for _, layer in all_within(model))


def _is_own(layer: Any) -> bool:
    return not type(layer).__module__.startswith("fastcnn.")
