"""Laws for all kernels: each has a twin and documents what it takes, and runs as plain Python too."""

import importlib
import inspect
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fastcnn.kernels import cpu
from fastcnn.kernels.cpu.compile.cache import sources
from fastcnn.kernels.cpu.compile.policy import registry
from tests import reference
from tests.kernels.checking import assert_vectors

for module in pkgutil.walk_packages(cpu.__path__, "fastcnn.kernels.cpu."):
    importlib.import_module(module.name)

KERNELS = {name: kernel for name, kernel in registry.items() if kernel.__module__.startswith("fastcnn.")}
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_every_kernel_has_a_twin(name):
    twin = getattr(reference, name.rpartition(".")[2], None)
    assert inspect.isfunction(twin), f"tests/reference.py has no twin of {name}"
    wanted = list(inspect.signature(KERNELS[name].py_func).parameters)
    taken = [parameter for parameter in inspect.signature(twin).parameters if parameter in wanted]
    assert taken == [parameter for parameter in wanted if parameter in taken], "in the kernel's order"


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_every_kernel_is_public_under_its_name(name):
    assert getattr(cpu, name.rpartition(".")[2]) is KERNELS[name]


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_every_kernel_says_what_it_does_and_names_only_what_it_takes(name):
    kernel = KERNELS[name].py_func
    assert kernel.__doc__, name
    documented = re.findall(r"^    (\w+(?:, \w+)*)(?: :|$)", kernel.__doc__.partition("----------\n")[2], re.M)
    names = [each for line in documented for each in line.split(", ")]
    assert names in ([], list(inspect.signature(kernel).parameters))


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_the_stamp_of_a_kernel_in_the_cache_takes_in_every_function_its_files_use(name):
    seen = sources(Path(KERNELS[name].py_func.__code__.co_filename).resolve())
    modules = [module for module in sys.modules.values() if Path(getattr(module, "__file__", None) or "") in seen]
    assert len(modules) == len(seen)
    for module in modules:
        for thing in vars(module).values():
            function = getattr(thing, "py_func", thing)
            if inspect.isfunction(function) and function.__module__.startswith("fastcnn.kernels."):
                assert Path(sys.modules[function.__module__].__file__) in seen, f"{module} uses {function.__name__}"


PLAIN = ["augmentation/test_patches.py", "augmentation/test_tones.py", "conv/test_depth.py", "elementwise",
         "evaluation",
         "layout/test_arrays.py", "layout/test_padding.py", "layout/test_resize.py",
         "layout/test_top_rows.py", "losses", "normalization", "optimizers", "pooling", "regions"]


def test_kernels_agree_with_their_twins_as_plain_python():
    """A variable that is set in one branch alone is garbage to Numba, and an error to Python."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-k", "twin",
         *(f"tests/kernels/{tests}" for tests in PLAIN)],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    for tests in PLAIN:
        assert re.search(rf"^tests/kernels/{tests}\b.* PASSED", done.stdout, re.M), f"no test of {tests}"


FLAT, ROWS = np.zeros(8, np.float32), np.zeros((4, 8), np.float32)
HOT = {
    "elementwise.dropout.dropout": (FLAT, FLAT, 0.5, 1, 1),
    "optimizers.penalty.penalty": (np.zeros(1), FLAT, np.zeros(64), FLAT, 0.1, 0.1),
    "optimizers.descent.adam": (FLAT, FLAT, FLAT, FLAT, FLAT, 0.001, 0.9, 0.999, 1e-7, 1, 0.0, True),
    "optimizers.descent.sgd": (FLAT, FLAT, FLAT, 0.1, 0.9, False, 0.0, True),
    "optimizers.adaptive.adaptive_step": (FLAT, FLAT, FLAT, FLAT, FLAT, 3, *[0.5] * 7, True),
}


@pytest.mark.parametrize("name", HOT)
def test_loops_of_float32_become_vector_instructions(name):
    """Compiled once more, since code from the cache cannot be looked at; nothing but the assembly shows this fault."""
    assert_vectors(KERNELS[name].py_func, *HOT[name])
