"""What nodes compute of numbers, in NumPy's double precision: to try chains of them, not to run them."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

_erf = np.vectorize(math.erf, otypes=[float])


def _clip(x: Any, low: Any = None, high: Any = None, *, min: Any = None, max: Any = None) -> Any:
    lower, upper = (given if bound is None else bound for bound, given in ((low, min), (high, max)))
    x = x if lower is None else np.maximum(x, lower)
    return x if upper is None else np.minimum(x, upper)


def _cast(x: Any, *, to: int, saturate: int = 1) -> Any:
    if to not in (1, 9, 10, 11, 16):  # floats, and truths
        raise TypeError("a cast to whole numbers")
    return np.not_equal(x, 0) if to == 9 else np.asarray(x, np.float64)


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x))."""
    return 1 / (1 + np.exp(-x))


def softplus(x: Any) -> Any:
    """log(1 + exp(x))."""
    return np.logaddexp(x, 0)


def hard_sigmoid(x: Any, *, alpha: float = 0.2, beta: float = 0.5) -> Any:
    """min(max(alpha x + beta, 0), 1)."""
    return np.clip(alpha * x + beta, 0, 1)


def gelu(x: Any, *, approximate: str = "none") -> Any:
    """x times the normal distribution's share below x, or the formula with tanh."""
    if approximate == "tanh":
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + _erf(x / math.sqrt(2)))


def elu(x: Any, *, alpha: float = 1.0) -> Any:
    """x where it is positive, else alpha (exp(x) - 1)."""
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def leaky_relu(x: Any, *, alpha: float = 0.01) -> Any:
    """x where it is not negative, else alpha x."""
    return np.where(x < 0, alpha * x, x)


#: By the names of operators, with their attributes as keywords.
ELEMENTWISE: dict[str, Callable[..., Any]] = {
    "Abs": np.abs, "Add": np.add, "And": np.logical_and, "Cast": _cast, "Clip": _clip, "Div": np.divide, "Elu": elu,
    "Erf": _erf, "Exp": np.exp, "Gelu": gelu, "Greater": np.greater, "GreaterOrEqual": np.greater_equal,
    "HardSigmoid": hard_sigmoid, "HardSwish": lambda x: x * hard_sigmoid(x, alpha=1 / 6), "Identity": lambda x: x,
    "LeakyRelu": leaky_relu, "Less": np.less, "LessOrEqual": np.less_equal, "Log": np.log, "Max": np.maximum,
    "Min": np.minimum, "Mul": np.multiply, "Neg": np.negative, "Not": np.logical_not, "Or": np.logical_or,
    "Pow": np.power, "Reciprocal": lambda x: 1 / x, "Relu": lambda x: np.maximum(x, 0), "Sigmoid": sigmoid,
    "Sign": np.sign, "Softplus": softplus, "Softsign": lambda x: x / (1 + np.abs(x)), "Sqrt": np.sqrt,
    "Sub": np.subtract, "Sum": np.add, "Swish": lambda x, *, alpha=1.0: x * sigmoid(alpha * x), "Tanh": np.tanh,
    "Where": np.where,
}

#: Of (array, axes), the axes staying as 1.
REDUCTIONS: dict[str, Callable[..., Any]] = {
    "ReduceL2": lambda x, axes: np.sqrt((x * x).sum(axes, keepdims=True)),
    "ReduceMean": lambda x, axes: x.mean(axes, keepdims=True),
    "ReduceSum": lambda x, axes: x.sum(axes, keepdims=True),
    "ReduceSumSquare": lambda x, axes: (x * x).sum(axes, keepdims=True),
}
