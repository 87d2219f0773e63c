"""Receptive fields: what changes a unit lies inside, by changing every pixel in turn."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError


def _branches(x):
    a = layers.Conv2D(2, 3, padding="same", name="a")(x)
    b = layers.Conv2D(2, 5, padding="same", dilation_rate=1, name="b")(layers.ZeroPadding2D(((1, 0), (0, 1)))(
        layers.Cropping2D(((0, 1), (1, 0)))(x)))
    return layers.Add(name="c")([a, b])


NETWORKS = {
    "convolution": lambda x: layers.Conv2D(2, 3, name="c")(x),
    "same, strided": lambda x: layers.Conv2D(2, 3, 2, "same", name="c")(x),
    "dilated": lambda x: layers.Conv2D(2, 3, dilation_rate=2, name="c")(x),
    "pooled": lambda x: layers.AveragePooling2D(3, 2, "same", name="c")(layers.Conv2D(2, 3)(x)),
    "depthwise": lambda x: layers.DepthwiseConv2D((1, 3), padding="same", name="c")(x),
    "upsampled": lambda x: layers.Conv2D(2, 3, name="c")(layers.UpSampling2D(2)(x)),
    "transposed": lambda x: layers.Conv2DTranspose(2, 3, 2, "same", name="c")(x),
    "transposed, valid": lambda x: layers.Conv2DTranspose(2, 4, 3, name="c")(x),
    "branches": _branches,
    "padded to a multiple": lambda x: layers.Conv2D(2, 4, 4, name="c")(layers.PadToMultiple(4)(x)),
    "as large as another": lambda x: layers.CropLike(name="c")([layers.Conv2D(2, 3, padding="same")(x), layers.Conv2D(
        2, 3)(x)]),
    "squeezed": lambda x: layers.Multiply(name="c")([x, layers.GlobalAveragePooling2D(keepdims=True)(x)]),
    "a model inside": lambda x: fc.Model(i := fc.Input((11, 9, 2)), layers.Conv2D(2, 3, 2, name="c")(i))(x),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_unit_sees_the_pixels_that_change_it(name):
    x = fc.Input((11, 9, 2))
    model = fc.Model(x, NETWORKS[name](x))
    for p in model.weights:
        p.assign(np.random.default_rng(0).uniform(0.5, 1, p.shape))
    (top, bottom), (left, right) = fc.vision.receptive_fields(model, "c")
    x = np.random.default_rng(1).uniform(1, 2, (1, 11, 9, 2)).astype(np.float32)
    y = model.predict(x)[0]
    assert (len(top), len(left)) == y.shape[:2]
    touched = np.zeros((*y.shape[:2], 11, 9), bool)
    for row in range(11):
        for column in range(9):
            other = x.copy()
            other[0, row, column] += 3
            touched[:, :, row, column] = (abs(model.predict(other)[0] - y) > 1e-6).any(-1)
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            rows, columns = np.nonzero(touched[i, j])
            found = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
            assert found == (top[i], bottom[i], left[j], right[j]), (i, j)


def test_what_is_no_feature_map_is_told():
    model = fc.Sequential([fc.Input((4, 4, 1)), layers.Flatten(), layers.Dense(2, name="d")])
    with pytest.raises(ArgumentError, match=r"expected a layer with feature maps .* got 'd'"):
        fc.vision.receptive_fields(model, "d")
    with pytest.raises(ArgumentError, match="layer"):
        fc.vision.receptive_fields(model, "e")
