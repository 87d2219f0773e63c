import numpy as np
import pytest

from fastcnn import geometry as shapes
from fastcnn.kernels import cpu
from tests import reference
from tests.kernels.checking import (
    LINEAR,
    RELU,
    TYPES,
    assert_close,
    assert_one_specialization_a_type,
    assert_same_bits,
    assert_within,
    inputs_unchanged,
    random,
    types,
    unwritten,
)


def _forward(shape, filters, *, dtype=np.float32, further=0, gates=False, adds=False, relu=1, bounds=LINEAR):
    """The output, which filters packed before give to the bit, and that of the twin."""
    n, h, w, c = shape
    g, rows = shapes.conv2d(shape, filters, (1, 1)), n * h * w
    kind = np.dtype(dtype)
    x, kernel = random(rows, c + further, dtype=dtype), random(1, 1, c, filters, dtype=dtype, seed=1)
    scale, offset = random(n if gates else 1, c, dtype=dtype, seed=2), random(0 if gates else c, dtype=dtype, seed=3)
    bias, addend = random(filters, dtype=dtype, seed=4), random(rows * filters if adds else 0, dtype=dtype, seed=5)
    scratch = unwritten(cpu.scaled_conv2d_forward_scratch(g, kind), dtype=dtype)
    packed = unwritten(cpu.scaled_conv2d_forward_packed(g, kind), dtype=dtype)
    inputs, outputs = (x, scale, offset, kernel, bias, addend, np.array(bounds, dtype)), []
    for ready in (0, 1):
        y = unwritten(rows, filters, dtype=dtype)
        with inputs_unchanged(*inputs):
            cpu.scaled_conv2d_forward(y, scratch, packed, *inputs, relu, ready, g)
        outputs.append(y)
        assert_within(scratch)
        assert_within(packed)
    assert outputs[0].tobytes() == outputs[1].tobytes()
    return outputs[0], reference.scaled_conv2d_forward(*inputs, relu, g)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(("shape", "filters", "options"), [
    ((0, 5, 5, 3), 8, {}),
    ((1, 1, 1, 1), 1, {}),
    ((2, 3, 5, 7), 9, {"further": 4, "bounds": RELU}),
    ((1, 9, 8, 40), 70, {"further": 25, "adds": True}),
    ((3, 4, 5, 33), 17, {"gates": True, "adds": True}),
    ((2, 9, 9, 24), 40, {"relu": 0, "bounds": RELU}),
    ((3, 7, 9, 33), 10, {"gates": True, "relu": 0, "adds": True, "further": 5, "bounds": RELU}),
    ((0, 7, 9, 33), 10, {"gates": True, "relu": 0}),
])
def test_the_output_is_that_of_a_pass_and_a_convolution(shape, filters, options, dtype):
    assert_close(*_forward(shape, filters, dtype=dtype, **options))


@types
def test_several_bands_and_parts_of_the_filters(dtype):
    """Images whose borders lie within bands, and more channels than a band of one tile has room for."""
    assert_close(*_forward((3, 13, 11, 200), 130, dtype=dtype, gates=True))
    assert_close(*_forward((1, 5, 6, 5000), 40, dtype=dtype, further=3), factor=4)


@types
def test_many_pixels_have_scaled_filters(dtype):
    """One block of filters and several, in several bands of an image; or too many channels for a thread's memory."""
    for shape, filters in (((3, 30, 31, 144), 24), ((1, 40, 41, 100), 96), ((1, 45, 3, 3000), 30)):
        assert_close(*_forward(shape, filters, dtype=dtype, gates=True, relu=0), factor=2)


def test_one_gate_for_all_images_is_a_gate_for_each():
    given, (n, h, w, c), filters = {"relu": 0, "gates": True}, (2, 12, 13, 50), 20
    one, two = _forward((1, h, w, c), filters, **given)[0], _forward((n, h, w, c), filters, **given)[0]
    assert np.array_equal(two[:h * w], one)


def test_nan_stays_nan_behind_the_relu():
    g = shapes.conv2d((1, 1, 2, 2), 8, (1, 1))
    x, y = np.array([[np.nan, 1], [-1, 1]], np.float32), unwritten(2, 8, dtype=np.float32)
    kind = np.dtype(np.float32)
    cpu.scaled_conv2d_forward(
        y, unwritten(cpu.scaled_conv2d_forward_scratch(g, kind), dtype=np.float32),
        unwritten(cpu.scaled_conv2d_forward_packed(g, kind), dtype=np.float32), x, np.ones((1, 2), np.float32),
        np.zeros(2, np.float32), np.ones((1, 1, 2, 8), np.float32), np.zeros(0, np.float32), np.zeros(0, np.float32),
        np.array(LINEAR, np.float32), 1, 0, g)
    assert np.isnan(y[0]).all()
    assert (y[1] == 1).all()


def test_any_number_of_threads_gives_the_same_bits():
    assert_same_bits(lambda: [_forward((2, 17, 19, 100), 96, gates=True)[0], _forward((1, 7, 7, 500), 128)[0],
                              _forward((3, 37, 29, 100), 96, gates=True, relu=0)[0]])


def test_it_suits_windows_of_one_pixel():
    assert cpu.scaled_conv2d_suits(shapes.conv2d((1, 8, 8, 16), 16, (1, 1)))
    for size, strides, groups, filters in ((3, 1, 1, 16), (1, 2, 1, 16), (1, 1, 2, 16), (1, 1, 1, 4)):
        assert not cpu.scaled_conv2d_suits(
            shapes.conv2d((1, 8, 8, 16), filters, (size, size), (strides, strides), groups=groups))


def test_two_types_make_two_specializations():
    for dtype in TYPES:
        _forward((1, 2, 2, 3), 8, dtype=dtype)
    assert_one_specialization_a_type(cpu.scaled_conv2d_forward)
