"""Images padded to what divides and cut back: values, gradients of copies, sizes left open, what is refused."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError


@pytest.mark.parametrize(("mode", "numpy_mode"), [("edge", "edge"), ("zero", "constant")])
@pytest.mark.parametrize("size", [(3, 8), (4, 4), (1, 1), (9, 5)])
def test_a_border_is_numpys(size, mode, numpy_mode):
    x = np.random.default_rng(0).random((2, *size, 3), np.float32)
    got = layers.PadToMultiple(4, mode)(x)
    want = np.pad(x, ((0, 0), (0, -size[0] % 4), (0, -size[1] % 4), (0, 0)), mode=numpy_mode)
    np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(layers.CropLike()([got, x]), x)


def test_a_pixel_gets_the_gradients_of_its_copies():
    layer = layers.PadToMultiple(4)
    x = np.ones((1, 3, 3, 1), np.float32)
    layer.build(x.shape)
    _, back = layer.forward(x)
    np.testing.assert_array_equal(back(np.ones((1, 4, 4, 1), np.float32))[0, ..., 0], [[1, 1, 2], [1, 1, 2], [2, 2, 4]])


def test_a_network_of_open_sizes_learns_on_sizes_that_do_not_divide():
    fc.utils.set_random_seed(1)
    x = fc.Input((None, None, 1))
    y = layers.Conv2DTranspose(1, 2, strides=2)(layers.Conv2D(4, 2, strides=2, activation="relu")(
        layers.PadToMultiple(2)(x)))
    model = fc.Model(x, layers.CropLike()([y, x]))
    model.compile(fc.optimizers.Adam(0.02), "mse")
    assert model.output_shape == (None, None, None, 1)
    first = second = None
    for _ in range(60):
        for size in ((5, 7), (8, 3)):
            images = np.random.default_rng(size[0]).random((4, *size, 1), np.float32)
            second = model.train_on_batch(images, 1 - images)
            first = second if first is None else first
    assert second < 0.5 * first


@pytest.mark.parametrize(("call", "text"), [
    (lambda: layers.PadToMultiple(0), "expected multiple to be a positive integer, got 0"),
    (lambda: layers.PadToMultiple(4, "reflect"), "mode: 'reflect' is not known; known are edge, zero"),
    (lambda: layers.CropLike().compute_output_shape(((None, 4, 4, 1), (None, 5, 4, 1))), "others that are not larger"),
    (lambda: layers.CropLike().compute_output_shape(((None, 4, 4, 1),)), "expected images"),
])
def test_what_cannot_be_is_refused(call, text):
    with pytest.raises(ArgumentError, match=text):
        call()
