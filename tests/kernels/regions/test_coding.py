import numpy as np
import pytest

from fastcnn.kernels import region_codes as codes
from fastcnn.kernels.cpu.regions.coding import (
    decode_boxes,
    decode_boxes_backward,
    decode_cells,
    decode_cells_backward,
    encode_boxes,
)
from tests import reference
from tests.kernels.checking import (
    assert_close,
    assert_one_specialization_a_type,
    assert_same_bits,
    inputs_unchanged,
    random,
    types,
    unwritten,
)
from tests.kernels.regions.drawing import boxes

SCALES = np.array([10.0, 10.0, 5.0, 5.0])


def _run(kernel, shape, *inputs):
    y = unwritten(*shape, dtype=inputs[0].dtype)
    with inputs_unchanged(*(one for one in inputs if isinstance(one, np.ndarray))):
        kernel(y, *inputs)
    return y


@types
def test_offsets_agree_with_their_twin_and_come_back(dtype):
    anchors, objects, scales = boxes(7, dtype=dtype), boxes(21, seed=1, dtype=dtype), SCALES.astype(dtype)
    offsets = _run(encode_boxes, (21, 4), objects, anchors, scales)
    assert_close(offsets, reference.encode_boxes(objects, anchors, scales), 4)
    again = _run(decode_boxes, (21, 4), offsets, anchors, scales)
    assert_close(again, reference.decode_boxes(offsets, anchors, scales), 4)
    np.testing.assert_allclose(again, objects, atol=2e-4 if dtype == np.float32 else 1e-12)


@types
def test_gradients_of_offsets_agree_with_their_twin_and_stop_at_the_largest_box(dtype):
    anchors, scales, dy = boxes(5, dtype=dtype), SCALES.astype(dtype), random(10, 4, dtype=dtype, seed=2)
    offsets = random(10, 4, dtype=dtype)
    offsets[0, 2], offsets[1, 3] = 30, 25
    got = _run(decode_boxes_backward, (10, 4), dy, offsets, anchors, scales)
    np.testing.assert_allclose(got, reference.decode_boxes_backward(dy, offsets, anchors, scales),
                               atol=2e-4 if dtype == np.float32 else 1e-6)
    assert got[0, 2] == got[1, 3] == 0
    widest = _run(decode_boxes, (10, 4), np.full((10, 4), 1e30, dtype), anchors, scales)
    assert np.isfinite(widest).all()


@types
@pytest.mark.parametrize("code", [codes.EXPONENTIAL, codes.SQUARED_SIGMOID])
def test_cells_agree_with_their_twin(code, dtype):
    x, priors = random(2, 3, 4, 2, 6, dtype=dtype), np.array([[21, 20], [53.5, 50]], dtype)
    x[0, 0, 0, 0, :4] = 9
    box = _run(decode_cells, (2, 3, 4, 2, 4), x, priors, 16.0, code)
    assert_close(box, reference.decode_cells(x, priors, 16.0, code), 4)
    dy = random(2, 3, 4, 2, 4, dtype=dtype, seed=1)
    dx = _run(decode_cells_backward, x.shape, dy, x, priors, 16.0, code)
    np.testing.assert_allclose(dx, reference.decode_cells_backward(dy, x.astype(np.float64), priors, 16.0, code),
                               atol=1e-3 if dtype == np.float32 else 1e-6)


def test_no_boxes_are_no_offsets():
    none, scales = boxes(0), SCALES.astype(np.float32)
    assert _run(encode_boxes, (0, 4), none, boxes(3), scales).shape == (0, 4)
    assert _run(decode_boxes, (0, 4), none, boxes(3), scales).shape == (0, 4)


def test_the_same_bits_from_any_number_of_threads():
    offsets, anchors, scales = random(9000, 4, dtype=np.float32), boxes(90), SCALES.astype(np.float32)
    x, priors = random(2, 40, 50, 3, 5, dtype=np.float32), np.array([[9, 8], [30, 31], [7, 70]], np.float32)
    assert_same_bits(lambda: (_run(decode_boxes, (9000, 4), offsets, anchors, scales),
                              _run(decode_boxes_backward, (9000, 4), offsets, offsets, anchors, scales),
                              _run(encode_boxes, (9000, 4), boxes(9000), anchors, scales),
                              _run(decode_cells, (2, 40, 50, 3, 4), x, priors, 8.0, 0),
                              _run(decode_cells_backward, x.shape, x[..., :4].copy(), x, priors, 8.0, 1)))


def test_the_kernels_compile_once_a_type():
    assert_one_specialization_a_type(encode_boxes, decode_boxes, decode_boxes_backward, decode_cells,
                                     decode_cells_backward)
