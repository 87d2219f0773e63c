"""What Keras's tests make arrays with, on NumPy: `ops`, `backend`, `random`, `tree`, `Variable`, `KerasTensor`.

A function of `ops` that is given a symbolic tensor is fastcnn's.
"""

import contextlib
from typing import Any
from unittest import mock

import numpy as np
import optree

import fastcnn as fc
from fastcnn.symbolic import Tensor
from tests.peers.keras_tests import names
from tests.peers.keras_tests.trainer import Trainer


class _KerasTensor(type):
    def __call__(cls, shape: Any, dtype: Any = "float32", sparse: Any = False, ragged: Any = False, name: Any = None,
                 **_: Any) -> Any:
        if sparse or ragged:
            raise NotImplementedError("sparse or ragged tensors")
        more = {} if name is None else {"name": name}
        return fc.Input(batch_shape=tuple(shape), dtype=None if str(dtype) == "float32" else dtype, **more)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor)


class KerasTensor(metaclass=_KerasTensor):
    """Keras's class of symbolic tensors: makes an `Input`, and knows fastcnn's."""


class Variable(fc.parameters.Parameter):
    """Keras's variable: a parameter, made of any value."""

    def __init__(self, initializer: Any, shape: Any = None, dtype: Any = None, trainable: bool = True,
                 autocast: Any = True, aggregation: Any = None, synchronization: Any = None, name: Any = None) -> None:
        if callable(initializer):
            initializer = initializer(shape, dtype=dtype or "float32")
        value = np.array(initializer)
        value = value.astype(dtype if dtype is not None else "float32" if value.dtype.kind == "f" else value.dtype)
        super().__init__(np.array(value, order="C"), name or "variable", name or "variable", trainable)


def _set_image_data_format(data_format: str) -> None:
    if data_format != "channels_last":
        raise NotImplementedError(f"data_format={data_format!r}: images are channels-last")


def standardize_dtype(dtype: Any) -> str:
    if dtype is None:
        return "float32"
    if dtype in (bool, int, float):
        return {"bool": "bool", "int": "int32", "float": "float32"}[dtype.__name__]
    return dtype if isinstance(dtype, str) else np.dtype(dtype).name


def convert_to_tensor(x: Any, dtype: Any = None, sparse: Any = None, ragged: Any = None) -> Any:
    if isinstance(x, Tensor):
        return x
    array = np.array(x)
    if dtype is None and not hasattr(x, "dtype") and array.dtype.kind in "fi":
        dtype = "float32" if array.dtype.kind == "f" else "int32"
    return array if dtype is None else array.astype(dtype)


def _made(function: Any) -> Any:
    return lambda shape, dtype="float32": function(shape, dtype or "float32")


def _full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    return np.full(shape, fill_value, dtype or ("float32" if isinstance(fill_value, float) else None))


def _rng(seed: Any) -> np.random.Generator:
    return np.random.default_rng(seed if isinstance(seed, int) else None)


def _uniform(shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    return _rng(seed).uniform(minval, maxval, shape).astype(dtype or "float32")


def _normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    return _rng(seed).normal(mean, stddev, shape).astype(dtype or "float32")


def _randint(shape: Any, minval: Any, maxval: Any, dtype: Any = "int32", seed: Any = None) -> Any:
    return _rng(seed).integers(minval, maxval, shape).astype(dtype)


def _one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: Any = False) -> Any:
    return np.moveaxis(np.eye(num_classes, dtype=dtype or "float32")[np.asarray(x, int)], -1, axis)


def _map_structure(function: Any, *trees: Any, none_is_leaf: bool = True) -> Any:
    return optree.tree_map(function, *trees, none_is_leaf=True, namespace="keras")


def _flatten(tree: Any) -> list[Any]:
    return optree.tree_leaves(tree, none_is_leaf=True, namespace="keras")


def _map_up_to(shallow: Any, function: Any, *trees: Any) -> Any:
    spec = optree.tree_structure(shallow, none_is_leaf=True)
    return optree.tree_unflatten(spec, [function(*parts) for parts in zip(
        *(optree.tree_flatten_up_to(spec, tree) if hasattr(optree, "tree_flatten_up_to") else spec.flatten_up_to(tree)
          for tree in trees), strict=True)])


def _same_structure(a: Any, b: Any, **_: Any) -> None:
    if optree.tree_structure(a, none_is_leaf=True) != optree.tree_structure(b, none_is_leaf=True):
        raise ValueError("not the same structure")


def _is_shape(x: Any) -> bool:
    return isinstance(x, (list, tuple)) and all(isinstance(n, (int, type(None))) for n in x)


def _map_shapes(function: Any, tree: Any) -> Any:
    if _is_shape(tree):
        return function(tuple(tree))
    if isinstance(tree, dict):
        return {key: _map_shapes(function, one) for key, one in tree.items()}
    return type(tree)(_map_shapes(function, one) for one in tree)


class SeedGenerator:
    """Keras's generator of seeds, of which fastcnn has none: only its seed is told."""

    def __init__(self, seed: Any = None, **_: Any) -> None:
        self.seed = self.initial_seed = seed


_OPS = {
    "array": convert_to_tensor, "convert_to_tensor": convert_to_tensor, "convert_to_numpy": np.asarray,
    "cast": lambda x, dtype: np.asarray(x).astype(dtype), "shape": lambda x: tuple(x.shape),
    "ones": _made(np.ones), "zeros": _made(np.zeros), "full": _full, "one_hot": _one_hot,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "stop_gradient": lambda x: x, "is_tensor": lambda x: isinstance(x, (np.ndarray, Tensor)),
}
_RANDOM = {"uniform": _uniform, "normal": _normal, "randint": _randint, "SeedGenerator": SeedGenerator}
_TREE = {"map_structure": _map_structure, "flatten": _flatten, "map_structure_up_to": _map_up_to,
         "assert_same_structure": _same_structure, "map_shape_structure": _map_shapes,
         "is_nested": lambda x: isinstance(x, (list, tuple, dict))}
_BACKEND = {
    "backend": lambda: names.Absent.backend,
    "Variable": Variable, "KerasTensor": KerasTensor,
    "convert_to_numpy": np.asarray, "convert_to_tensor": convert_to_tensor, "standardize_dtype": standardize_dtype,
    "is_tensor": lambda x: isinstance(x, np.ndarray), "floatx": lambda: "float32", "epsilon": lambda: 1e-7,
    "image_data_format": lambda: "channels_last", "set_image_data_format": _set_image_data_format,
    "is_float_dtype": lambda d: "float" in standardize_dtype(d),
    "is_int_dtype": lambda d: "int" in standardize_dtype(d), "shape": lambda x: tuple(x.shape),
    "standardize_shape": tuple, "SUPPORTS_SPARSE_TENSORS": False, "SUPPORTS_RAGGED_TENSORS": False,
    "SUPPORTS_COMPLEX_DTYPES": False, "clear_session": fc.utils.clear_session, "cast": _OPS["cast"],
    "name_scope": lambda name, **_: mock.MagicMock(), "is_keras_tensor": lambda x: isinstance(x, Tensor),
    "result_type": lambda *d: np.result_type(*d).name,
}
_TRACEBACK = {"is_traceback_filtering_enabled": lambda: False, "disable_traceback_filtering": lambda: None}

#: What stands for a name, by its path below `keras.src`.
NAMES: dict[str, Any] = {
    **{f"backend.{name}": value for name, value in _BACKEND.items()},
    **{f"backend.config.{name}": _BACKEND[name] for name in ("image_data_format", "floatx", "epsilon", "backend")},
    **{f"config.{name}": _BACKEND[name] for name in ("image_data_format", "floatx", "epsilon", "backend")},
    **{f"backend.common.{name}": _BACKEND[name] for name in (
        "standardize_dtype", "is_float_dtype", "is_int_dtype", "KerasTensor", "Variable")},
    "backend.common.keras_tensor.KerasTensor": KerasTensor, "KerasTensor": KerasTensor,
    "backend.common.variables.Variable": Variable, "Variable": Variable,
    "backend.common.variables.standardize_dtype": standardize_dtype,
    "backend.common.global_state.clear_session": fc.utils.clear_session,
    **{f"random.{name}": value for name, value in _RANDOM.items()},
    **{f"backend.random.{name}": value for name, value in _RANDOM.items()},
    "random.seed_generator.SeedGenerator": SeedGenerator,
    **{f"tree.{name}": value for name, value in _TREE.items()},
    **{f"utils.traceback_utils.{name}": value for name, value in _TRACEBACK.items()},
    "utils.removesuffix": str.removesuffix,
    "backend.torch.trainer.TorchTrainer": Trainer, "backend.common.symbolic_scope.in_symbolic_scope": lambda: False,
    "backend.device": lambda *_: contextlib.nullcontext(),
    "models.Functional": fc.Model, "models.functional.Functional": fc.Model,
}


def of_module(module: str, name: str) -> Any:
    """Return a function of `keras.ops`, or of `backend.numpy` and its kin, for arrays and for tensors."""
    part = module.removeprefix("keras.").removeprefix("src.")
    if part not in ("ops", "ops.numpy", "ops.nn", "ops.math", "ops.core", "ops.random", "backend.numpy", "backend.nn"):
        return None
    on_arrays = (_RANDOM if part.endswith("random") else _OPS).get(name) or getattr(np, name, None)
    of_tensors = None
    try:
        of_tensors = getattr(fc.ops, name, None)
    except AttributeError:
        of_tensors = None
    if on_arrays is None and of_tensors is None:
        return None

    def apply(*args: Any, **kwargs: Any) -> Any:
        symbolic = any(not isinstance(one, (np.ndarray, np.generic, int, float, str, bool, type(None), type))
                       for one in _flatten([args, kwargs]))
        return (of_tensors if of_tensors and (symbolic or on_arrays is None) else on_arrays)(*args, **kwargs)

    return apply
