"""Kernels out of the disk cache: run as they are, and linked by code that copies them."""

import os
import subprocess
import sys

from tests import processes
from tests.kernels.compile.test_policy import ROOT

_RUN = """
import numpy as np
from numba import njit
from fastcnn.kernels import cpu
a, b, y, z = np.arange(8.0), np.full(8, 2.0), np.zeros(8), np.zeros(8)
cpu.add(y, a, b)
library = cpu.add.overloads[cpu.add.signatures[0]].library
held = type(library).__name__, type(getattr(library, "bitcode", None)).__name__

@njit
def twice(y, a, b):
    cpu_add(y, a, b)
    cpu_add(y, y, b)

cpu_add = cpu.add
twice(z, a, b)
assert (y == a + b).all() and (z == a + b + b).all()
print(*held, type(getattr(library, "bitcode", None)).__name__)
"""


_READ = """
import pathlib, pickle
import llvmlite.binding as llvm
import numpy as np
from fastcnn.kernels import cpu
from fastcnn.kernels.cpu.compile import cache
a = np.arange(8.0)
cpu.add(a.copy(), a, a)
path, = cache.folder().glob("*.add-*.nbc")
symbols, ((name, kind, (code, names)), *more), bitcode = pickle.loads(path.read_bytes()[32:])
seen, defined = ({f.name for f in module.functions if not f.is_declaration and f.linkage.name != "internal"}
                 for module in map(llvm.parse_bitcode, (names, bitcode)))
print(defined <= seen, len(defined) > 0, len(names) * 4 < len(bitcode))
"""


# `activation_forward` calls a function by its name.
_OWN = """
import numpy as np
from numba import njit
from fastcnn.kernels.codes import RELU
from fastcnn.kernels.cpu.elementwise.activation import activation_forward

@njit(cache=True)
def relu(y, x):
    activation_forward(y, x, RELU, 0.0, 0.0)

@njit(cache=True)
def other(x):
    return x + 1

x = np.linspace(-1, 1, 9, dtype=np.float32)
y = np.empty_like(x)
relu(y, x)
assert (y == np.maximum(x, 0)).all() and other(1) == 2
print(sum(relu.stats.cache_hits.values()), sum(other.stats.cache_hits.values()))
"""


def said(text, folder):
    """Return the words that a process prints, whose cache is in a folder."""
    done = processes.code(text, cwd=folder, env=os.environ | {"FASTCNN_CACHE_DIR": str(folder)})
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_bitcode_is_read_when_other_code_copies_a_kernel(tmp_path):
    assert said(_RUN, tmp_path) == ["KernelLibrary", "NoneType", "NoneType"]
    assert said(_RUN, tmp_path) == ["_LoadedLibrary", "bytes", "NoneType"]


def test_a_file_has_the_bitcode_apart_and_names_in_its_place(tmp_path):
    assert said(_READ, tmp_path) == ["True"] * 3


def test_a_function_of_ones_own_that_calls_kernels_is_in_no_cache_of_numbas_and_runs_in_every_process(tmp_path):
    path = tmp_path / "own.py"
    path.write_text(_OWN)
    env = os.environ | {"FASTCNN_CACHE_DIR": str(tmp_path / "kernels"), "NUMBA_CACHE_DIR": str(tmp_path / "numba")}
    for hits in ("0 0", "0 1", "0 1"):
        done = subprocess.run([sys.executable, path], cwd=ROOT, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == hits
        assert 'Cannot cache compiled function "relu"' in done.stderr
        assert '"other"' not in done.stderr
