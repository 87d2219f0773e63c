"""Kernels out of the disk cache: run as they are, and linked by code that copies them."""

import os

from tests import processes

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


def said(text, folder):
    """Return the words that a process prints, whose cache is in a folder."""
    done = processes.code(text, cwd=folder, env=os.environ | {"FASTCNN_CACHE_DIR": str(folder)})
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_bitcode_is_read_when_other_code_copies_a_kernel(tmp_path):
    assert said(_RUN, tmp_path) == ["JITCodeLibrary", "NoneType", "NoneType"]
    assert said(_RUN, tmp_path) == ["_LoadedLibrary", "bytes", "NoneType"]


def test_a_file_has_the_bitcode_apart_and_names_in_its_place(tmp_path):
    assert said(_READ, tmp_path) == ["True"] * 3
