"""The rules of the house: who may import whom, and documented parameters are the actual ones."""

import ast
import importlib
import inspect
import re
from pathlib import Path

import pytest

import fastcnn as fc

PACKAGE = Path(fc.__file__).parent

# A module imports only from a lower rank, or from its own package; the longest prefix counts.
RANKS = {
    "fastcnn": -1, "fastcnn.errors": 0, "fastcnn._aside": 0, "fastcnn._interrupts": 0, "fastcnn._warnings": 0,
    "fastcnn.absent": 0.5, "fastcnn.config": 0.7, "fastcnn.geometry": 1, "fastcnn.random": 1, "fastcnn._files": 1,
    "fastcnn.kernels": 1, "fastcnn.kernels.cpu.compile": 2, "fastcnn.kernels.cpu.simd": 2.1,
    **{f"fastcnn.kernels.cpu.{room}": 2.2
       for room in ("gemm", "elementwise", "pooling", "normalization", "layout", "optimizers", "peak")},
    **{f"fastcnn.kernels.cpu.{room}": 2.3 for room in ("conv", "winograd", "depthwise", "losses")},
    "fastcnn.kernels.cpu.fused": 2.4, "fastcnn.kernels.cpu": 2.9, "fastcnn.device": 3, "fastcnn.initializers": 3,
    "fastcnn.symbolic": 3, "fastcnn.operations": 4.5,
    "fastcnn.activations": 4.7, "fastcnn.regularizers": 4, "fastcnn.parameters": 4, "fastcnn.layers": 5,
    "fastcnn.losses": 5, "fastcnn.optimizers": 5, "fastcnn.metrics": 5, "fastcnn.datasets": 5, "fastcnn.callbacks": 6,
    "fastcnn.utils": 6, "fastcnn.objective": 6, "fastcnn.samples": 6, "fastcnn.graph": 6.5, "fastcnn.training": 7,
    "fastcnn.models": 8, "fastcnn.saving": 8, "fastcnn.applications": 9, "fastcnn.onnx": 9, "fastcnn.bench": 9,
    "fastcnn.cli": 10, "fastcnn.__main__": 11,
}  # fmt: skip


def _room(module):
    parts = module.split(".")
    for end in range(len(parts), 0, -1):
        name = ".".join(parts[:end])
        if name in RANKS:
            return name
    raise AssertionError(f"{module} has no rank")


def _modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        yield name, path


def _imports(path):
    """Imports that run with the module: those inside functions are lazy on purpose, as those for type checkers."""
    tree = ast.parse(path.read_text())
    skipped = {id(n) for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.If)) for n in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                child = PACKAGE.parent.joinpath(*node.module.split("."), alias.name)
                is_module = child.is_dir() or child.with_suffix(".py").is_file()
                yield f"{node.module}.{alias.name}" if is_module else node.module


@pytest.mark.parametrize(("module", "path"), list(_modules()), ids=lambda v: v if isinstance(v, str) else "")
def test_a_module_imports_only_from_lower_rooms(module, path):
    here = _room(module)
    for imported in _imports(path):
        if imported.split(".")[0] == "fastcnn" and imported != "fastcnn":
            room = _room(imported)
            assert room == here or RANKS[room] < RANKS[here], f"{module} (room {here}) imports {imported} (room {room})"


def test_only_the_device_imports_the_kernels_of_a_device():
    for module, path in _modules():
        if not module.startswith(("fastcnn.kernels", "fastcnn.device", "fastcnn.cli")):
            assert not any(i.startswith("fastcnn.kernels.cpu") for i in _imports(path)), module


def test_no_function_of_a_kernel_is_longer_than_200_lines_and_every_file_explains_itself():
    for path in sorted((PACKAGE / "kernels" / "cpu").rglob("*.py")):
        tree = ast.parse(path.read_text())
        assert ast.get_docstring(tree), path
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                assert node.end_lineno - node.lineno < 200, f"{path}: {node.name}"


def test_no_kernel_spells_a_compile_flag():
    for module, path in _modules():
        if module.startswith("fastcnn.kernels.cpu.") and not module.startswith("fastcnn.kernels.cpu.compile"):
            flags = re.search(r"\b(njit|jit|prange)\b\(|\b(parallel|fastmath|cache)\s*=\s*[T{F]", path.read_text())
            assert flags is None, module


def _documented():
    rooms = [fc.activations, fc.layers, fc.losses, fc.optimizers, fc.metrics, fc.initializers, fc.regularizers,
             fc.geometry, fc.utils, fc.parameters, fc.models, fc.saving, fc.datasets, fc.applications, fc.device,
             fc.config, *(
                 importlib.import_module(f"fastcnn.bench.{name}") for name in ("machine", "layers", "judge", "plot"))]
    for room in rooms:
        for name, thing in vars(room).items():
            if not name.startswith("_") and getattr(thing, "__module__", "").startswith("fastcnn") and (
                    inspect.isclass(thing) or inspect.isfunction(thing)):
                yield f"{room.__name__}.{name}", thing
                if inspect.isclass(thing):
                    for method, function in vars(thing).items():
                        if inspect.isfunction(function) and not method.startswith("_"):
                            yield f"{room.__name__}.{name}.{method}", function


@pytest.mark.parametrize(("name", "thing"), list(dict(_documented()).items()),
                         ids=lambda v: v if isinstance(v, str) else "")
def test_documented_parameters_are_the_actual_ones(name, thing):
    ends = "Returns|Raises|Attributes|Yields|Notes|Examples|References"
    section = re.search(rf"Parameters\n-+\n(.*?)(?:\n\n?(?:{ends})\n-+|\Z)",
                        inspect.getdoc(thing) or "", re.S)
    if section is None:
        return
    documented = [n.strip().lstrip("*") for line in re.findall(r"^(\w[\w, *]*) ?:", section[1], re.M)
                  for n in line.split(",")]
    function = thing.__init__ if inspect.isclass(thing) else getattr(thing, "py_func", thing)
    actual = [p for p in inspect.signature(function).parameters if p not in ("self", "cls")]
    if inspect.isclass(thing) and "__init__" not in vars(thing) and hasattr(thing, "_fields"):
        actual = list(thing._fields)
    assert documented, name
    assert set(documented) <= set(actual), f"{name} documents {set(documented) - set(actual)}"


def test_importing_the_package_imports_nothing_heavy():
    import subprocess
    import sys

    code = "import fastcnn, sys; print([m for m in ('numpy', 'numba', 'rich', 'click') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
