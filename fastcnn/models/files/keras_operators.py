"""Operations on tensors in Keras's models, as layers: ``a + b``, ``x * 2``, ``tf.nn.relu(x)``, ``keras.ops.relu(x)``.

Keras 2 writes a TFOpLambda layer with the function's name, Keras 3 an operation with a class of its own; each has one
call. What is here is read, any other is refused by name.
"""

import inspect
import numbers
from typing import Any, NamedTuple

from fastcnn.auto_names import snake_case
from fastcnn.models.files import keras_table
from fastcnn.models.operation_calls import function_of

#: Layers that apply a function of fastcnn.activations, by the last part of the operation's name in lower case.
_FUNCTIONS = {
    "relu": "relu", "relu6": "relu6", "sigmoid": "sigmoid", "tanh": "tanh", "silu": "silu", "swish": "silu",
    "hardswish": "hard_silu", "hardsilu": "hard_silu", "hardsigmoid": "hard_sigmoid", "selu": "selu",
    "softplus": "softplus", "softsign": "softsign", "mish": "mish", "exp": "exponential", "identity": "linear",
}  # fmt: skip
#: Operations of two tensors, or of a tensor and a number.
_PAIRS = {"add": "Add", "addv2": "Add", "sub": "Subtract", "subtract": "Subtract", "mul": "Multiply",
          "multiply": "Multiply", "maximum": "Maximum", "minimum": "Minimum"}  # fmt: skip
_QUOTIENTS = ("div", "divide", "truediv", "truedivide", "realdiv")
#: Operations whose function has another name than their class.
_NAMES = {"TrueDivide": "true_divide"}
_TOLD_NOTHING = ("name", "mask", "training", "data_format")


class Ref(NamedTuple):
    """A tensor of Keras's: an output of a call of a layer."""

    layer: str
    node: int
    which: int


def is_operation(class_name: str, config: dict[str, Any], is_old: bool, module: str = "") -> bool:
    """Return whether an entry is an operation: in Keras 3 one has a name alone, or arguments of its own, a layer more.

    Parameters
    ----------
    class_name, config : str, dict
        Of the entry.
    is_old : bool
        Whether it is of Keras 2.
    module : str
        Of the entry, where it tells one.
    """
    if module.startswith("keras.src.ops."):
        return True
    if is_old:
        return class_name in ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer")
    return not {"trainable", "dtype"} & config.keys()


def as_layer(class_name: str, config: dict[str, Any], args: list[Any], named: dict[str, Any]
             ) -> tuple[str, dict[str, Any], list[Ref]] | None:
    """Return class, arguments and inputs of the layer that does what an operation does; None if there is none.

    Parameters
    ----------
    class_name : str
    config : dict
        Of the operation.
    args, named : list, dict
        Of its call, tensors as `Ref`.
    """
    function = str(config.get("function", class_name)).rpartition(".")[2].lower()
    given = {key: value for key, value in {**config, **named}.items()
             if value is not None and key not in (*_TOLD_NOTHING, "function", "trainable", "dtype")}
    args = [*args, *(given.pop(key) for key in ("y", "x2") if key in given)]
    if function in ("concat", "concatenate") and args and isinstance(args[0], list):
        axis = given.pop("axis", args[1] if len(args) > 1 else None)
        return None if given or axis is None or len(args) > 2 else ("Concatenate", {"axis": axis}, args[0])
    if not args or any(not isinstance(one, (Ref, numbers.Real)) for one in args):
        return None
    if len(args) == 2 and not given:
        return _of_pair(function, *args)
    if len(args) != 1 or not isinstance(args[0], Ref):
        return _clipped(function, args, given)
    if function in _FUNCTIONS and not given:
        return "Activation", {"activation": _FUNCTIONS[function]}, args
    if function in ("softmax", "logsoftmax") and not given.keys() - {"axis"}:
        return {"softmax": "Softmax", "logsoftmax": "LogSoftmax"}[function], {"axis": given.get("axis", -1)}, args
    known = {theirs.lower(): ours for ours, (_, theirs) in keras_table.OPERATIONS.items()}
    elementary = known.get(function)
    if elementary is not None and not given.keys() - {"decimals"} and not given.get("decimals"):
        return elementary, {}, args
    if function == "negative" and not given:
        return "Rescaling", {"scale": -1.0}, args
    return _clipped(function, args, given)


def as_function(class_name: str, config: dict[str, Any], args: list[Any], named: dict[str, Any]
                ) -> dict[str, Any] | None:
    """Return the call of the function of `fastcnn.ops` that an operation of Keras 3 is; None if there is none.

    Parameters
    ----------
    class_name, config, args, named
        As in `as_layer`.
    """
    name = _NAMES.get(class_name, snake_case(class_name))
    function = function_of(name)
    if function is None:
        return None
    known = inspect.signature(function).parameters
    told: dict[str, Any] = {}
    for key, value in {**config, **named}.items():
        if key in known and key != "name":
            told[key] = value
        elif key not in _TOLD_NOTHING and value not in (None, False):
            return None
    if name == "get_item" and len(args) == 2 and isinstance(args[1], list):
        args = [args[0], tuple(args[1])]
    return {"operation": name, "kind": class_name, "args": args, "named": told}


def _of_pair(function: str, a: Any, b: Any) -> tuple[str, dict[str, Any], list[Ref]] | None:
    if isinstance(a, Ref) and isinstance(b, Ref):
        return (_PAIRS[function], {}, [a, b]) if function in _PAIRS else None
    if isinstance(a, Ref):
        return _of_number(function, a, float(b), False)
    return _of_number(function, b, float(a), True) if isinstance(b, Ref) else None


def _of_number(function: str, tensor: Ref, number: float, comes_first: bool
               ) -> tuple[str, dict[str, Any], list[Ref]] | None:
    kind = _PAIRS.get(function)
    if kind == "Add":
        return "Rescaling", {"scale": 1.0, "offset": number}, [tensor]
    if kind == "Multiply":
        return "Rescaling", {"scale": number}, [tensor]
    if kind == "Subtract":
        sign = -1.0 if comes_first else 1.0
        return "Rescaling", {"scale": sign, "offset": -sign * number}, [tensor]
    if kind in ("Maximum", "Minimum"):
        return "Clip", {"min_value" if kind == "Maximum" else "max_value": number}, [tensor]
    if function == "power" and not comes_first and number:
        return "Power", {"exponent": number}, [tensor]
    if function in _QUOTIENTS and not comes_first and number:
        return "Rescaling", {"scale": 1.0 / number}, [tensor]
    return None


def _clipped(function: str, args: list[Any], given: dict[str, Any]) -> tuple[str, dict[str, Any], list[Ref]] | None:
    """Return a clipping: tf.clip_by_value, keras.ops.clip."""
    names = ("clip_value_min", "clip_value_max", "x_min", "x_max")
    bounds = [*args[1:], *(given[key] for key in names if key in given)]
    if function not in ("clip_by_value", "clip") or len(bounds) != 2 or not isinstance(args[0], Ref):
        return None
    if not all(isinstance(one, numbers.Real) for one in bounds):
        return None
    return "Clip", {"min_value": float(bounds[0]), "max_value": float(bounds[1])}, [args[0]]
