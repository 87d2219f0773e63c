"""Laws for all kernels of CUDA: the names, the arguments and what stands beside them are the CPU's."""

import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

from fastcnn.kernels import cpu, cuda
from fastcnn.kernels.cuda.compile.kernel import launchers, registry
from fastcnn.kernels.cuda.compile.shim import sized

for module in pkgutil.walk_packages(cuda.__path__, "fastcnn.kernels.cuda."):
    if not module.name.startswith("fastcnn.kernels.cuda.compile"):
        importlib.import_module(module.name)

NAMES = sorted(launchers)
FILES = [path for path in Path(cuda.__path__[0]).rglob("*.py")
         if "compile" not in path.parts and path.name != "__init__.py"]


def _parameters(kernel):
    return list(inspect.signature(getattr(kernel, "py_func", kernel)).parameters)


@pytest.mark.parametrize("name", NAMES)
def test_a_launcher_has_the_name_the_arguments_and_the_places_of_the_cpu_s_kernel(name):
    public = name.rpartition(".")[2]
    mine, other = launchers[name], getattr(cpu, public)
    assert getattr(cuda, public) is mine
    assert _parameters(mine) == _parameters(other)
    assert mine.in_place == other.in_place
    assert mine.__doc__


@pytest.mark.parametrize("name", NAMES)
def test_what_tells_sizes_beside_a_kernel_stands_beside_it_here_too(name):
    public = name.rpartition(".")[2]
    for beside in (one for one in cpu.__all__ if one.startswith(f"{public}_")):
        if beside.rpartition("_")[2] in ("scratch", "packed", "suits", "saved", "type", "block"):
            assert _parameters(getattr(cuda, beside)) == _parameters(getattr(cpu, beside)), beside


def test_every_public_name_is_there():
    assert sorted(cuda.__all__) == cuda.__all__
    assert {name.rpartition(".")[2] for name in launchers} <= set(cuda.__all__) <= set(cpu.__all__)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_only_the_shim_knows_numba_s_target(path):
    text = path.read_text()
    assert "numba" not in text.replace("NUMBA_", "")
    assert text.startswith('"""')


def test_every_kernel_says_what_it_does_and_blocks_are_small_here():
    assert sized(256, 4) == 4
    assert [name for name, kernel in registry.items() if not kernel.function.__doc__] == []
