"""Dtype policies: of which type a layer's parameters are, and in which type it computes. Keras's names.

==================  ==========  ==========  =========
policy              variables   computes    arrays
==================  ==========  ==========  =========
"float32"           float32     float32     float32
"float64"           float64     float64     float64
"mixed_bfloat16"    float32     bfloat16    float32
==================  ==========  ==========  =========

A parameter, its gradient and an optimizer's state are of the variable type. Inputs, outputs, their gradients and what
is multiplied are numbers of the compute type; they lie in arrays of the third type, which kernels take. Sums of
products, statistics of normalizations, losses and metrics are float32 under "mixed_bfloat16". While a model trains,
what lies between two layers, and what they keep for their way back, is stored in 16 bits.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcnn import unsupported
from fastcnn.bfloat16 import bfloat16
from fastcnn.errors import ArgumentError
from fastcnn.unsupported import ExplainsUnsupported

_TYPES = ("float32", "float64")
_MIXED = "mixed_bfloat16"
_NOT_OFFERED = ("mixed_float16", "bfloat16", "float16")


class DTypePolicy(ExplainsUnsupported):
    """The type of variables and that of computation, by name.

    Parameters
    ----------
    name : str, optional
        "float32" or "float64": all types. "mixed_bfloat16": parameters of float32, and computation in bfloat16 with
        sums in float32; it needs ml_dtypes, ``pip install "fastcnn[bf16]"``. The default policy's if absent.
    source_name : None
        Not offered.

    Attributes
    ----------
    variable_dtype : dtype
        Of parameters, their gradients and the state of optimizers.
    compute_dtype : dtype
        Of inputs, outputs and whatever lies between; `ml_dtypes.bfloat16` of "mixed_bfloat16".
    array_dtype : dtype
        Of the arrays that hold them.
    rounds : bool
        Whether the numbers of its arrays are rounded to a narrower compute type.

    Raises
    ------
    ArgumentError
        If there is no policy of the name.
    ImportError
        If it is "mixed_bfloat16", and ml_dtypes is not installed.

    Examples
    --------
    >>> fc.DTypePolicy("float64").compute_dtype
    dtype('float64')
    """

    unsupported = "dtype policy"

    def __init__(self, name: str | None = None, source_name: None = None) -> None:
        if source_name is not None:
            raise ArgumentError(f"DTypePolicy: source_name={source_name!r} is not offered; leave it at None")
        self.name: str = dtype_policy().name if name is None else _name(name, "DTypePolicy")
        self.rounds = self.name == _MIXED
        self.variable_dtype = self.array_dtype = np.dtype("float32" if self.rounds else self.name)
        self.compute_dtype = bfloat16() if self.rounds else self.array_dtype

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "DTypePolicy":
        """Make a policy from `get_config`."""
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicy) and (self.name, self.variable_dtype, self.compute_dtype) == (
            other.name, other.variable_dtype, other.compute_dtype)

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self.name}">'


def get(identifier: Any, who: str = "DTypePolicy") -> DTypePolicy:
    """Return the policy of a name, a dtype or a configuration, or a policy itself; None for the default one.

    Parameters
    ----------
    identifier : str, dtype, dict, DTypePolicy or None
    who : str
        Who asks, for the message.

    Raises
    ------
    ArgumentError
        If there is no such policy.

    Examples
    --------
    >>> fc.dtype_policies.get("float64").variable_dtype
    dtype('float64')
    """
    if (policy := _everywhere.get()) is not None:
        return policy
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict) and identifier.get("class_name") == "DTypePolicy":
        identifier = (identifier.get("config") or {}).get("name")
    name = _name(identifier, who)
    return _KNOWN.get(name) or _KNOWN.setdefault(name, DTypePolicy(name))


def serialize(dtype_policy: DTypePolicy) -> dict[str, Any]:
    """Return a configuration of a policy, which `get` understands and JSON can hold.

    Parameters
    ----------
    dtype_policy : DTypePolicy

    Examples
    --------
    >>> fc.dtype_policies.serialize(fc.DTypePolicy("float64"))["config"]
    {'name': 'float64'}
    """
    return {"class_name": "DTypePolicy", "config": dtype_policy.get_config()}


def deserialize(config: dict[str, Any], custom_objects: None = None) -> DTypePolicy:
    """Return the policy that `serialize` wrote down.

    Parameters
    ----------
    config : dict
    custom_objects : None
        Not offered.

    Examples
    --------
    >>> config = fc.dtype_policies.serialize(fc.DTypePolicy("float64"))
    >>> fc.dtype_policies.deserialize(config).name
    'float64'
    """
    if custom_objects is not None:
        raise ArgumentError("dtype_policies.deserialize: custom_objects is not offered; leave it at None")
    return get(config, "dtype_policies.deserialize")


def _name(identifier: Any, who: str, mixed: bool = True) -> str:
    """Return the name of a policy that is offered, or of a type where `mixed` ones are no answer."""
    if mixed and isinstance(identifier, str) and identifier == _MIXED:
        return _MIXED
    if isinstance(identifier, str) and identifier in (*_NOT_OFFERED, _MIXED):
        raise ArgumentError(f"{who}: the dtype {identifier!r} is not offered"
                            + ("; take float32, float64 or mixed_bfloat16" if mixed else "; take float32 or float64"))
    try:
        name = "" if identifier is None else np.dtype(identifier).name
    except TypeError:
        name = ""
    if name not in _TYPES:
        raise ArgumentError(f"{who}: expected dtype float32{', ' if mixed else ' or '}float64"
                            f"{' or mixed_bfloat16' if mixed else ''}, got {identifier!r}")
    return name


_KNOWN: dict[str, DTypePolicy] = {}
_default: ContextVar[DTypePolicy | None] = ContextVar("dtype_policy", default=None)
_everywhere: ContextVar[DTypePolicy | None] = ContextVar("dtype_policy_everywhere", default=None)
_set: dict[str, Any] = {"policy": None, "floatx": "float32"}  # by the functions of `fastcnn.config`


def dtype_policy() -> DTypePolicy:
    """Return the policy of layers that are given none (`fastcnn.config.dtype_policy`).

    Examples
    --------
    >>> fc.dtype_policies.dtype_policy().name
    'float32'
    """
    return _default.get() or _set["policy"] or get(_set["floatx"])


def set_dtype_policy(policy: Any) -> None:
    """Set the policy of layers that are given none (`fastcnn.config.set_dtype_policy`).

    Parameters
    ----------
    policy : str or DTypePolicy

    Examples
    --------
    >>> fc.dtype_policies.set_dtype_policy("float32")
    """
    _set["policy"] = get(policy, "set_dtype_policy")


def floatx() -> str:
    """Return the name of the default type (`fastcnn.config.floatx`).

    Examples
    --------
    >>> fc.dtype_policies.floatx()
    'float32'
    """
    return _set["floatx"]


def set_floatx(value: str) -> None:
    """Set the default type (`fastcnn.config.set_floatx`).

    Parameters
    ----------
    value : str
        "float32" or "float64".

    Examples
    --------
    >>> fc.dtype_policies.set_floatx("float32")
    """
    _set["floatx"] = _name(value, "set_floatx", mixed=False)


@contextmanager
def as_written(policy: Any = "float32") -> Iterator[None]:
    """Within this context, layers that are given no policy have this one, as the configurations in files mean it.

    Parameters
    ----------
    policy : str or DTypePolicy

    Examples
    --------
    >>> with fc.dtype_policies.as_written("float64"):
    ...     layers.Dense(1).compute_dtype
    dtype('float64')
    """
    before = _default.set(get(policy))
    try:
        yield
    finally:
        _default.reset(before)


@contextmanager
def everywhere(policy: Any) -> Iterator[None]:
    """Within this context all layers have this policy, whatever they are told: a model is made again in another type.

    Parameters
    ----------
    policy : str or DTypePolicy

    Examples
    --------
    >>> with fc.dtype_policies.everywhere("float64"):
    ...     layers.Dense(1, dtype="float32").compute_dtype
    dtype('float64')
    """
    before = _everywhere.set(get(policy))
    try:
        yield
    finally:
        _everywhere.reset(before)


if not TYPE_CHECKING:  # else type checkers would believe in any name
    __getattr__ = unsupported.names_of("dtype_policies")
