import numpy as np
import pytest

from fastcnn import geometry as shapes
from fastcnn.kernels import cuda
from tests import reference
from tests.kernels.checking import CLIPPED, LINEAR, RELU, assert_close, inputs_unchanged, random, unwritten
from tests.kernels.cuda.checking import on_cuda

F, NONE = np.float32, np.empty(0, np.float32)
depthwise2d_forward = on_cuda(cuda.depthwise2d_forward)
depthwise2d_backward_input = on_cuda(cuda.depthwise2d_backward_input)
depthwise2d_backward_weights = on_cuda(cuda.depthwise2d_backward_weights)


@pytest.mark.parametrize(("shape", "size", "options"), [
    ((0, 4, 4, 3), (3, 3), {}),
    ((1, 1, 1, 2), (3, 3), {"padding": "same"}),
    ((2, 5, 4, 3), (3, 3), {"padding": "same"}),
    ((1, 7, 6, 5), (3, 2), {"strides": (2, 3), "padding": ((1, 2), (0, 3))}),
    ((1, 8, 7, 2), (2, 3), {"dilation": (3, 2), "strides": (2, 2), "padding": "same"}),
    ((2, 9, 8, 2), (2, 2), {"strides": (3, 3)}),  # pixels that nobody sees
], ids=str)
def test_depthwise_convolution_agrees_with_its_twin(shape, size, options):
    geometry = shapes.conv2d(shape, shape[3], size, groups=shape[3], **options)
    n, oh, ow, c = (int(geometry[0][name]) for name in ("n", "oh", "ow", "c"))
    x, dy, kernel, bias = (random(*one, dtype=F, seed=seed) for seed, one in enumerate((
        shape, (n, oh, ow, c), (*size, 1, c), (c,))))
    y, dx = unwritten(n, oh, ow, c, dtype=F), unwritten(*shape, dtype=F)
    for b, bounds in ((bias, RELU), (NONE, LINEAR), (bias, CLIPPED)):
        with inputs_unchanged(x, kernel, b, dy):
            depthwise2d_forward(y, NONE, x, kernel, b, np.array(bounds, F), geometry)
            depthwise2d_backward_input(dx, NONE, dy, kernel, b, np.array(bounds, F), geometry)
        assert_close(y, reference.depthwise2d_forward(x, kernel, b, bounds, geometry))
        assert_close(dx, reference.depthwise2d_backward_input(dy, kernel, b, bounds, geometry))
    dkernel, dbias = np.full(kernel.shape, 0.5, F), np.full(c, -0.5, F)
    scratch = unwritten(cuda.depthwise2d_backward_weights_scratch(geometry, F), dtype=F)
    with inputs_unchanged(x, dy):
        depthwise2d_backward_weights(dkernel, dbias, scratch, x, dy, geometry)
    expected = reference.depthwise2d_backward_weights(x, dy, geometry)
    assert_close(dkernel, expected[0] + 0.5)
    assert_close(dbias, expected[1] - 0.5)
