import numpy as np

from fastcnn import device
from fastcnn.operations.quantized import of_range, quantize_dequantize, straight_through


def test_bounds_of_float64_are_floats_so_that_no_kernel_is_compiled_for_integers():
    q, x = of_range(-1, 3), np.linspace(-2, 4, 25)
    with device.cpu.recording() as calls:
        y, _ = straight_through(x, q)
    bounds = [args[3:] for kernel, args in calls if kernel is device.cpu.library.activation_forward]
    assert len(bounds) == 2
    assert all(type(bound) is float for each in bounds for bound in each)
    np.testing.assert_array_equal(y, quantize_dequantize(x, q))
    np.testing.assert_allclose(y, np.clip(x, *q.range), atol=0.51 * q.scale)
