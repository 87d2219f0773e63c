"""The walls of the room: layers know no kernel, operations no layer, and nobody looks a kernel up by its name."""

import ast
from pathlib import Path

import pytest

import fastcnn as fc

PACKAGE = Path(fc.__file__).parent
LOOKUPS = ("getattr", "vars", "attrgetter", "methodcaller", "hasattr")
INSIDE = ("__dict__", "__getattribute__", "__getattr__")


def _files(*rooms):
    return [path for room in rooms for path in sorted((PACKAGE / room).rglob("*.py"))]


def _name(path):
    return str(path.relative_to(PACKAGE))


def _is_kernels(node):
    """Return whether an expression ends in what kernels are kept in: `d.kernels`, `device.cpu.library`, ..."""
    return ast.unparse(node).rpartition(".")[2] in ("kernels", "library", "_kernels", "_cpu_kernels")


def by_name(tree):
    """Yield where kernels are looked up by their names, in any spelling."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            of_a_call = isinstance(node.func, ast.Call)  # attrgetter("add")(d.kernels)
            looks = of_a_call or ast.unparse(node.func).rpartition(".")[2] in LOOKUPS
            found = looks and any(map(_is_kernels, node.args))
        elif isinstance(node, ast.Attribute):
            found = node.attr in INSIDE and _is_kernels(node.value)
        else:
            found = isinstance(node, ast.Subscript) and _is_kernels(node.value)
        if found:
            yield node.lineno


def test_no_kernel_is_looked_up_by_a_string():
    found = {_name(path): list(by_name(ast.parse(path.read_text()))) for path in _files("")}
    assert [name for name, lines in found.items() if lines] == ["kernel_recorder.py"]


def test_the_recorder_alone_asks_for_kernels_by_name():
    assert len(list(by_name(ast.parse((PACKAGE / "kernel_recorder.py").read_text())))) == 1


@pytest.mark.parametrize("code", [
    "getattr(d.kernels, step.kernel)(x)", "vars(kernels)[name]", "attrgetter(name)(device.of(x).kernels)",
    "operator.methodcaller(name, x)(kernels)", "d.kernels.__dict__[name]", "d.kernels.__getattribute__(name)",
    "kernels[name]", "getattr(device.cpu.library, name)",
])
def test_a_lookup_is_seen_in_any_spelling(code):
    assert list(by_name(ast.parse(code)))


@pytest.mark.parametrize("path", _files("layers"), ids=_name)
def test_a_layer_hands_arrays_over_and_knows_neither_kernels_nor_the_device(path):
    tree = ast.parse(path.read_text())
    imported = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            imported += [f"{node.module}.{alias.name}" for alias in node.names]
        assert not (isinstance(node, ast.Attribute) and node.attr == "kernels"), node.lineno
    assert not [name for name in imported if name.startswith("fastcnn.kernels")]
    # What kernels cannot read is copied, what users give is taken, what a loss is added to is read, and so is what a
    # layer adapts to.
    if path.name not in ("building.py", "taking.py", "added_loss.py", "running_statistics.py"):
        assert "fastcnn.device" not in imported


@pytest.mark.parametrize("path", _files("operations"), ids=_name)
def test_an_operation_is_given_arrays_and_parameters_never_a_layer(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.arg):
            assert node.arg not in ("layer", "layers"), node.lineno
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            assert "layers" not in ast.unparse(node)
