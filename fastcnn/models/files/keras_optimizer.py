"""The state of an optimizer in Keras's files: a list of variables, in the order in which Keras makes them.

::

    iteration, learning_rate (a number, no schedule), averages, gathered gradients, and then the slots:
    Adam      momentum and velocity of the first parameter, of the second, ...; then velocity_hat of each
    RMSprop   velocity of each parameter; momentum of each; average_gradient of each
    Nadam     as Adam; then the product of its shares so far
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError

#: Slots that Keras keeps after all others; those before them alternate, parameter by parameter.
_APART = {"Adam": ("velocity_hat",), "AdamW": ("velocity_hat",), "RMSprop": ("momentum", "average_gradient")}
#: The optimizers whose order is known here.
KNOWN = frozenset(("SGD", "Adam", "AdamW", "Adagrad", "Adadelta", "RMSprop", "Nadam", "Adamax", "Lion", "Ftrl", "Lamb"))


def variables(optimizer: Any, parameters: Sequence[Any]) -> dict[str, np.ndarray]:
    """Return the state of an optimizer as Keras orders it, by Keras's names.

    Parameters
    ----------
    optimizer : Optimizer
        Built.
    parameters : list of Parameter
        Those that the model trains.
    """
    state = optimizer.get_state()
    found = {"iteration": np.asarray(state["iterations"], np.int32)}
    if "learning_rate" in state:
        found["learning_rate"] = np.asarray(state["learning_rate"], np.float32)
    done = not optimizer.iterations % (optimizer.gradient_accumulation_steps or 1)
    for key, name in _keys(optimizer, parameters):  # gradients of a step that was taken are cleared before the next
        found[name] = np.zeros_like(state[key]) if done and key.endswith("/gradient") else state[key]
    if type(optimizer).__name__ == "Nadam":
        found["variable"] = np.asarray(optimizer.share_product(optimizer.updates), np.float32)
    return found


def give_back(optimizer: Any, parameters: Sequence[Any], arrays: Sequence[Any]) -> None:
    """Build an optimizer and set its state to what `variables` returned.

    Parameters
    ----------
    optimizer : Optimizer
    parameters : list of Parameter
        Those that the model trains.
    arrays : list of ndarray
        In Keras's order.

    Raises
    ------
    ArgumentError
        If they are none of this optimizer, or of other parameters; its state is not changed.
    """
    name = type(optimizer).__name__
    if name not in KNOWN:
        raise ArgumentError(f"the state of {name}")
    optimizer.build(list(parameters))
    state = optimizer.get_state()
    keys = ["iterations", *(["learning_rate"] if "learning_rate" in state else []),
            *(key for key, _ in _keys(optimizer, parameters))]
    given = list(arrays)
    if name == "Nadam" and len(given) == len(keys) + 1:
        given.pop()  # the product, which follows from the iterations
    if len(given) != len(keys):
        raise ArgumentError(f"{len(arrays)} arrays of the state of {name} instead of {len(keys)}")
    told = dict(zip(keys, given, strict=True))
    if "learning_rate" in told and np.float32(state["learning_rate"]) == told["learning_rate"]:
        del told["learning_rate"]  # the configuration has it in double precision
    optimizer.set_state(state | told)


def _keys(optimizer: Any, parameters: Sequence[Any]) -> list[tuple[str, str]]:
    """Return the keys of the optimizer's own state in Keras's order, each with Keras's name."""
    number = {id(p): k for k, p in enumerate(optimizer._parameters)}
    apart = [one for one in _APART.get(type(optimizer).__name__, ()) if one in optimizer.slots]
    together = [one for one in optimizer.slots if one not in apart]
    rounds = [["average"]] if optimizer.use_ema else []
    if optimizer.gradient_accumulation_steps:
        rounds.append(["gradient"])
    told = {"gradient": "gradient_accumulator"}
    return [(f"{number[id(p)]}/{slot}", f"{p.path.replace('/', '_')}_{told.get(slot, slot)}")
            for slots in (*rounds, together, *([one] for one in apart)) for p in parameters for slot in slots]
