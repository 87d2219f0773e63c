"""Activation functions by Keras's names: for ``activation="relu"`` or ``activation=activations.relu``, and to call.

Each function of this module takes an array, or a symbolic tensor of a functional model, and the parameters that Keras's
has. A layer is told a function by its name, or is given the function itself, which is saved by its name; one with other
parameters than the defaults is a layer: ``layers.ReLU(max_value=3)``.

Behind them are objects with a forward and a backward pass (`fastcnn.activations.functions`). A derivative is taken from
the output where the formula allows it (ReLU, tanh, sigmoid, ...), so that the input need not be kept.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fastcnn.activations.functions import Composed, Elementwise, Function, SoftmaxFunction
from fastcnn.errors import ArgumentError, unknown
from fastcnn.kernels import codes

_FUNCTIONS: dict[str, Function] = {
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
_FUNCTIONS |= {"swish": _FUNCTIONS["silu"], "hard_swish": _FUNCTIONS["hard_silu"]}

_CLIP, _THRESHOLD = Elementwise("clip", codes.CLIP), Elementwise("threshold", codes.THRESHOLD)
_NOT_OFFERED = ("glu", "sparsemax", "threshold")


def get(identifier: Any, who: Any = "activation") -> Function | None:
    """Return the function of a name, or of a function of this module; None for None and "linear".

    Parameters
    ----------
    identifier : str, function, dict or None
        A dict is what `config_of` returned.
    who : object
        Who asks, for the message.

    Raises
    ------
    ArgumentError
        If the name is not known, or the function is none of this module's.
    """
    if isinstance(identifier, Function):
        return identifier
    name = config_of(identifier) if callable(identifier) else identifier
    if name is None and callable(identifier):
        raise ArgumentError(f"{who}: expected the name of an activation or a function of fastcnn.activations, got "
                            f"{identifier!r}; a function with parameters is a layer, such as layers.ReLU(max_value=3)")
    if name is None or name == "linear":
        return None
    if isinstance(name, dict):
        return _from_config(name, who)
    if isinstance(name, str) and name in _FUNCTIONS:
        return _FUNCTIONS[name]
    if name in _NOT_OFFERED:
        raise ArgumentError(f"{who}: activation {name!r} is not offered; offered are "
                            f"{', '.join(['linear', *_FUNCTIONS])}")
    raise ArgumentError(unknown(f"{who}: activation", name, ["linear", *_FUNCTIONS]))


def config_of(function: Any) -> str | dict[str, Any] | None:
    """Return what JSON can hold and `get` makes the function again of: its name, or its name and parameters.

    None for any other object.
    """
    if isinstance(function, Function):
        if _FUNCTIONS.get(function.name) == function:
            return function.name
        if isinstance(function, Composed):
            return {"name": function.name, "functions": [config_of(step) for step in function.functions]}
        if isinstance(function, SoftmaxFunction):
            return {"name": function.name, "axis": function.axis}
        bounds = {"alpha": function.alpha, "beta": function.beta}
        return {"name": function.name} | {key: v for key, v in bounds.items() if math.isfinite(v)}
    name = getattr(function, "__name__", None)
    return name if isinstance(name, str) and name in __all__ and globals()[name] is function else None


def _from_config(config: dict[str, Any], who: Any) -> Function:
    """Return the function that `config_of` described; a bound that is absent is infinite."""
    name = config.get("name")
    if name == "bent_relu":
        return Composed(name, tuple(_from_config(step, who) for step in config["functions"]))  # type: ignore[misc]
    known = ({"clip": _CLIP, "threshold": _THRESHOLD} | _FUNCTIONS).get(str(name))
    if isinstance(known, SoftmaxFunction):
        return replace(known, axis=_tupled(config["axis"]))
    if isinstance(known, Elementwise):
        default = (math.inf, -math.inf) if name == "clip" else (0.0, 0.0)
        return replace(known, alpha=config.get("alpha", default[0]), beta=config.get("beta", default[1]))
    raise ArgumentError(unknown(f"{who}: activation", name, ["linear", *_FUNCTIONS]))


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
            return _FUNCTIONS["relu"]
        return _FUNCTIONS["relu6"] if max_value == 6 else clip(0, max_value)
    bent = Elementwise("leaky_relu", codes.LEAKY_RELU, float(negative_slope), float(threshold))
    if max_value is None:
        return bent
    return Composed("bent_relu", (bent, clip(upper=max_value)))


def _apply(function: Function | None, x: Any) -> Any:
    if isinstance(x, np.ndarray):
        return x if function is None else function.predict(np.ascontiguousarray(x))
    from fastcnn.layers import Activation  # here: layers are made of this module

    return Activation(function)(x)


def _tupled(axis: int | Sequence[int]) -> int | tuple[int, ...]:
    return axis if isinstance(axis, int) else tuple(axis)


def relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """y = max(x, 0), or as `rectifier` says. ONNX: Relu."""
    return _apply(rectifier(negative_slope, max_value, threshold), x)


def linear(x: Any) -> Any:
    """y = x."""
    return _apply(None, x)


def relu6(x: Any) -> Any:
    """y = min(max(x, 0), 6); Howard et al., 2017. ONNX: Clip."""
    return _apply(_FUNCTIONS["relu6"], x)


def step(x: Any) -> Any:
    """y = 1 where x >= 0, else 0; its derivative is 0 everywhere."""
    return _apply(_FUNCTIONS["step"], x)


def sigmoid(x: Any) -> Any:
    """y = 1 / (1 + exp(-x)). ONNX: Sigmoid."""
    return _apply(_FUNCTIONS["sigmoid"], x)


def hard_sigmoid(x: Any) -> Any:
    """y = min(max(x / 6 + 1/2, 0), 1). ONNX: HardSigmoid with alpha 1/6."""
    return _apply(_FUNCTIONS["hard_sigmoid"], x)


def tanh(x: Any) -> Any:
    """y = tanh(x). ONNX: Tanh."""
    return _apply(_FUNCTIONS["tanh"], x)


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """y = x where x > 0, else negative_slope x; Maas, Hannun and Ng, 2013. ONNX: LeakyRelu."""
    return _apply(Elementwise("leaky_relu", codes.LEAKY_RELU, float(negative_slope)), x)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """y = x where x > 0, else alpha (exp(x) - 1); Clevert, Unterthiner and Hochreiter, 2016. ONNX: Elu."""
    return _apply(Elementwise("elu", codes.ELU, float(alpha)), x)


def selu(x: Any) -> Any:
    """y = 1.0507 (x or 1.6733 (exp(x) - 1)); Klambauer et al., 2017. ONNX: Selu."""
    return _apply(_FUNCTIONS["selu"], x)


def celu(x: Any, alpha: float = 1.0) -> Any:
    """y = max(x, 0) + min(0, alpha (exp(x / alpha) - 1)); Barron, 2017. ONNX: Celu."""
    return _apply(Elementwise("celu", codes.CELU, float(alpha)), x)


def silu(x: Any) -> Any:
    """y = x sigmoid(x), also called swish; Ramachandran et al., 2017. ONNX: Swish."""
    return _apply(_FUNCTIONS["silu"], x)


def hard_silu(x: Any) -> Any:
    """y = x min(max(x / 6 + 1/2, 0), 1), also hard_swish; Howard et al., 2019. ONNX: HardSwish."""
    return _apply(_FUNCTIONS["hard_silu"], x)


def mish(x: Any) -> Any:
    """y = x tanh(log(1 + exp(x))); Misra, 2019. ONNX: Mish."""
    return _apply(_FUNCTIONS["mish"], x)


def gelu(x: Any, approximate: bool = False) -> Any:
    """y = x Phi(x), or with tanh for Phi's erf; Hendrycks and Gimpel, 2016. ONNX: Gelu."""
    return _apply(_FUNCTIONS["gelu_tanh" if approximate else "gelu"], x)


def softplus(x: Any) -> Any:
    """y = log(1 + exp(x)). ONNX: Softplus."""
    return _apply(_FUNCTIONS["softplus"], x)


def softsign(x: Any) -> Any:
    """y = x / (1 + |x|). ONNX: Softsign."""
    return _apply(_FUNCTIONS["softsign"], x)


def exponential(x: Any) -> Any:
    """y = exp(x). ONNX: Exp."""
    return _apply(_FUNCTIONS["exponential"], x)


def hard_tanh(x: Any) -> Any:
    """y = min(max(x, -1), 1). ONNX: Clip."""
    return _apply(_FUNCTIONS["hard_tanh"], x)


def tanh_shrink(x: Any) -> Any:
    """y = x - tanh(x)."""
    return _apply(_FUNCTIONS["tanh_shrink"], x)


def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """y = x -+ threshold where |x| > threshold, else 0. ONNX: Shrink."""
    return _apply(Elementwise("soft_shrink", codes.SHRINK, float(threshold), float(threshold)), x)


def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """y = x where |x| > threshold, else 0. ONNX: Shrink."""
    return _apply(Elementwise("hard_shrink", codes.SHRINK, float(threshold)), x)


def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """y = x where x > threshold, else default_value. ONNX: ThresholdedRelu, with 0."""
    return _apply(replace(_THRESHOLD, alpha=float(threshold), beta=float(default_value)), x)


def log_sigmoid(x: Any) -> Any:
    """y = -log(1 + exp(-x))."""
    return _apply(_FUNCTIONS["log_sigmoid"], x)


def squareplus(x: Any, b: float = 4) -> Any:
    """y = (x + sqrt(x^2 + b)) / 2; Barron, 2021."""
    return _apply(Elementwise("squareplus", codes.SQUAREPLUS, float(b)), x)


def sparse_plus(x: Any) -> Any:
    """y = 0 where x <= -1, (x + 1)^2 / 4 where x < 1, else x."""
    return _apply(_FUNCTIONS["sparse_plus"], x)


def sparse_sigmoid(x: Any) -> Any:
    """y = min(max((x + 1) / 2, 0), 1)."""
    return _apply(_FUNCTIONS["sparse_sigmoid"], x)


def softmax(x: Any, axis: int | Sequence[int] = -1) -> Any:
    """y_i = exp(x_i) / sum_j exp(x_j) over an axis, or several together. ONNX: Softmax."""
    return _apply(SoftmaxFunction("softmax", False, _tupled(axis)), x)


def log_softmax(x: Any, axis: int | Sequence[int] = -1) -> Any:
    """y_i = x_i - log sum_j exp(x_j) over an axis, or several together. ONNX: LogSoftmax."""
    return _apply(SoftmaxFunction("log_softmax", True, _tupled(axis)), x)


swish, hard_swish = silu, hard_silu

__all__ = [
    "celu", "elu", "exponential", "gelu", "get", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish",
    "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid",
    "silu", "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "squareplus", "step",
    "swish", "tanh", "tanh_shrink", "threshold",
]  # fmt: skip
