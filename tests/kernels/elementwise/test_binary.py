import numpy as np
import pytest

from fastcnn.kernels import tensor_codes
from fastcnn.kernels.cpu.elementwise.binary import binary_forward
from tests import reference
from tests.kernels.checking import (
    TYPES,
    assert_close,
    assert_one_specialization_a_type,
    assert_same_bits,
    inputs_unchanged,
    many,
    random,
    types,
    unwritten,
)

CODES = {name: getattr(tensor_codes, name) for name in ("QUOTIENT", "POWER_OF", "REMAINDER", "WHOLE_QUOTIENT")}
every_code = pytest.mark.parametrize("code", CODES.values(), ids=CODES.keys())


def _run(a, b, code):
    y = unwritten(max(a.size, b.size) if a.size and b.size else 0, dtype=a.dtype)
    with inputs_unchanged(a, b):
        binary_forward(y, a, b, code)
    return y


@types
@every_code
@pytest.mark.parametrize(("of_a", "of_b"), [(0, 0), (1, 1), (37, 37), (37, 1), (1, 37), (70_003, 70_003), (70_003, 1)])
def test_two_arrays_agree_with_the_twin(code, of_a, of_b, dtype):
    a, b = (3 * random(many(n), dtype=dtype, seed=k) for k, n in enumerate((of_a, of_b)))
    b = np.where(np.abs(b) < 0.1, dtype(0.1), b)
    if code == tensor_codes.POWER_OF:
        a = np.abs(a) + dtype(0.1)
    assert_close(_run(a, b, code), reference.binary_forward(a, b, code), factor=2)


@types
@every_code
def test_whole_numbers_zeros_infinities_and_nan_have_numpy_s_values(code, dtype):
    special = np.array([np.nan, np.inf, -np.inf, 0.0, 3, -3, 7, -7, 0.5, 1e-3], dtype)
    a, b = (one.reshape(-1) for one in np.meshgrid(special, special))
    known = {tensor_codes.QUOTIENT: np.divide, tensor_codes.POWER_OF: np.power}.get(code)
    if known is None:  # NumPy's words on infinite numbers differ from C's: the finite are Python's
        finite = np.isfinite(a) & np.isfinite(b) & (b != 0)
        a, b = np.ascontiguousarray(a[finite]), np.ascontiguousarray(b[finite])
        known = {tensor_codes.REMAINDER: np.mod, tensor_codes.WHOLE_QUOTIENT: np.floor_divide}[code]
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(_run(a, b, code), known(a, b), rtol=1e-6)


@every_code
def test_the_same_bits_from_any_number_of_threads(code):
    a, b = np.abs(random(200_001, dtype=np.float32)), random(200_001, dtype=np.float32, seed=1)
    assert_same_bits(lambda: (_run(a, b, code),))


def test_the_kernel_compiles_once_a_type():
    for dtype in TYPES:
        _run(random(3, dtype=dtype), random(3, dtype=dtype), tensor_codes.QUOTIENT)
    assert_one_specialization_a_type(binary_forward)
