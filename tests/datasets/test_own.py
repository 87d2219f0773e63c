"""A user's own data: .npz files, idx folders and folders of pictures, good and bad."""

import builtins
import zipfile

import numpy as np
import pytest

from fastcnn import datasets
from fastcnn.datasets._background import measure_background
from fastcnn.errors import DataError
from tests.datasets.files import digits_like, idx, write_idx_folder

Image = pytest.importorskip("PIL.Image", reason="needs the extra fastcnn[image]")


def save_npz(path, **arrays):
    np.savez_compressed(path, **arrays)
    return path


def test_an_npz_with_four_arrays_keeps_their_split(tmp_path):
    (x, y), (x_test, y_test) = digits_like(12, channels=3), digits_like(6, channels=3)
    path = save_npz(tmp_path / "mine.npz", x_train=x, y_train=y[:, None], x_test=x_test, y_test=y_test)
    dataset = datasets.load(path)
    np.testing.assert_array_equal(dataset.x_train, x)
    np.testing.assert_array_equal(dataset.y_train, y)
    assert (dataset.name, dataset.scale, dataset.classes) == ("mine", 255, ("0", "1", "2"))
    assert str(path) in dataset.source


def test_an_npz_with_x_and_y_is_split_by_index(tmp_path):
    x, y = digits_like(30)
    dataset = datasets.load(str(save_npz(tmp_path / "mine.npz", x=x / 255, y=y, classes=np.array(["a", "b", "c"]))))
    train, test = datasets.stratified_split(y)
    np.testing.assert_array_equal(dataset.x_test[..., 0], (x[test] / 255).astype(np.float32))
    np.testing.assert_array_equal(dataset.y_train, y[train])
    assert (dataset.scale, dataset.classes, dataset.x_train.dtype) == (1, ("a", "b", "c"), np.float32)


def test_names_of_classes_become_text_that_a_file_can_hold(tmp_path):
    x, y = digits_like(30)
    names = np.array(["caf\udce9", "\ud800", "猫"])
    classes = datasets.load(save_npz(tmp_path / "mine.npz", x=x, y=y, classes=names)).classes
    assert classes == (r"caf\xe9", r"\ud800", "猫")


def test_integers_up_to_255_of_any_width_become_uint8(tmp_path):
    x, y = digits_like(30)
    assert datasets.load(save_npz(tmp_path / "mine.npz", x=x.astype(np.int64), y=y)).x_train.dtype == np.uint8


X, Y = digits_like()
NPZ = {
    "other names": ({"images": X}, "or x and y, got images"),
    "a missing part": ({"x_train": X, "y_train": Y}, "got x_train, y_train"),
    "objects": ({"x": np.array([None, 1]), "y": Y}, "expected an array of numbers, got dtype object"),
    "records": ({"x": np.zeros(2, "u1,u1"), "y": Y}, "expected an array of numbers, got dtype"),
    "string labels": ({"x": X, "y": np.array(["a"] * 20)}, "numpy.unique(y, return_inverse=True)"),
    "float labels": ({"x": X, "y": Y.astype(float)}, "y.astype(int)"),
    "one-hot labels": ({"x": X, "y": np.eye(3)[Y]}, "y.argmax(axis=1)"),
    "negative labels": ({"x": X, "y": Y.astype(int) - 1}, "labels from 0, got -1"),
    "fewer labels": ({"x": X, "y": Y[:-1]}, "got 20 images and 19 labels"),
    "one class": ({"x": X, "y": 0 * Y}, "at least two classes, got the class 0 alone"),
    "one class of several": ({"x": X, "y": 0 * Y, "classes": np.array(["cat", "dog"])}, "got the class cat alone"),
    "channels first": ({"x": np.zeros((20, 3, 8, 9)), "y": Y}, "got (N, 3, 8, 9), which has them first"),
    "a grey channel first": ({"x": np.zeros((20, 1, 8, 8)), "y": Y}, "numpy.moveaxis(x, 1, -1)"),
    "flat images": ({"x": np.zeros((20, 9)), "y": Y}, "images (N, H, W) or (N, H, W, C), got shape (N, 9)"),
    "integers above 255": ({"x": X * np.int64(9), "y": Y}, "integer pixels from 0 to 255"),
    "too few to split": ({"x": X[:9], "y": Y[:9]}, "at least five images in a class"),
    "enormous labels": ({"x": X, "y": Y + np.int64(10**12)}, "labels below 65536, got 1000000000002"),
    "infinite as float32": ({"x": X * 1e300, "y": Y}, "pixel values within float32"),
    "classes that are no names": ({"x": X, "y": Y, "classes": np.arange(3)}, "as strings"),
    "fewer names than labels": ({"x": X, "y": Y, "classes": np.array(["a"])}, "from 0 to 0"),
}


@pytest.mark.parametrize("case", NPZ)
def test_an_npz_that_cannot_be_used_is_refused_by_name(tmp_path, case):
    arrays, text = NPZ[case]
    path = save_npz(tmp_path / "mine.npz", **arrays)
    with pytest.raises(DataError) as caught:
        datasets.load(path)
    assert str(caught.value).startswith(str(path))
    assert text in str(caught.value)


def test_images_of_few_rows_are_not_taken_for_channels(tmp_path):
    _, y = digits_like(20)
    for shape in ((1, 50, 9), (3, 4, 3), (4, 40, 3), (2, 9, 9), (1, 8, 1)):
        x = np.zeros((20, *shape), np.uint8)
        assert datasets.load(save_npz(tmp_path / "mine.npz", x=x, y=y)).x_train.shape[1:] == shape


def test_channels_first_and_one_class_are_refused_in_idx_files_too(tmp_path):
    write_idx_folder(tmp_path)
    for array, text in ((np.zeros((20, 3, 9, 9)), r"numpy\.moveaxis"), (np.zeros(20), "the class 0 alone")):
        name = f"train-{'images' if array.ndim > 1 else 'labels'}"
        for part, count in (("train", 20), ("t10k", 10)):
            path = tmp_path / f"{name}-idx{3 if array.ndim > 1 else 1}-ubyte.gz".replace("train", part)
            path.write_bytes(idx(array[:count]))
        with pytest.raises(DataError, match=text):
            datasets.load(tmp_path)
        write_idx_folder(tmp_path)


def test_classes_without_a_training_image_are_warned_of(tmp_path):
    x, y = digits_like(30)
    with pytest.warns(UserWarning, match=r"mine\.npz: 1 of 4 classes \(0\) without a training image") as told:
        assert len(datasets.load(save_npz(tmp_path / "mine.npz", x=x, y=y + 1)).classes) == 4
    assert told[0].filename == __file__
    with pytest.warns(UserWarning, match=r"5 of 8 classes \(2, 3, 4, 5, 6\) without"):
        datasets.load(save_npz(tmp_path / "mine.npz", x=x, y=np.array([0, 1, 7])[y]))


def test_a_class_too_small_for_the_split_by_fives_is_warned_of(tmp_path):
    x, y = digits_like(20)
    few = y[y < 2] + (np.arange(14) < 3) * (2 - y[y < 2])
    with pytest.warns(UserWarning, match=r"mine\.npz: 1 of 3 classes \(2\) of fewer than five images") as told:
        datasets.load(save_npz(tmp_path / "mine.npz", x=x[y < 2], y=few))
    assert told[0].filename == __file__
    write_pictures(tmp_path / "pictures")
    (tmp_path / "pictures" / "dog" / "3.png").unlink()
    with pytest.warns(UserWarning, match=r"1 of 2 classes \(dog\) of fewer than five"):
        datasets.load(tmp_path / "pictures")


def test_floats_that_are_bytes_have_the_white_of_bytes(tmp_path):
    x, y = digits_like(30)
    for pixels, scale in ((x.astype(float), 255), (x / 255, 1), (x / 2, 1), (x - 3.0, 1), (x > 100.0, 1)):
        assert datasets.load(save_npz(tmp_path / "mine.npz", x=pixels, y=y)).scale == scale


def test_torchvision_s_folder_above_raw_is_loaded(tmp_path):
    (x, _), _ = write_idx_folder(tmp_path / "MNIST" / "raw")
    np.testing.assert_array_equal(datasets.load(tmp_path / "MNIST").x_train[..., 0], x)
    assert not datasets.is_picture_folder(tmp_path / "MNIST")


def test_training_and_test_images_of_unlike_types_are_refused(tmp_path):
    x, y = digits_like()
    path = save_npz(tmp_path / "mine.npz", x_train=x, y_train=y, x_test=x / 255, y_test=y)
    with pytest.raises(DataError, match="of one type, got uint8 and float64"):
        datasets.load(path)


def test_a_damaged_npz_is_a_data_error_wherever_the_damage_is(tmp_path):
    x, y = digits_like()
    path = save_npz(tmp_path / "mine.npz", x=x, y=y)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    broken = 0
    contents = [whole[:end] for end in range(0, len(whole), 50)]
    for at in rng.integers(0, len(whole), 300):
        content = bytearray(whole)
        content[at] ^= rng.integers(1, 256)
        contents.append(bytes(content))
    for content in contents:
        path.write_bytes(content)
        try:
            dataset = datasets.load(path)
        except DataError:
            broken += 1
        else:
            assert len(dataset.x_train) + len(dataset.x_test) == len(x)
    assert broken > len(contents) / 2


@pytest.mark.parametrize("shape", ["(4294967296, 4294967296)", "(1000000,)", "(2,)"])
def test_an_npz_header_that_promises_another_size_allocates_nothing(tmp_path, shape):
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}}}".ljust(117) + "\n"
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + bytes(20)
    with zipfile.ZipFile(tmp_path / "mine.npz", "w") as archive:
        archive.writestr("x.npy", content)
        archive.writestr("y.npy", content)
    with pytest.raises(DataError, match="bytes that its header promises, got 20"):
        datasets.load(tmp_path / "mine.npz")


def test_an_npz_bomb_is_refused_by_its_proportions(tmp_path):
    with pytest.raises(DataError, match="200 bytes of data for each byte"):
        datasets.load(save_npz(tmp_path / "mine.npz", x=np.zeros((80, 1024, 1024), np.uint8), y=np.arange(80) % 3))


def test_an_idx_folder_is_loaded_by_its_path_and_a_missing_file_is_named(tmp_path):
    (x, _), _ = write_idx_folder(tmp_path / "mine", channels=3, packed=False)
    dataset = datasets.load(tmp_path / "mine")
    np.testing.assert_array_equal(dataset.x_train, x)
    assert (dataset.name, dataset.background) == ("mine", None)
    (tmp_path / "mine" / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(DataError, match=r"expected also t10k-labels-idx1-ubyte\.gz"):
        datasets.load(tmp_path / "mine")


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("1,2,3")
    with pytest.raises(DataError, match=r"mine\.txt: expected an \.npz file, a \.csv table or a folder"):
        datasets.load(tmp_path / "mine.txt")


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "digits"])
def test_the_measured_ground_and_ink_of_known_sets_are_the_declared_ones(data, name):
    dataset = datasets.load(name, data_dir=data)
    assert measure_background(dataset.x_test, dataset.scale) == (dataset.background, dataset.ink_box)
    inverted = dataset.scale - dataset.x_test.astype(np.float32)
    assert measure_background(inverted, dataset.scale) == ("light", dataset.ink_box)


def test_noise_and_colour_have_no_ground():
    x, _ = digits_like(size=9, channels=1)
    assert measure_background(x, 255.0) == (None, None)
    assert measure_background(np.zeros((5, 4, 4, 3), np.uint8), 255.0) == (None, None)


def write_pictures(root, count=5, size=(7, 6), mode="L", classes=("cat", "dog"), seed=0):
    """Write `count` PNG files (width, height) = `size` a class; return them as (N, H, W, C) in the order of loading."""
    rng = np.random.default_rng(seed)
    channels = 1 if mode == "L" else 3
    pictures = []
    for name in classes:
        (root / name).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            pixels = rng.integers(0, 256, (size[1], size[0], channels), dtype=np.uint8)
            Image.fromarray(pixels[..., 0] if channels == 1 else pixels).save(root / name / f"{i}.png")
            pictures.append(pixels)
    return np.stack(pictures)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_class_folders_are_read_in_the_order_of_their_names_and_split_by_index(tmp_path, mode):
    pictures = write_pictures(tmp_path, mode=mode)
    (tmp_path / "dog" / ".DS_Store").write_text("hidden")
    (tmp_path / ".git").mkdir()
    (tmp_path / "README.md").write_text("beside the classes")
    dataset = datasets.load(tmp_path)
    assert dataset.classes == ("cat", "dog")
    np.testing.assert_array_equal(dataset.x_train, pictures[[0, 1, 2, 3, 5, 6, 7, 8]])
    np.testing.assert_array_equal(dataset.x_test, pictures[[4, 9]])
    assert dataset.y_train.tolist() == [0] * 4 + [1] * 4


def test_train_and_test_folders_keep_their_split(tmp_path):
    train, test = write_pictures(tmp_path / "train", 3), write_pictures(tmp_path / "test", 2, classes=["dog"], seed=1)
    dataset = datasets.load(tmp_path)
    np.testing.assert_array_equal(dataset.x_train, train)
    np.testing.assert_array_equal(dataset.x_test, test)
    assert dataset.y_test.tolist() == [1, 1]


def test_train_alone_is_split_by_index(tmp_path):
    write_pictures(tmp_path / "train")
    assert len(datasets.load(tmp_path).x_test) == 2


def test_one_picture_in_colour_makes_all_rgb_and_grey_rgb_files_count_as_grey(tmp_path):
    pictures = write_pictures(tmp_path)
    Image.fromarray(np.repeat(pictures[0], 3, axis=2)).save(tmp_path / "cat" / "0.png")
    assert datasets.load(tmp_path).x_train.shape == (8, 6, 7, 1)
    Image.new("RGB", (7, 6), "red").save(tmp_path / "cat" / "0.png")
    dataset = datasets.load(tmp_path)
    assert dataset.x_train.shape == (8, 6, 7, 3)
    np.testing.assert_array_equal(dataset.x_train[1], np.repeat(pictures[1], 3, axis=2))


def test_the_first_picture_of_another_size_is_named_with_both_sizes(tmp_path):
    write_pictures(tmp_path)
    Image.new("L", (6, 7)).save(tmp_path / "dog" / "2.png")
    (tmp_path / "cat" / "0.png").write_text("no picture, which is told once the sizes are one")
    said = (r"one size, got 2 sizes: 8 of 9 are 7x6 \(width x height\), dog/2\.png is 6x7; .*"
            r"image_size=\(6, 7\) or --size 7x6")  # fmt: skip
    with pytest.raises(DataError, match=said):
        datasets.load(tmp_path)


def test_bad_folders_are_refused_by_name(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="at least two classes, got none"):
        datasets.load(tmp_path / "empty")
    write_pictures(tmp_path / "one", classes=["cat"])
    with pytest.raises(DataError, match="at least two classes, got cat"):
        datasets.load(tmp_path / "one")
    write_pictures(tmp_path / "few", count=4)
    with pytest.raises(DataError, match="at least five pictures in a class"):
        datasets.load(tmp_path / "few")
    write_pictures(tmp_path / "hole")
    (tmp_path / "hole" / "eel").mkdir()
    with pytest.raises(DataError, match="pictures of the class eel, got an empty folder"):
        datasets.load(tmp_path / "hole")
    write_pictures(tmp_path / "text")
    (tmp_path / "text" / "dog" / "notes.txt").write_text("no picture")
    with pytest.raises(DataError, match=r"notes\.txt: expected a picture, got a file of another"):
        datasets.load(tmp_path / "text")
    write_pictures(tmp_path / "deep")
    (tmp_path / "deep" / "dog" / "more").mkdir()
    with pytest.raises(DataError, match="more: expected a picture file of the class dog, got a folder"):
        datasets.load(tmp_path / "deep")


def test_train_and_test_folders_that_do_not_fit_are_refused(tmp_path):
    write_pictures(tmp_path / "train")
    (tmp_path / "test").mkdir()
    with pytest.raises(DataError, match="test: expected class folders cat, dog, got none"):
        datasets.load(tmp_path)
    write_pictures(tmp_path / "test", classes=["eel"])
    with pytest.raises(DataError, match="expected one of the classes cat, dog, got eel"):
        datasets.load(tmp_path)
    (tmp_path / "more").mkdir()
    with pytest.raises(DataError, match="only train, test and val in it, got also more"):
        datasets.load(tmp_path)
    (tmp_path / "more").rename(tmp_path / "Testing")
    with pytest.raises(DataError, match="one folder of test, testing, got Testing and test"):
        datasets.load(tmp_path)


def test_without_pillow_the_error_says_what_to_install(tmp_path, monkeypatch):
    write_pictures(tmp_path)
    real_import = builtins.__import__

    def without_pillow(name, *args, **kwargs):
        if name.startswith("PIL"):
            raise ModuleNotFoundError(name)
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_pillow)
    with pytest.raises(ImportError, match=r'pip install "fastcnn\[image\]"'):
        datasets.load(tmp_path)
