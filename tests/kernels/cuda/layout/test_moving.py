import numpy as np
import pytest

from fastcnn.geometry import interpolation
from fastcnn.geometry import resize as shapes
from fastcnn.geometry.permutation import permutation
from fastcnn.kernels import cuda
from tests import reference
from tests.kernels.checking import assert_close, inputs_unchanged, random, unwritten
from tests.kernels.cuda.checking import on_cuda

F, NONE = np.float32, (0, 0)
permute, resize2d = on_cuda(cuda.permute), on_cuda(cuda.resize2d)
pad3d_forward, pad3d_backward = on_cuda(cuda.pad3d_forward), on_cuda(cuda.pad3d_backward)


# A matrix in tiles with edges on both sides, several of them; narrow ones; runs; all turned round; nothing; a view.
@pytest.mark.parametrize(("shape", "axes"), [
    ((9, 6), (1, 0)), ((2, 5, 3, 7), (0, 3, 1, 2)), ((2, 5, 4, 3), (0, 3, 1, 2)), ((2, 3, 5, 4), (0, 2, 3, 1)),
    ((2, 3, 4, 5), (0, 2, 1, 3)), ((2, 3, 2, 3, 2, 3), (5, 4, 3, 2, 1, 0)), ((2, 1, 3, 2, 2, 3), (4, 2, 0, 3, 1, 5)),
    ((0, 3, 4), (0, 2, 1)), ((7,), (0,)), ((2, 3, 4), (0, 1, 2)),
], ids=str)
def test_permuting_agrees_with_its_twin(shape, axes):
    x = random(*shape, dtype=F)
    y = unwritten(x.size, dtype=F)
    with inputs_unchanged(x):
        permute(y, x.reshape(-1), permutation(shape, axes))
    np.testing.assert_array_equal(y, np.transpose(x, axes).reshape(-1))


@pytest.mark.parametrize("mode", shapes.PAD_MODES)
@pytest.mark.parametrize(("shape", "padding"), [
    ((0, 1, 2, 2, 1), (NONE, NONE, NONE)),
    ((1, 1, 4, 3, 2), (NONE, (3, 1), (0, 2))),
    ((1, 3, 2, 4, 1), ((2, 1), (1, 1), (2, 3))),
    ((1, 3, 5, 4, 1), ((-1, 1), (2, -3), (-2, 0))),
], ids=str)
def test_padding_agrees_with_its_twin(shape, padding, mode):
    geometry = shapes.pad3d(shape, padding, mode, value=1.5 if mode == "constant" else 0.0)
    x, dx = random(*shape, dtype=F), unwritten(*shape, dtype=F)
    y = unwritten(*(int(geometry[0][name]) for name in ("n", "od", "oh", "ow", "c")), dtype=F)
    dy = random(*y.shape, dtype=F, seed=1)
    with inputs_unchanged(x, dy):
        pad3d_forward(y, x, geometry)
        pad3d_backward(dx, dy, geometry)
    np.testing.assert_array_equal(y, reference.pad3d_forward(x, geometry))
    assert_close(dx, reference.pad3d_backward(dy, geometry))


def linear(length, outputs, dtype):
    return interpolation.interpolation_taps(length, outputs, outputs / length, interpolation.LINEAR, dtype)


@pytest.mark.parametrize("taps", [linear, shapes.adaptive_taps])
@pytest.mark.parametrize(("shape", "size"), [
    ((0, 2, 2, 1), (4, 4)), ((2, 1, 1, 3), (2, 3)), ((1, 4, 3, 2), (6, 2)), ((1, 5, 4, 3), (2, 7))], ids=str)
def test_resizing_agrees_with_its_twin(shape, size, taps):
    forward = taps(shape[1], size[0], np.dtype(F))[0], taps(shape[2], size[1], np.dtype(F))[0]
    tables = *forward[0], *forward[1]
    x, y = random(*shape, dtype=F), unwritten(shape[0], *size, shape[3], dtype=F)
    with inputs_unchanged(x, *tables):
        resize2d(y, x, *tables)
    assert_close(y, reference.resize2d(x, *tables))
