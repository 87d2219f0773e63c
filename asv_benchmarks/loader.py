"""array_data, augmented_data and datasets: batches of 128 images gathered, changed, or decoded from files."""

import itertools
import statistics
import tempfile
import time
from functools import cache
from pathlib import Path
from types import SimpleNamespace

from .data import REPEAT, labels
from .training import training_step

_BATCH, _IMAGES = 128, 20_000


@cache
def _sources() -> SimpleNamespace:
    """20,000 images of CIFAR's size, as `fit` takes them: in an array, in memory maps, through a pipeline."""
    import numpy as np

    import fastcnn as fc
    from fastcnn import layers
    from fastcnn.array_data import Data
    from fastcnn.augmented_data import AugmentedData
    from fastcnn.data.mapped_rows import MappedRows

    draw, float32 = np.random.default_rng(0), np.dtype(np.float32)
    x, y = draw.integers(0, 256, (_IMAGES, 32, 32, 3), dtype=np.uint8), labels(_IMAGES, 10)
    folder = tempfile.TemporaryDirectory()  # gone with the process
    shards = []
    for k in range(4):
        np.save(Path(folder.name) / f"{k}.npy", x[k::4])
        shards.append(np.load(Path(folder.name) / f"{k}.npy", mmap_mode="r"))
    pipeline = fc.augmentation.Pipeline([layers.RandomFlip("horizontal"), layers.RandomTranslation(0.1, 0.1)],
                                        mean=(120, 110, 100), std=60)
    plain = lambda source: Data([source], [y[:len(source)]], [(None, *source.shape[1:])], float32, "fit")
    changed = lambda source: AugmentedData([source], [y], [None], float32, "fit", None, {0: pipeline})
    return SimpleNamespace(
        order=draw.permutation(_IMAGES), folder=folder, array=plain(x), floats=plain(x.astype(np.float32)),
        map=plain(shards[0]), maps=plain(MappedRows(shards)), augmented=changed(x), augmented_maps=changed(
            MappedRows(shards)))


@cache
def _pictures() -> SimpleNamespace:
    """A JPEG photograph of 640 x 480, of 30 kB, as most folders have them; and 64 of them as a data set."""
    import numpy as np

    from fastcnn import datasets

    try:
        from PIL import Image
    except ImportError:
        raise NotImplementedError("pictures need Pillow") from None
    draw, folder = np.random.default_rng(0), tempfile.TemporaryDirectory()
    for k in range(64):
        path = Path(folder.name) / "ab"[k % 2] / f"{k}.jpg"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(draw.integers(0, 256, (60, 80, 3), dtype=np.uint8)).resize((640, 480)).save(path, quality=80)
    return SimpleNamespace(folder=folder, one=path, data=datasets.load(folder.name, image_size=(96, 128),
                                                                      in_memory=False))


class Batches:
    """One batch, in a shuffled order, of images that lie in an array or in memory maps."""

    params = ("array", "floats", "map", "maps", "augmented", "augmented_maps")
    param_names = ("source",)
    repeat = REPEAT

    def setup(self, source):
        sources = _sources()
        data = getattr(sources, source)
        order = sources.order % len(data)
        parts = itertools.cycle([order[k : k + _BATCH] for k in range(0, _IMAGES - _BATCH, _BATCH)])
        self.next = lambda: data.batch(next(parts), 1)
        self.next()

    def time_next(self, source):
        self.next()


class ShareOfAStep:
    """What share of a training step of the CIFAR network loading takes, by CPU time, in turn."""

    params = ("array", "maps", "augmented")
    param_names = ("source",)
    unit = "share"

    def setup(self, source):
        sources = _sources()
        self.data, self.order, self.step = getattr(sources, source), sources.order, training_step("cifar")

    def track_loading(self, source):
        parts = [self.order[k : k + _BATCH] for k in range(0, 10 * _BATCH, _BATCH)]
        times = []
        for _ in range(5):
            step = _seconds(lambda: self.step())
            times.append((_seconds(lambda: [self.data.batch(part, 1) for part in parts]) / len(parts), step))
        loading, step = (statistics.median(column) for column in zip(*times, strict=True))
        return loading / step


class Pictures:
    """A JPEG of 640 x 480 decoded: whole, and to 128 x 96; by simplejpeg, or Pillow alone."""

    params = ((None, (96, 128)), ("simplejpeg", "Pillow"))
    param_names = ("size", "library")
    repeat = REPEAT

    def setup(self, size, library):
        from fastcnn.datasets import _jpeg

        self.path, self.kept = _pictures().one, _jpeg._library
        if library == "Pillow":
            _jpeg._library = lambda: None
        elif _jpeg._library() is None:
            raise NotImplementedError("simplejpeg is not installed")

    def teardown(self, size, library):
        from fastcnn.datasets import _jpeg

        _jpeg._library = self.kept

    def time_decode(self, size, library):
        from fastcnn.datasets._fitting import Pictures
        from fastcnn.datasets._reading import decoded

        decoded(self.path, Pictures(size))


class PicturesAhead:
    """51 pictures decoded by threads ahead, batch after batch."""

    repeat = REPEAT

    def setup(self):
        import numpy as np

        from fastcnn.array_data import Data

        x = _pictures().data.x_train
        self.data = Data([x], [np.zeros(len(x))], [(None, *x.shape[1:])], np.dtype(np.float32), "fit")

    def time_epoch(self):
        for _ in self.data.batches(16):
            pass


def _seconds(call):
    begin = time.process_time()
    call()
    return time.process_time() - begin
