"""What the laws do not say of pooling, padding and upsampling: what is refused, and that fusing leaves them alone."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError


@pytest.mark.parametrize(("make", "shape", "message"), [
    (lambda: layers.MaxPooling2D(3), (2, 5, 1), "expected an input that a window of 3x3 .* fits, got 2x5 pixels"),
    (lambda: layers.MaxPooling1D(4), (3, 1), "window of 4 .* fits, got 3 pixels"),
    (lambda: layers.AveragePooling3D(2), (2, 1, 2, 1), "window of 2x2x2 .* fits, got 2x1x2 pixels"),
    (lambda: layers.MaxPooling2D(2, padding=2), (5, 5, 1), "a window would see no pixel"),
    (lambda: layers.MaxPooling2D(2, padding=((0, 2), (0, 0))), (5, 5, 1), "a window would see no pixel"),
    (lambda: layers.MaxPooling2D(), (5, 5), r"expected input \(N, H, W, C\)"),
    (lambda: layers.GlobalMaxPooling1D(), (5, 5, 1), r"expected input \(N, L, C\)"),
    (lambda: layers.Cropping2D(2), (4, 9, 1), "expected cropping smaller than the input"),
    (lambda: layers.Padding1D(3, "reflect"), (3, 1), "mirrored border smaller than the image"),
])
def test_a_shape_that_does_not_suit_is_refused(make, shape, message):
    with pytest.raises(ArgumentError, match=message):
        make().build((None, *shape))


@pytest.mark.parametrize(("make", "message"), [
    (lambda: layers.MaxPooling2D(data_format="channels_first"), "channels_first"),
    (lambda: layers.MaxPooling2D(0), "at least 1"),
    (lambda: layers.MaxPooling3D((2, 2)), "or 3 of them"),
    (lambda: layers.MaxPooling2D(padding="causal"), '"valid", "same"'),
    (lambda: layers.ZeroPadding2D("same"), "padding: expected an integer, or .* of 2 dimensions, got 'same'"),
    (lambda: layers.ZeroPadding2D(-1), "at least 0"),
    (lambda: layers.Padding2D(1, "mirror"), "mirror"),
    (lambda: layers.UpSampling2D(interpolation="lanczos3"), "lanczos3"),
    (lambda: layers.AdaptiveMaxPooling2D((2, 0)), "at least 1"),
])
def test_an_argument_that_is_not_offered_is_refused(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


@pytest.mark.parametrize("pooling", [
    lambda: layers.MinPooling2D(2), lambda: layers.L2Pooling2D(2), lambda: layers.MaxPooling2D(2, ceil_mode=True),
    lambda: layers.MaxPooling2D(2, dilation_rate=2), lambda: layers.AveragePooling2D(2, ceil_mode=True),
    lambda: layers.AveragePooling2D(2, padding=1, count_include_pad=True), lambda: layers.AveragePooling2D(2),
    lambda: layers.MaxPooling2D(2),
])
@pytest.mark.parametrize("filters", [4, 40])
def test_a_pooling_after_a_convolution_gives_the_same_fused_or_not(pooling, filters):
    fc.utils.set_random_seed(1)
    model = fc.Sequential([fc.Input((9, 9, 3)), layers.Conv2D(filters, 3, activation="relu"), pooling()])
    x = np.random.default_rng(0).standard_normal((64, 9, 9, 3)).astype(np.float32)
    fused = model.predict(x, verbose=0)
    before = fc.config.fusion()
    fc.config.set_fusion(False)
    try:
        np.testing.assert_allclose(fused, model.predict(x, verbose=0), rtol=0, atol=1e-5)
    finally:
        fc.config.set_fusion(before)
