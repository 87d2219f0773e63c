"""An import hook: every name of `keras` and `keras.src` is answered by fastcnn's of the same path.

keras.src.layers.core.dense.Dense        fastcnn.layers.Dense
keras.src.backend, ops, random, tree     what tests make arrays with, on NumPy (`arrays`)
what fastcnn lacks                       a class that can be named and subclassed, and raises when it is used
"""

import contextlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types
from pathlib import Path
from typing import Any

#: Pure Python of Keras's that computes expected values, or is the harness: read from the wheel as it stands.
AS_THEY_ARE = {"keras.src.backend.common.backend_utils", "keras.src.testing.test_utils",
               "keras.src.testing.test_case"}

#: Rooms of Keras whose public names lie in a room of fastcnn.
ROOMS = ("activations", "applications", "callbacks", "constraints", "datasets", "dtype_policies", "initializers",
         "layers", "losses", "metrics", "models", "ops", "random", "regularizers", "saving", "utils")


#: Libraries of other back ends: their names are there, and raise when they are used.
FOREIGN = ("tensorflow", "jax", "grain", "flax", "tf_keras", "litert_torch", "tensorflow_io", "openvino", "ml_dtypes")


class NotThere(Exception):  # noqa: N818  (a reason, and nothing that fastcnn would raise)
    """A test used a name that fastcnn does not have."""


class Absent(type):
    """The class of names that are not there: any can be named and subclassed."""

    backend = "fastcnn"  # but where a test file knows its own alone
    loading = False  # while a test file is loaded: what its decorators are called with comes back

    def __new__(cls, path: str, *args: Any) -> Any:
        bases, body = args or ((), {})
        return super().__new__(cls, path, tuple(bases), dict(body))

    def __init__(cls, path: str, *args: Any) -> None:
        super().__init__(path, *(args or ((), {})))
        cls.path = cls.__mro__[1].path if args and len(cls.__mro__) > 2 else path

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if Absent.loading:
            decorated = len(args) == 1 and not kwargs and callable(args[0])
            return args[0] if decorated else Absent(cls.path)
        raise NotThere(cls.path)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Absent(f"{cls.path}.{name}")

    def __instancecheck__(cls, instance: Any) -> bool:
        return False


class KerasModule(types.ModuleType):
    """A module of Keras's whose names are looked up when they are asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        value = found(self.__name__, name)
        setattr(self, name, value)
        return value


def found(module: str, name: str) -> Any:
    """Return what stands for a name of a module of Keras's."""
    from tests.peers.keras_tests import arrays

    path = f"{module}.{name}"
    if module.partition(".")[0] in FOREIGN:
        return Absent(path)
    with contextlib.suppress(KeyError):
        return arrays.NAMES[path.removeprefix("keras.src.").removeprefix("keras.")]
    known = path.removeprefix("keras.src.").removeprefix("keras.") + "."
    file = _Finder.root / path.removeprefix("keras.").replace(".", "/")
    if file.is_dir() or file.with_suffix(".py").is_file() or any(one.startswith(known) for one in arrays.NAMES):
        return importlib.import_module(path)
    with contextlib.suppress(AttributeError, ImportError):
        return _of_fastcnn(module, name)
    return arrays.of_module(module, name) or Absent(path)


def _of_fastcnn(module: str, name: str) -> Any:
    import fastcnn

    rooms = [part for part in module.split(".")[1:] if part != "src"]
    if not rooms:
        value = getattr(fastcnn, name)
    elif rooms[0] == "optimizers":
        value = getattr(fastcnn.optimizers.schedules if "schedules" in rooms else fastcnn.optimizers, name)
    elif rooms[0] == "applications" and len(rooms) > 1:
        module_of_network = getattr(fastcnn.applications, rooms[1], fastcnn.applications)
        value = getattr(module_of_network if hasattr(module_of_network, name) else fastcnn.applications, name)
    elif rooms[0] in ("ops", "random"):  # `arrays` has them for arrays
        raise AttributeError(name)
    elif rooms[0] in ROOMS:
        value = getattr(getattr(fastcnn, rooms[0]), name)
    elif rooms[0] == "trainers":
        value = getattr(fastcnn.utils, name)
    else:
        raise AttributeError(name)
    return value


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    root = Path()

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        if fullname == "conftest":
            return importlib.machinery.ModuleSpec(fullname, self)
        first = fullname.partition(".")[0]
        if first in FOREIGN:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        if first != "keras":
            return None
        file = self.root / (fullname.removeprefix("keras").strip(".").replace(".", "/") + ".py")
        if fullname.endswith("_test") or fullname in AS_THEY_ARE:
            return importlib.util.spec_from_file_location(fullname, file)
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: Any) -> types.ModuleType:
        module = KerasModule(spec.name)
        module.__path__ = []
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        if module.__name__ == "conftest":
            module.skip_if_backend = lambda *_: (lambda test: test)  # type: ignore[attr-defined]


def install(root: Path) -> None:
    """Let `import keras` find fastcnn's names from now on, in this process.

    Parameters
    ----------
    root : Path
        The folder of the `keras` package, whose test files are read.
    """
    assert "keras" not in sys.modules, "Keras is imported already"
    _Finder.root = root
    sys.meta_path.insert(0, _Finder())


@contextlib.contextmanager
def loading(backend: str) -> Any:
    """Let decorators that are not there hand back what they decorate: a test file is being loaded."""
    Absent.loading, Absent.backend = True, backend
    try:
        yield
    finally:
        Absent.loading, Absent.backend = False, "fastcnn"
