"""Networks of pixels: pictures of any size, borders, tiles, classifiers with a head, beside slower ways."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError
from fastcnn.vision import segmentation


def _picture(*shape):
    return np.random.default_rng(sum(shape)).random((1, *shape), np.float32)


@pytest.fixture(scope="module")
def model():
    fc.utils.set_random_seed(3)
    return segmentation.unet(3, filters=4, depth=2, convolutions=1)


@pytest.mark.parametrize("size", [(1, 1), (4, 8), (13, 22), (3, 40)])
def test_a_u_net_takes_any_size_and_pads_it_by_the_nearest_pixels_below_and_on_the_right(model, size):
    x = _picture(*size, 1)
    got = model.predict(x, verbose=0)
    padded = np.pad(x, ((0, 0), (0, -size[0] % 4), (0, -size[1] % 4), (0, 0)), mode="edge")
    assert got.shape == (1, *size, 3)
    np.testing.assert_array_equal(got, model.predict(padded, verbose=0)[:, :size[0], :size[1]])
    np.testing.assert_allclose(got.sum(-1), 1, atol=1e-6)


def test_filters_of_each_level_may_be_told_and_wrong_ones_are_refused():
    some = segmentation.unet(2, filters=(4, 6, 8), convolutions=1, channels=3)
    assert [one.filters for one in some.layers if isinstance(one, layers.Conv2D)] == [4, 6, 8, 6, 4, 2]
    assert [one.filters for one in some.layers if isinstance(one, layers.Conv2DTranspose)] == [6, 4]
    with pytest.raises(ArgumentError, match="filters for each of at least two levels"):
        segmentation.unet(2, filters=(4, 8), depth=3)
    with pytest.raises(ArgumentError, match="expected depth to be a positive integer"):
        segmentation.unet(2, depth=0)


def test_a_pixel_sees_as_far_as_reach_says_and_no_farther(model):
    reach, side = segmentation.reach(model), 96
    for weight in model.trainable_weights:  # so that nothing is cut off by a ReLU, nor cancels out
        weight.assign(np.random.default_rng(0).uniform(0.05, 0.1, weight.shape))
    logits = fc.Model(model.input, model.get_layer("logits").output)
    x = np.random.default_rng(1).random((1, side, side, 1))
    sees = set()
    for at in range(side // 2, side // 2 + 4):
        changed = []
        for far in (reach, reach + 1):
            for way in (-far, far):
                other = x.copy()
                other[0, at + way] += 100
                changed.append((other, abs(way)))
        whole = logits.predict(np.concatenate([x, *(one for one, _ in changed)]).astype(np.float32), verbose=0)
        own = whole[0, at, side // 2]  # of whose last bits Winograd's tiles may change some beyond
        sees |= {far for (_, far), y in zip(changed, whole[1:], strict=True)
                 if np.abs(y[at, side // 2] - own).max() > 1e-5 * np.abs(own).max()}
    assert sees == {reach}


@pytest.mark.parametrize("size", [(97, 64), (70, 131), (40, 40), (64, 65)])
def test_tiles_have_no_seams_to_the_last_bit(model, size):
    x = _picture(*size, 1)[0]
    whole = model.predict(x[None], verbose=0)[0]
    np.testing.assert_array_equal(segmentation.predict_in_tiles(model, x, 64), whole)
    if min(size) > 64:
        seamed = segmentation.predict_in_tiles(model, x, 64, overlap=0)
        assert (seamed != whole).any(), "without the overlap there are seams"


def test_a_tile_that_is_all_overlap_is_refused(model):
    with pytest.raises(ArgumentError, match="expected a tile of at least"):
        segmentation.predict_in_tiles(model, _picture(200, 200, 1)[0], 16)


def test_a_network_that_sees_the_whole_picture_has_no_tiles():
    x = fc.Input((None, None, 2))
    y = layers.Multiply()([x, layers.GlobalAveragePooling2D(keepdims=True)(x)])
    with pytest.raises(ArgumentError, match="got one that sees all of it; compute pictures whole"):
        segmentation.reach(fc.Model(x, y))


def _classifier(padding, strides=(2, 2)):
    """Return a classifier of three sizes, each by what halves it: a pooling, then strided convolutions."""
    return fc.Sequential([
        fc.Input((40, 40, 3)), layers.Conv2D(4, 3, padding=padding, activation="relu", name="full"),
        layers.MaxPooling2D(2, name="half"),
        layers.Conv2D(5, 3, strides[0], padding=padding, activation="relu", name="quarter"),
        layers.Conv2D(6, 3, strides[1], padding=padding, name="eighth"), layers.GlobalAveragePooling2D(),
        layers.Dense(10)])


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("names", [("eighth",), ("quarter", "eighth"), ("half", "quarter", "eighth"), ("full", "half")])
def test_a_head_on_a_classifier_takes_any_size(names, padding):
    fc.utils.set_random_seed(1)
    classifier = _classifier(padding)
    model = segmentation.fcn(classifier, 3, layers=names)
    for size in ((1, 1), (17, 30), (40, 40)):
        got = model.predict(_picture(*size, 3), verbose=0)
        assert got.shape == (1, *size, 3)
        np.testing.assert_allclose(got.sum(-1), 1, atol=1e-6)
    assert any(p is classifier.get_layer("half") or p is classifier.layers[0].weights[0] for p in model.weights), (
        "layers are the classifier's")


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("names", [("eighth",), ("half", "quarter", "eighth")])
def test_a_head_lies_on_the_picture_where_its_pixels_are(names, padding):
    classifier = _classifier(padding)
    model = segmentation.fcn(classifier, 2, layers=names)
    for weight in model.trainable_weights:  # a mean of what is seen: a bright square shines through
        weight.assign(np.full(weight.shape, 1 / max(1, np.prod(weight.shape[:-1]))) if weight.name == "kernel"
                      and "transpose" not in weight.path else weight.value if "transpose" in weight.path
                      else np.zeros(weight.shape))
    score = model.get_layer(f"{names[-1]}_score")
    score.kernel.assign(np.concatenate([np.zeros((1, 1, 6, 1)), np.ones((1, 1, 6, 1))], axis=-1))
    logits = fc.Model(model.input, model.layers[-2].output)
    for row, column in ((8, 8), (30, 52), (48, 20)):
        x = np.zeros((1, 64, 72, 3), np.float32)
        x[0, row - 4:row + 4, column - 4:column + 4] = 1
        bright = logits.predict(x, verbose=0)[0, ..., 1].astype(np.float64)
        i, j = np.mgrid[:64, :72]
        middle = [(bright * one).sum() / bright.sum() for one in (i, j)]
        np.testing.assert_allclose(middle, (row - 0.5, column - 0.5), atol=2.5)  # an eighth is eight pixels wide


def test_scores_of_fine_maps_begin_with_zeros_and_enlargements_are_linear_between_units():
    model = segmentation.fcn(_classifier("same"), 2, layers=("half", "quarter"))
    assert not np.asarray(model.get_layer("half_score").kernel.value).any()
    (up, _) = [one for one in model.layers if isinstance(one, layers.Conv2DTranspose)]
    ramp = np.tile(np.arange(6, dtype=np.float32)[:, None, None], (1, 4, 2))[None]
    grown = up.for_shape((None, 6, 4, 2)).predict(ramp)[0, 2:-2, 4]
    np.testing.assert_allclose(grown, np.tile(np.arange(0.75, 5, 0.5)[:8, None], (1, 2)), atol=1e-6)


@pytest.mark.parametrize(("names", "text"), [
    (("quarter", "half"), "become coarser, each of a stride that the one before divides, got strides 4, 2"),
    (("nothing",), "fcn: layer of .*'nothing' is not known; known are dense"), ((), "expected the names of layers"),
    (("global_average_pooling2d",), "expected layers with feature maps"),
])
def test_layers_without_maps_in_order_are_refused(names, text):
    fc.utils.set_random_seed(0)
    classifier = _classifier("same")
    names = [next(one.name for one in classifier.layers if one.name.startswith("global")) if name.startswith("global")
             else name for name in names]
    with pytest.raises(ArgumentError, match=text):
        segmentation.fcn(classifier, 2, layers=names)


def test_a_head_that_pads_has_no_seams_either():
    model = segmentation.fcn(_classifier("valid"), 2, layers=("quarter", "eighth"))
    x = _picture(150, 131, 3)[0]
    np.testing.assert_allclose(segmentation.predict_in_tiles(model, x, 128), model.predict(x[None], verbose=0)[0],
                               atol=1e-6)
