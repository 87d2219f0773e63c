import numpy as np
import pytest

from fastcnn.errors import ArgumentError
from fastcnn.geometry import resize as shapes
from fastcnn.kernels.cpu.layout.padding import pad3d_backward, pad3d_forward
from tests import reference
from tests.kernels.checking import (
    TYPES,
    assert_close,
    assert_one_specialization_a_type,
    assert_same_bits,
    inputs_unchanged,
    random,
    types,
    unwritten,
)

NONE = (0, 0)


def _check(shape, padding, mode, dtype, value=0.0):
    geometry = shapes.pad3d(shape, padding, mode, value=value)
    x = random(*shape, dtype=dtype)
    y = unwritten(*(int(geometry[0][name]) for name in ("n", "od", "oh", "ow", "c")), dtype=dtype)
    with inputs_unchanged(x):
        pad3d_forward(y, x, geometry)
    np.testing.assert_array_equal(y, reference.pad3d_forward(x, geometry))
    dy, dx = random(*y.shape, dtype=dtype, seed=1), unwritten(*shape, dtype=dtype)
    with inputs_unchanged(dy):
        pad3d_backward(dx, dy, geometry)
    assert_close(dx, reference.pad3d_backward(dy, geometry))


@types
@pytest.mark.parametrize("mode", shapes.PAD_MODES)
@pytest.mark.parametrize(("shape", "padding"), [
    ((0, 1, 2, 2, 1), (NONE, NONE, NONE)),
    ((2, 1, 1, 5, 3), (NONE, NONE, (4, 3))),
    ((2, 1, 4, 3, 5), (NONE, (3, 1), (0, 2))),
    ((1, 3, 2, 4, 2), ((2, 1), (1, 1), (2, 3))),
    ((1, 3, 5, 4, 2), ((-1, 1), (2, -3), (-2, 0))),
], ids=str)
def test_padding_agrees_with_its_twin(shape, padding, mode, dtype):
    _check(shape, padding, mode, dtype)


@types
@pytest.mark.parametrize("value", [1.5, -np.inf])
def test_a_border_of_a_value_agrees_with_its_twin(value, dtype):
    _check((2, 1, 4, 3, 5), (NONE, (3, 1), (0, 2)), "zero", dtype, value)
    _check((1, 2, 1, 2, 3), ((1, 0), (-1, 1), (2, -1)), "zero", dtype, value)


@types
def test_borders_wider_than_the_image_agree_with_their_twins(dtype):
    for mode in ("zero", "edge", "wrap"):
        _check((2, 2, 1, 3, 2), ((3, 5), (4, 0), (7, 4)), mode, dtype)
        _check((2, 2, 3, 2, 3), ((9, -1), (-1, 9), (20, -1)), mode, dtype)  # very many copies of some pixels
        _check((1, 3, 1, 2, 1), ((-2, 8), (5, 6), (-1, 30)), mode, dtype)
    _check((2, 1, 1, 3, 2), (NONE, NONE, (5, -7)), "zero", dtype)
    _check((2, 1, 1, 3, 2), (NONE, NONE, (-5, 3)), "zero", dtype)


def test_padding_gives_the_same_bits_from_any_number_of_threads():
    shape = (2, 6, 40, 40, 8)
    geometry = shapes.pad3d(shape, ((1, 2), (3, 3), (2, 1)), "reflect")
    x, y = random(*shape, dtype=np.float32), np.empty((2, 9, 46, 43, 8), np.float32)
    dx = np.empty_like(x)

    def run():
        pad3d_forward(y, x, geometry)
        pad3d_backward(dx, y, geometry)
        return y, dx

    assert_same_bits(run)


def test_padding_refuses_what_makes_no_image():
    with pytest.raises(ArgumentError, match="something to be left"):
        shapes.pad3d((1, 1, 2, 2, 1), (NONE, (-1, -1), NONE))
    with pytest.raises(ArgumentError, match="mirrored border smaller"):
        shapes.pad3d((1, 1, 2, 2, 1), (NONE, (2, 0), NONE), "reflect")
    with pytest.raises(ArgumentError, match="mode"):
        shapes.pad3d((1, 1, 2, 2, 1), (NONE, NONE, NONE), "mirror")


def test_padding_compiles_once_a_type():
    for dtype in TYPES:
        _check((1, 1, 2, 2, 1), (NONE, NONE, NONE), "zero", dtype)
    assert_one_specialization_a_type(pad3d_forward, pad3d_backward)
