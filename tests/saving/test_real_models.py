"""Trained networks that others made: their files give what their authors, or a computation in float64, say.

The files lie in ``../shared/data/real-models`` (or FASTCNN_DATA); a test is skipped where they are absent.
"""

import lzma

import numpy as np
import pytest
import safetensors.numpy

import fastcnn as fc


def _photograph(data_dir, name, size):
    """Return the middle square of a photograph, (size, size, 3), 0 to 255."""
    image = pytest.importorskip("PIL.Image")
    picture = image.open(data_dir / "style-photos" / name).convert("RGB")
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    square = picture.crop((left, top, left + side, top + side))
    return np.asarray(square.resize((size, size), image.Resampling.BILINEAR), np.float32)


def test_mlperf_tinys_resnet8_is_right_about_8719_of_the_10000_test_images_of_cifar10(real_models, data_dir):
    pytest.importorskip("h5py")
    model = fc.saving.load_model(real_models / "mlperf-tiny" / "resnet8_cifar10.h5")
    packed = (data_dir / "cifar10-subset" / "test_10k.bin.xz").read_bytes()
    records = np.frombuffer(lzma.decompress(packed), np.uint8).reshape(-1, 3073)
    x, y = records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), records[:, 0]
    assert (model.predict(x, batch_size=250).argmax(1) == y).sum() == 8719  # pixels from 0 to 255
    assert model.get_layer("conv2d").kernel.regularizer.l2 == pytest.approx(1e-4)
    assert model.optimizer.learning_rate == pytest.approx(6.636851594521431e-06)
    assert model.evaluate(x[:250], np.eye(10, dtype=np.float32)[y[:250]], return_dict=True)["accuracy"] > 0.8


def test_mlperf_tinys_person_detector_sees_a_person_in_the_one_photograph_that_has_one(real_models, data_dir):
    pytest.importorskip("h5py")
    model = fc.saving.load_model(real_models / "mlperf-tiny" / "person_mobilenet_v1_025_96.h5")
    names = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg")
    x = np.stack([_photograph(data_dir, name, 96) for name in names]) / 255
    person, *others = model.predict(x)[:, 1]
    assert person == pytest.approx(0.90, abs=0.01)
    assert min(others) > 0.01
    assert max(others) < 0.09


def test_squeezenet_takes_the_transposed_filters_of_a_file_in_pytorchs_order(real_models, data_dir):
    folder = real_models / "squeezenet1.1"
    model = fc.applications.SqueezeNet(weights=folder / "squeezenet1.1.safetensors", version="1.1",
                                       input_shape=(224, 224, 3), classifier_activation=None)
    for i in range(3):
        x, expected = (np.load(folder / f"pair{i}_{what}.npy") for what in ("input", "output"))
        got = model.predict(np.moveaxis(x, 1, -1))
        assert abs(got - expected).max() < 1e-6 * abs(expected).max()  # 8e-7 at most
    for name, label, least in (("chelsea.png", 285, 0.4), ("coffee.png", 967, 0.8)):  # Egyptian cat, espresso
        image = fc.applications.preprocess_input(_photograph(data_dir, name, 224)[None], "torch")
        logits = model.predict(image)[0]
        assert logits.argmax() == label
        assert fc.activations.softmax(logits[None])[0, label] > least


# --- a style network --------------------------------------------------------------------------------------------------
# Johnson, Alahi and Fei-Fei, 2016, with instance normalization (Ulyanov et al., 2016): three convolutions down, five
# residual blocks, two transposed convolutions up, one to colours. Each has three arrays: kernel, shift, scale.

_DOWN, _UP = ((32, 9, 1), (64, 3, 2), (128, 3, 2)), (64, 32)


class _Float64:
    """The same network by NumPy in float64."""

    def __init__(self, arrays):
        names = ["Variable", *(f"Variable_{i}" for i in range(1, len(arrays)))]
        self.left = [arrays[name].astype(np.float64) for name in names]

    def __call__(self, x):
        for _, _, strides in _DOWN:
            x = np.maximum(self.normalized(self.conv(x, strides)), 0)
        for _ in range(5):
            y = np.maximum(self.normalized(self.conv(x)), 0)
            x = x + self.normalized(self.conv(y))
        for _ in _UP:
            x = np.maximum(self.normalized(self.conv_transpose(x)), 0)
        return np.tanh(self.normalized(self.conv(x)))

    def conv(self, x, strides=1):
        kernel = self.left.pop(0)
        k = kernel.shape[0]
        pads = [max((-(-n // strides) - 1) * strides + k - n, 0) for n in x.shape[1:3]]
        x = np.pad(x, [(0, 0), *((p // 2, p - p // 2) for p in pads), (0, 0)])
        windows = np.lib.stride_tricks.sliding_window_view(x, (k, k), (1, 2))[:, ::strides, ::strides]
        return np.einsum("nijcrs,rsck->nijk", windows, kernel, optimize=True)

    def conv_transpose(self, x):
        """Each pixel painted over a window of 3 x 3, two apart: (N, 2 H, 2 W, K), the last row and column cut off."""
        kernel = self.left.pop(0)  # (KH, KW, K, C)
        n, h, w, _ = x.shape
        y = np.zeros((n, 2 * h + 1, 2 * w + 1, kernel.shape[2]))
        for r in range(3):
            for s in range(3):
                y[:, r:r + 2 * h:2, s:s + 2 * w:2] += x @ kernel[r, s].T
        return y[:, :-1, :-1]

    def normalized(self, x):
        shift, scale = self.left.pop(0), self.left.pop(0)
        mean, variance = x.mean((1, 2), keepdims=True), x.var((1, 2), keepdims=True)
        return scale * (x - mean) / np.sqrt(variance + 1e-3) + shift


def test_a_style_network_of_48_arrays_paints_what_it_does_in_float64(real_models, data_dir):
    path = real_models / "style-scream" / "scream.safetensors"
    arrays = safetensors.numpy.load_file(path)
    model = fc.vision.style.StyleNet(weights=path, input_shape=(48, 48, 3))
    assert len(model.weights) == len(arrays) == 48
    x = _photograph(data_dir, "chelsea.png", 48)[None]
    expected = _Float64(arrays)(x.astype(np.float64) / 255)
    assert expected.std() > 0.1, "a picture that is all of one colour would prove nothing"
    # float32 through 16 normalized convolutions; the largest output is 1
    np.testing.assert_allclose((model.predict(x) - 127.5) / 150, expected, atol=2e-5)
