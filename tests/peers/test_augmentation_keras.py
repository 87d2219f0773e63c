"""Layers that change pictures beside Keras's on PyTorch: the same change of the same picture."""

import copy

import numpy as np
import pytest
from scipy import stats

import fastcnn as fc
from fastcnn import layers
from fastcnn.geometry import warp
from fastcnn.kernels.tone_codes import EQUALIZED, POSTERIZED, SHARPENED, SOLARIZED
from fastcnn.operations.augmentation.color import Recolor, Turn
from fastcnn.operations.augmentation.patch import Blur, gaussian_windows
from fastcnn.operations.augmentation.tone import Stretch, Tone
from fastcnn.operations.augmentation.warp import Warp

keras = pytest.importorskip("keras")

X = np.random.default_rng(0).uniform(0, 255, (3, 11, 9, 3)).astype(np.float32)

#: Of numbers up to 255: float32's rounding in a sum of four products, with weights whose places are float32 in Keras.
CLOSE = {"rtol": 0, "atol": 2e-3}


@pytest.mark.parametrize("arguments", [
    {}, {"interpolation": "nearest"}, {"interpolation": "bicubic"}, {"antialias": True},
    {"interpolation": "bicubic", "antialias": True}, {"crop_to_aspect_ratio": True},
    {"pad_to_aspect_ratio": True, "fill_value": 7.0}, {"crop_to_aspect_ratio": True, "interpolation": "nearest"},
], ids=str)
@pytest.mark.parametrize("size", [(5, 4), (22, 9), (7, 23), (11, 9), (1, 30)])
def test_resizing_agrees_with_keras(size, arguments):
    theirs = keras.layers.Resizing(*size, **arguments)(X)
    np.testing.assert_allclose(layers.Resizing(*size, **arguments)(X), theirs.numpy(), **CLOSE)


@pytest.mark.parametrize("size", [(5, 4), (4, 5), (11, 9), (11, 2), (20, 20), (5, 30), (30, 3)])
def test_the_middle_agrees_with_keras(size):
    theirs = keras.layers.CenterCrop(*size)(X)
    np.testing.assert_allclose(layers.CenterCrop(*size)(X), theirs.numpy(), **CLOSE)


SAMPLED = [{}, {"fill_mode": "constant", "fill_value": 9.0}, {"fill_mode": "wrap"}, {"fill_mode": "nearest"},
           {"interpolation": "nearest"}]


@pytest.mark.parametrize("how", SAMPLED, ids=str)
@pytest.mark.parametrize(("name", "arguments"), [
    ("RandomRotation", ((0.07, 0.07),)), ("RandomRotation", ((-0.4, -0.4),)),
    ("RandomTranslation", ((0.3, 0.3), (-0.21, -0.21))), ("RandomTranslation", ((0.9, 0.9), (1.0, 1.0))),
    ("RandomZoom", ((0.37, 0.37),)), ("RandomZoom", ((-0.3, -0.3), (0.2, 0.2))),
])
def test_the_same_angle_shift_or_zoom_gives_keras_s_picture(name, arguments, how):
    theirs = getattr(keras.layers, name)(*arguments, **how)(X).numpy()
    ours = getattr(layers, name)(*arguments, **how)(X)
    if how.get("interpolation") == "nearest":  # where a place is between two pixels, float32 decides in Keras
        assert np.mean(np.abs(ours - theirs) > 1e-3) < 0.02
    else:
        np.testing.assert_allclose(ours, theirs, **CLOSE)


@pytest.mark.parametrize("how", SAMPLED[:-1], ids=str)
def test_the_same_shear_gives_keras_s_picture(how):
    arguments = (0.31, 0.31), (0.12, 0.12)
    theirs = keras.layers.RandomShear(*arguments, **how)
    there = theirs.get_random_transformation(X)
    ours = Warp(warp.shears(*there["shear_factor"].numpy().astype(float).T), (11, 9), warp.sampling(**how))
    np.testing.assert_allclose(ours.images(X)[0], theirs.transform_images(X, there).numpy(), **CLOSE)
    either = [layers.RandomShear(*arguments, seed=seed, **how)(X[:1]) for seed in range(8)]
    both = [Warp(warp.shears(*np.array([[sign * 0.31], [sign * 0.12]])), (11, 9), warp.sampling(**how)).images(X[:1])[0]
            for sign in (1, -1)]
    assert {next(k for k in (0, 1) if np.array_equal(one, both[k])) for one in either} == {0, 1}


def test_the_same_corners_give_keras_s_perspective():
    theirs = keras.layers.RandomPerspective(1.0, 0.8, fill_value=3.0)
    there = theirs.get_random_transformation(X)
    matrices = warp.perspectives(there["start_points"].numpy().astype(float), there["end_points"].numpy().astype(float))
    ours = Warp(matrices, (11, 9), warp.sampling("bilinear", "constant", 3.0)).images(X)[0]
    applied = there["apply_perspective"].numpy()
    theirs = theirs.transform_images(X, there).numpy()
    np.testing.assert_allclose(ours[applied], theirs[applied], rtol=0, atol=0.05)  # solved in float32 there


def test_half_of_the_images_are_mirrored_as_keras_mirrors_them():
    x = np.repeat(X[:1], 300, axis=0)
    for mode in ("horizontal", "vertical", "horizontal_and_vertical"):
        ours, theirs = layers.RandomFlip(mode, seed=3)(x), keras.layers.RandomFlip(mode, seed=3)(x).numpy()
        kinds = [{one.tobytes() for one in some} for some in (ours, theirs)]
        assert kinds[0] == kinds[1]
        assert len(kinds[0]) == 2
        assert 110 < sum(one.tobytes() == X[0].tobytes() for one in ours) < 190


def test_masks_and_boxes_go_where_keras_s_go():
    masks, boxes = (X[..., :1] > 128).astype(np.uint8), np.array([[[1, 2, 7, 8], [0, 0, 9, 11.0]]] * 3)
    for name, arguments in (("RandomTranslation", ((0.2, 0.2), (-0.3, -0.3))), ("RandomZoom", ((0.25, 0.25),)),
                            ("Resizing", (22, 6)), ("CenterCrop", (7, 5))):
        data = {"images": X, "segmentation_masks": masks, "bounding_boxes": {"boxes": boxes, "labels": np.ones((3, 2))}}
        theirs = getattr(keras.layers, name)(*arguments, bounding_box_format="xyxy")(copy.deepcopy(data))
        ours = getattr(layers, name)(*arguments, bounding_box_format="xyxy")(data)
        np.testing.assert_allclose(ours["images"], theirs["images"].numpy(), **CLOSE)
        assert np.mean(ours["segmentation_masks"] != np.asarray(theirs["segmentation_masks"])) < 0.02, name
        near = 0.13 if name == "RandomZoom" else 1e-5  # whose middle is half a pixel off for boxes, in Keras
        np.testing.assert_allclose(ours["bounding_boxes"]["boxes"], theirs["bounding_boxes"]["boxes"], atol=near)


UNIT = X / 255
FINE = {"rtol": 0, "atol": 2e-6}


@pytest.mark.parametrize(("name", "arguments"), [
    ("RandomBrightness", ((0.3, 0.3), (0, 1))), ("RandomBrightness", ((-0.4, -0.4), (0, 1))),
    ("RandomContrast", (0.0, (0.2, 0.7))), ("RandomGrayscale", (1.0,)), ("RandomGrayscale", (0.0,)),
    ("RandomSaturation", ((0.0, 0.0), (0, 1))), ("RandomSaturation", ((0.3, 0.3), (0, 1))),
    ("RandomSaturation", ((0.8, 0.8), (0, 1))), ("RandomHue", ((0.0, 0.0), (0, 1))),
    ("RandomColorJitter", ((0, 1), (0.1, 0.1), 0.0, (0.6, 0.6), (1.0, 1.0))),
])
def test_the_same_change_of_colour_gives_keras_s_picture(name, arguments):
    theirs = getattr(keras.layers, name)(*arguments)(UNIT).numpy()
    np.testing.assert_allclose(getattr(layers, name)(*arguments)(UNIT), theirs, rtol=0, atol=5e-6)


def test_the_same_contrast_and_hue_give_keras_s_picture():
    theirs = keras.layers.RandomContrast((0.5, 0.8), (0, 1))
    there = theirs.get_random_transformation(UNIT)
    k = there["contrast_factor"].numpy().astype(float).reshape(-1)
    ours = Recolor(k[:, None, None] * np.eye(3), np.zeros((3, 3)), (0.0, 1.0), 1 - k).images(UNIT)[0]
    unit = keras.ops.convert_to_tensor(UNIT)
    np.testing.assert_allclose(ours, theirs.transform_images(unit, there).numpy(), **FINE)
    theirs = keras.layers.RandomHue(0.9, (0, 1))
    there = theirs.get_random_transformation(UNIT)
    turns = np.stack([6 * there["factor"].numpy().astype(float), np.ones(3)], axis=1)
    np.testing.assert_allclose(Turn(turns, (0.0, 1.0)).images(UNIT)[0], theirs.transform_images(unit, there).numpy(),
                               rtol=0, atol=5e-6)
    turned = layers.RandomHue((0.4, 0.4), (0, 1), seed=1)(np.repeat(UNIT[:1], 20, axis=0))
    both = [Turn(np.array([[sign * 1.2, 1.0]]), (0.0, 1.0)).images(UNIT[:1])[0][0] for sign in (1, -1)]
    assert {next(k for k in (0, 1) if np.array_equal(one, both[k])) for one in turned} == {0, 1}


@pytest.mark.parametrize("size", [3, 7])
def test_the_same_blur_gives_keras_s_picture(size):
    theirs = keras.layers.RandomGaussianBlur((1, 1), size, (0.4, 1.0))
    there = theirs.get_random_transformation(X)
    horizontal, vertical = (gaussian_windows(size, np.full(3, float(s))) for s in there["blur_factor"].numpy())
    ours = Blur(vertical, horizontal).images(X)[0]
    applied = there["should_apply_blur"].numpy()
    np.testing.assert_allclose(ours[applied], theirs.transform_images(X, there).numpy()[applied], **CLOSE)


def test_as_much_is_erased_and_pasted_as_keras_erases_and_pastes():
    x = np.arange(400, dtype=np.float32).reshape(400, 1, 1, 1) * np.ones((400, 32, 32, 1), np.float32) + 1
    kinds = (("RandomErasing", ((1, 1), (0.1, 0.4), 0)), ("CutMix", ((0.5, 0.5),)))
    for name, arguments in kinds:
        shares = [np.mean(np.asarray(getattr(library.layers, name)(*arguments, seed=3)(x)) == x, axis=(1, 2, 3))
                  for library in (keras, fc)]
        assert stats.ks_2samp(*shares).pvalue > 1e-4, name


def test_elastic_places_move_as_far_as_keras_s():
    i, j = np.mgrid[:32, :32].astype(np.float32)
    ramp = np.stack([j, i, 0 * i], axis=-1)[None].repeat(60, axis=0)
    moved = [np.asarray(library.layers.RandomElasticTransform((1, 1), (1, 1), fill_mode="nearest", seed=3)(ramp)) - ramp
             for library in (keras, fc)]
    theirs, ours = (one[:, 8:-8, 8:-8, :2].std() for one in moved)
    assert abs(theirs - ours) < 0.1 * theirs


@pytest.mark.filterwarnings("ignore:.*Tensor.T is deprecated on 0-D tensors")  # of PyTorch, in Keras's Equalization
@pytest.mark.parametrize(("name", "arguments", "code", "drawn"), [
    ("RandomSharpness", ((0.8, 0.8),), SHARPENED, (1.6, 0)), ("RandomSharpness", ((0.1, 0.1),), SHARPENED, (0.2, 0)),
    ("RandomPosterization", (3,), POSTERIZED, (3, 0)), ("Equalization", (), EQUALIZED, (0, 0)),
])
def test_the_same_tones_give_keras_s_picture(name, arguments, code, drawn):
    x = np.round(X[:1])  # its histogram is of a whole batch
    layer = getattr(keras.layers, name)(*arguments)
    theirs = layer(x)
    if name == "RandomPosterization":
        layer.factor = (3, 3)
        theirs = layer(x)
    ours = Tone(np.array([code]), np.array([drawn], float), (0.0, 255.0)).images(x)[0]
    np.testing.assert_allclose(np.clip(ours, 0, 255), theirs.numpy(), **CLOSE)


def test_solarized_stretched_and_paler_pictures_are_keras_s():
    theirs = keras.layers.Solarization(0.4, 0.6)
    there = theirs.get_random_transformation(X)
    parameters = np.stack([there[key].numpy().astype(float).reshape(-1) for key in ("additions", "thresholds")], axis=1)
    ours = Tone(np.full(3, SOLARIZED), parameters, (0.0, 255.0)).images(X)[0]
    np.testing.assert_allclose(ours, theirs.transform_images(X, there).numpy(), **CLOSE)
    stretched = Stretch(np.ones(3, bool), (0.0, 255.0)).images(X)[0]
    np.testing.assert_allclose(stretched, keras.layers.AutoContrast()(X).numpy(), **CLOSE)
