"""Kernels need no BLAS, and whoever needs one beside them finds it."""

import subprocess
import sys

CODE = """
import gc, sys
import numpy as np
import fastcnn as fc
fc.layers.Dense(1)
print("scipy.linalg" in sys.modules, gc.isenabled())
from numba import njit
print(njit(lambda a: np.dot(a, a))(np.eye(2)).tolist(), "scipy.linalg" in sys.modules)
"""


def test_kernels_import_no_scipy_and_a_user_s_product_does():
    import scipy.linalg  # noqa: F401  (of the tests' environment)

    printed = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True).stdout
    assert printed.splitlines() == ["False True", "[[1.0, 0.0], [0.0, 1.0]] True"]
