"""augmentation/ and kernels/cpu/augmentation/: pictures mirrored, turned, moved, coloured and standardized."""

import statistics
import time
from functools import cache, partial
from types import SimpleNamespace

from .data import REPEAT, written

SIZES = (32, 224)
_COUNT = {32: 128, 224: 16}  # images of a batch


@cache
def _calls(size: int) -> SimpleNamespace:
    import numpy as np

    import fastcnn as fc
    from fastcnn import layers
    from fastcnn.geometry import warp
    from fastcnn.kernels import cpu

    count = _COUNT[size]
    x = np.random.default_rng(0).integers(0, 256, (count, size, size, 3)).astype(np.uint8)
    y, dy, dx = (written(count, size, size, 3) for _ in range(3))
    matrices = warp.rotations(np.linspace(-0.2, 0.2, count), (size, size)).reshape(-1, 9)
    moved, none, free = np.empty((0, 0, 0, 2), np.float32), np.empty((0, 0, 1)), np.array([-np.inf, np.inf])
    colors, bounds = np.tile(np.eye(3, 4), (count, 1, 1)), np.array([0.0, 255.0])
    turns = np.full((count, 2), 0.9)
    sums, scales = np.empty((count, 3)), np.array([[0.02] * 3, [-2.0] * 3])
    no_turns, no_scales = np.empty((0, 2)), np.empty((0, 0))
    geometry = [
        layers.RandomFlip("horizontal"), layers.RandomRotation(0.03), layers.RandomTranslation(0.1, 0.1)]
    affine = fc.augmentation.Pipeline([*geometry, layers.RandomBrightness(0.2), layers.RandomContrast(0.2)],
                                      mean=(120, 110, 100), std=60)
    jitter = fc.augmentation.Pipeline([*geometry, layers.RandomColorJitter((0, 255), 0.2, 0.2, (0.4, 0.6), 0.1)],
                                      mean=(120, 110, 100), std=60)
    numbers = np.arange(count)
    calls = SimpleNamespace(
        pipeline=partial(affine, x, numbers), jitter=partial(jitter, x, numbers),
        warp=partial(cpu.augment, y, x, matrices, moved, none, no_turns, none, free, no_scales, warp.sampling()),
        color=partial(cpu.augment, y, x, matrices, moved, colors, turns, none, bounds, scales, warp.sampling()),
        warp_backward=partial(cpu.warp_backward, dx, dy, matrices, moved, warp.sampling()),
        color_backward=partial(cpu.color_backward, dx, sums, dy, dy, colors, turns, bounds),
        means=partial(cpu.channel_means, sums, x), pictures=x)
    for name, call in vars(calls).items():
        if name != "pictures":
            call()
    return calls


@cache
def _more_calls(size: int) -> SimpleNamespace:
    import numpy as np

    import fastcnn as fc
    from fastcnn import layers
    from fastcnn.kernels import cpu

    count, pictures = _COUNT[size], _calls(size).pictures
    x = pictures.astype(np.float32)
    y, scratch = (written(count, size, size, 3) for _ in range(2))
    half, numbers = np.tile([[0, 0, size // 2, size]], (count, 1)), np.arange(count)
    words, bounds = np.stack([numbers, numbers + 7], axis=1), np.array([0.0, 255.0])
    codes, drawn = np.arange(count) % 5, np.full((count, 2), 3.0)
    window = np.full((count, 7), 1 / 7, np.float32)
    partners, weights = np.roll(numbers, 1), np.full(count, 0.7)
    several = fc.augmentation.Pipeline([layers.RandAugment()])
    calls = SimpleNamespace(
        rand_augment=partial(several, pictures, numbers),
        fill_boxes=partial(cpu.fill_boxes, y, x, half, words, np.zeros(3), np.full(count, 9.0), 1.0, bounds),
        mix_images=partial(cpu.mix_images, y, x, partners, weights, half),
        mix_images_backward=partial(cpu.mix_images_backward, y, x, np.argsort(partners), weights, half),
        blur=partial(cpu.blur, y, scratch, x, window, window),
        tone_images=partial(cpu.tone_images, y, np.empty((count, 3, 256)), x, codes, drawn, bounds),
        tone_images_backward=partial(cpu.tone_images_backward, y, x, x, codes, drawn, bounds))
    for call in vars(calls).values():
        call()
    return calls


class Augmentation:
    """Batches of 8-bit pictures, 128 of 32 x 32 and 16 of 224 x 224."""

    params = SIZES
    param_names = ("size",)
    repeat = REPEAT

    def setup(self, size):
        self.calls = _calls(size)

    def time_pipeline(self, size):
        self.calls.pipeline()

    def time_pipeline_with_hue_and_saturation(self, size):
        self.calls.jitter()

    def time_warp(self, size):
        self.calls.warp()

    def time_warp_and_color(self, size):
        self.calls.color()

    def time_warp_backward(self, size):
        self.calls.warp_backward()

    def time_color_backward(self, size):
        self.calls.color_backward()

    def time_channel_means(self, size):
        self.calls.means()


class PatchesAndTones:
    """The same batches: noise in half of each image, mixtures, a blur of 7 x 7, tones; and RandAugment."""

    params = SIZES
    param_names = ("size",)
    repeat = REPEAT

    def setup(self, size):
        self.calls = _more_calls(size)

    def time_rand_augment(self, size):
        self.calls.rand_augment()

    def time_fill_boxes(self, size):
        self.calls.fill_boxes()

    def time_mix_images(self, size):
        self.calls.mix_images()

    def time_mix_images_backward(self, size):
        self.calls.mix_images_backward()

    def time_blur(self, size):
        self.calls.blur()

    def time_tone_images(self, size):
        self.calls.tone_images()

    def time_tone_images_backward(self, size):
        self.calls.tone_images_backward()


class AgainstKeras:
    """How many times as fast as Keras's RandomRotation alone the whole pipeline is: one core, in turn, by CPU time."""

    params = SIZES
    param_names = ("size",)
    unit = "times"

    def setup(self, size):
        import os

        os.environ.setdefault("KERAS_BACKEND", "torch")
        try:
            import keras
            import torch
        except ImportError:
            raise NotImplementedError("Keras and PyTorch are not installed") from None
        torch.set_num_threads(1)
        self.calls, self.rotation = _calls(size), keras.layers.RandomRotation(0.03)

    def track_flip_rotation_shift_color_and_standardizing(self, size):
        return self._ratio(self.calls.pipeline)

    def track_the_same_with_hue_and_saturation(self, size):
        return self._ratio(self.calls.jitter)

    def _ratio(self, ours):
        import numba
        import numpy as np

        x, before = self.calls.pictures.astype(np.float32), numba.get_num_threads()
        numba.set_num_threads(1)
        try:
            times = [(_seconds(partial(self.rotation, x, training=True)), statistics.median(
                _seconds(ours) for _ in range(7))) for _ in range(5)]
        finally:
            numba.set_num_threads(before)
        theirs, own = (statistics.median(column) for column in zip(*times, strict=True))
        return theirs / own


def _seconds(call):
    begin = time.process_time()
    call()
    return time.process_time() - begin
