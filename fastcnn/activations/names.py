"""Activations by name: what layers look up, and what files hold of a function."""

import math
from dataclasses import replace
from typing import Any

from fastcnn.errors import ArgumentError, unknown
from fastcnn.geometry.arguments import integers
from fastcnn.kernels import codes
from fastcnn.operations.activation import Composed, Elementwise, Function, SoftmaxFunction

FUNCTIONS: dict[str, Function] = {
    f.name: f
    for f in (
        Elementwise("relu", codes.RELU),
        Elementwise("relu6", codes.CLIP, 6.0),
        Elementwise("step", codes.STEP),
        Elementwise("sigmoid", codes.SIGMOID),
        Elementwise("hard_sigmoid", codes.HARD_SIGMOID, 1 / 6, 0.5),
        Elementwise("tanh", codes.TANH),
        Elementwise("leaky_relu", codes.LEAKY_RELU, 0.2),
        Elementwise("elu", codes.ELU, 1.0),
        Elementwise("selu", codes.SELU),
        Elementwise("celu", codes.CELU, 1.0),
        Elementwise("silu", codes.SILU),
        Elementwise("hard_silu", codes.HARD_SILU),
        Elementwise("mish", codes.MISH),
        Elementwise("gelu", codes.GELU),
        Elementwise("gelu_tanh", codes.GELU_TANH),
        Elementwise("softplus", codes.SOFTPLUS),
        Elementwise("softsign", codes.SOFTSIGN),
        Elementwise("exponential", codes.EXPONENTIAL),
        Elementwise("hard_tanh", codes.CLIP, 1.0, -1.0),
        Elementwise("tanh_shrink", codes.TANH_SHRINK),
        Elementwise("soft_shrink", codes.SHRINK, 0.5, 0.5),
        Elementwise("hard_shrink", codes.SHRINK, 0.5, 0.0),
        Elementwise("log_sigmoid", codes.LOG_SIGMOID),
        Elementwise("squareplus", codes.SQUAREPLUS, 4.0),
        Elementwise("sparse_plus", codes.SPARSE_PLUS),
        Elementwise("sparse_sigmoid", codes.HARD_SIGMOID, 0.5, 0.5),
        SoftmaxFunction("softmax", False),
        SoftmaxFunction("log_softmax", True),
    )
}
FUNCTIONS |= {"swish": FUNCTIONS["silu"], "hard_swish": FUNCTIONS["hard_silu"]}

_CLIP, THRESHOLD = Elementwise("clip", codes.CLIP), Elementwise("threshold", codes.THRESHOLD)
_SCALED_ELU = Elementwise("scaled_elu", codes.SCALED_ELU)
_NOT_OFFERED = ("glu", "sparsemax", "threshold")


def get(identifier: Any, who: Any = "activation") -> Function | None:
    """Return the function of a name, or of a function of this module; None for None and "linear".

    Parameters
    ----------
    identifier : str, function, dict, layer or None
        A dict is what `config_of` returned; a layer is one of an activation, such as ``layers.LeakyReLU(0.1)``.
    who : object
        Who asks, for the message.

    Raises
    ------
    ArgumentError
        If the name is not known, or the function is none of this module's.

    Examples
    --------
    >>> activations.get("relu") == activations.get(activations.relu)
    True
    >>> activations.get("linear") is None
    True
    """
    if isinstance(identifier, Function):
        return identifier
    layer = getattr(identifier, "function", None)  # of a layer that is an activation, such as layers.LeakyReLU()
    if isinstance(layer, Function):
        return layer
    name = config_of(identifier) if callable(identifier) else identifier
    if not isinstance(name, (str, dict)) and name is not None and not callable(name):
        raise ArgumentError(unknown(f"{who}: activation", name, ["linear", *FUNCTIONS]))
    if name is None and callable(identifier):
        raise ArgumentError(f"{who}: expected the name of an activation or a function of fastcnn.activations, got "
                            f"{identifier!r}; a function with parameters is a layer, such as layers.ReLU(max_value=3)")
    if name is None or name == "linear":
        return None
    if isinstance(name, dict):
        return _from_config(name, who)
    if isinstance(name, str) and name in FUNCTIONS:
        return FUNCTIONS[name]
    if name in _NOT_OFFERED:
        raise ArgumentError(f"{who}: activation {name!r} is not offered; offered are "
                            f"{', '.join(['linear', *FUNCTIONS])}")
    raise ArgumentError(unknown(f"{who}: activation", name, ["linear", *FUNCTIONS]))


def config_of(function: Any) -> str | dict[str, Any] | None:
    """Return what JSON can hold and `get` makes the function again of: its name, or its name and parameters.

    None for any other object.
    """
    if isinstance(function, Function):
        if FUNCTIONS.get(function.name) == function:
            return function.name
        if isinstance(function, Composed):
            return {"name": function.name, "functions": [config_of(step) for step in function.functions]}
        if isinstance(function, SoftmaxFunction):
            return {"name": function.name, "axis": function.axis}
        bounds = {"alpha": function.alpha, "beta": function.beta}
        return {"name": function.name} | {key: v for key, v in bounds.items() if math.isfinite(v)}
    name = getattr(function, "__name__", None)
    public = str(getattr(function, "__module__", "")).startswith("fastcnn.activations.")
    return name if public and name in ("linear", "threshold", *FUNCTIONS) else None


def serialize(activation: Any) -> Any:
    """Return what JSON can hold of an activation: its name, or a dict of its name and parameters.

    Parameters
    ----------
    activation : function of this module

    Raises
    ------
    ArgumentError
        If it is none of this module's.

    Examples
    --------
    >>> activations.serialize(activations.relu)
    'relu'
    """
    function = get(activation, "activations.serialize")
    return "linear" if function is None else config_of(function)


def deserialize(config: Any, custom_objects: None = None) -> Any:
    """Return the activation that `serialize` wrote down, which can be called.

    Parameters
    ----------
    config : str or dict
    custom_objects : None
        Not offered.

    Examples
    --------
    >>> activations.deserialize("relu")([-1.0, 2.0])
    array([0., 2.], dtype=float32)
    """
    if custom_objects:
        raise ArgumentError("activations.deserialize: custom_objects is not offered; write a layer of your own")
    return get(config, "activations.deserialize")


def _from_config(config: dict[str, Any], who: Any) -> Function:
    """Return the function that `config_of` described; a bound that is absent is infinite."""
    name = config.get("name")
    if name == "bent_relu":
        return Composed(name, tuple(get(step, who) for step in config["functions"]))  # type: ignore[misc]
    known = ({"clip": _CLIP, "threshold": THRESHOLD} | FUNCTIONS).get(str(name))
    if isinstance(known, SoftmaxFunction):
        return replace(known, axis=integers(config["axis"], who, "axis"))
    if isinstance(known, Elementwise):
        default = (math.inf, -math.inf) if name == "clip" else (0.0, 0.0)
        return replace(known, alpha=config.get("alpha", default[0]), beta=config.get("beta", default[1]))
    raise ArgumentError(unknown(f"{who}: activation", name, ["linear", *FUNCTIONS]))


def parametric(name: str, alpha: float, beta: float = 0.0) -> Elementwise:
    """Return a function with parameters of one's own.

    Parameters
    ----------
    name : str
        "leaky_relu", "threshold", "hard_sigmoid", "elu", "scaled_elu" or "celu".
    alpha, beta : float
        What they are to the function, `fastcnn.kernels.codes` says.
    """
    function = {"threshold": THRESHOLD, "scaled_elu": _SCALED_ELU}.get(name) or FUNCTIONS[name]
    assert isinstance(function, Elementwise)
    return replace(function, alpha=alpha, beta=beta)


def clip(lower: float | None = None, upper: float | None = None) -> Elementwise:
    """Return y = min(max(x, lower), upper), each bound optional.

    Parameters
    ----------
    lower, upper : float, optional
    """
    high, low = math.inf if upper is None else float(upper), -math.inf if lower is None else float(lower)
    return replace(_CLIP, alpha=high, beta=low)


def rectifier(negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Function:
    """Return y = max_value where x >= max_value, x where threshold < x, else negative_slope (x - threshold).

    Parameters
    ----------
    negative_slope : float
    max_value : float, optional
    threshold : float
    """
    if not negative_slope and not threshold:
        if max_value is None:
            return FUNCTIONS["relu"]
        return FUNCTIONS["relu6"] if max_value == 6 else clip(0, max_value)
    bent = Elementwise("leaky_relu", codes.LEAKY_RELU, float(negative_slope), float(threshold))
    if max_value is None:
        return bent
    return Composed("bent_relu", (bent, clip(upper=max_value)))
