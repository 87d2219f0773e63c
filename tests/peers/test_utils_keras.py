"""Pictures to arrays, folders of pictures and rows beside Keras's."""

import numpy as np
import pytest

import fastcnn as fc

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
              pytest.mark.filterwarnings("ignore:'mode' parameter is deprecated:DeprecationWarning")]
keras = pytest.importorskip("keras")
Image = pytest.importorskip("PIL.Image")

DRAW = np.random.default_rng(0)
FILES = {"RGB": (23, 31, 3), "L": (9, 14), "RGBA": (16, 12, 4)}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A folder of two classes, each with pictures of several kinds and sizes."""
    root = tmp_path_factory.mktemp("pictures")
    for name in ("cat", "dog"):
        (root / name).mkdir()
        for mode, shape in FILES.items():
            Image.fromarray(DRAW.integers(0, 256, shape).astype("uint8")).save(root / name / f"{mode}.png")
    deep = DRAW.integers(0, 65536, (8, 9)).astype("uint16")
    Image.fromarray(deep).save(root / "dog" / "deep.png")
    return root


def arrays(library, path, **named):
    return library.utils.img_to_array(library.utils.load_img(path, **named))


@pytest.mark.parametrize("named", [
    {}, {"color_mode": "grayscale"}, {"color_mode": "rgba"}, {"target_size": (7, 9)},
    {"target_size": (8, 5), "interpolation": "bicubic", "keep_aspect_ratio": True},
    {"target_size": (20, 40), "interpolation": "lanczos", "color_mode": "grayscale"}], ids=str)
def test_a_picture_is_loaded_as_keras_loads_it(pictures, named):
    for path in sorted(pictures.rglob("*.png")):
        np.testing.assert_array_equal(arrays(fc, path, **named), arrays(keras, path, **named))


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("shape", [(4, 5, 1), (4, 5, 3), (4, 5, 4)])
def test_an_array_becomes_keras_s_picture(tmp_path, shape, scale):
    x = DRAW.random(shape) * 255
    ours, theirs = (library.utils.array_to_img(x, scale=scale) for library in (fc, keras))
    np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))
    assert ours.mode == theirs.mode
    for library, name in ((fc, "ours.png"), (keras, "theirs.png")):
        library.utils.save_img(tmp_path / name, x, scale=scale)
    assert (tmp_path / "ours.png").read_bytes() == (tmp_path / "theirs.png").read_bytes()


@pytest.mark.parametrize("fit", [{}, {"interpolation": "nearest"}, {"interpolation": "bilinear"},
                                 {"crop_to_aspect_ratio": True}, {"pad_to_aspect_ratio": True}], ids=str)
@pytest.mark.parametrize("color_mode", ["rgb", "grayscale", "rgba"])
def test_a_folder_is_read_as_keras_reads_it(pictures, fit, color_mode):
    """Beside what Keras calls for each file, since its loops need TensorFlow or grain."""
    from keras.src.utils import dataset_utils, image_dataset_utils

    paths, labels, names = dataset_utils.index_directory(str(pictures), "inferred", (".png",), seed=7, verbose=False)
    channels = {"rgb": 3, "grayscale": 1, "rgba": 4}[color_mode]
    theirs = [keras.ops.convert_to_numpy(image_dataset_utils._load_image_grain(
        path, (6, 8), channels, fit.get("interpolation", "bilinear"), "channels_last",
        fit.get("crop_to_aspect_ratio", False), fit.get("pad_to_aspect_ratio", False))) for path in paths]
    ours = fc.utils.image_dataset_from_directory(pictures, seed=7, image_size=(6, 8), color_mode=color_mode,
                                                 batch_size=None, verbose=False, **fit)
    assert ours.file_paths == paths
    assert ours.labels.tolist() == list(labels)
    assert ours.class_names == names
    order = np.random.default_rng((7, 0)).permutation(len(paths))
    for k, (image, label) in zip(order, ours, strict=True):
        np.testing.assert_allclose(image, theirs[k], rtol=1e-4, atol=1e-3 * max(1, theirs[k].max() / 255))
        assert label == labels[k]


def test_rows_get_keras_s_length_and_labels_its_rows():
    x = DRAW.standard_normal((3, 4, 5))
    for axis, order in ((-1, 2), (1, 1), (2, np.inf)):
        np.testing.assert_allclose(fc.utils.normalize(x, axis, order), keras.utils.normalize(x, axis, order))
    labels = DRAW.integers(0, 5, (6, 1))
    np.testing.assert_array_equal(fc.utils.to_categorical(labels, 7), keras.utils.to_categorical(labels, 7))
    for given in ((1,), (1, 2), (1, 2, 3), ([1, 2],)):
        assert fc.utils.pack_x_y_sample_weight(*given) == keras.utils.pack_x_y_sample_weight(*given)


@pytest.mark.parametrize("sizes", [(0.7, None), (None, 3), (4, 7), (0.25, 0.75)])
def test_samples_are_dealt_out_in_keras_s_numbers(sizes):
    """Which samples go where, Keras on PyTorch draws whatever `shuffle` says."""
    ours, theirs = (library.utils.split_dataset(np.arange(11), *sizes, seed=1) for library in (fc, keras))
    assert [len(part) for part in ours] == [len(part) for part in theirs]
