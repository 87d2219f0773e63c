"""Memory over many steps: loading adds none, in arrays, in memory maps, through a pipeline, from files by threads."""

import re
from pathlib import Path

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import datasets, layers

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux alone tells a process's memory")

PIPELINE = fc.augmentation.Pipeline([layers.RandomFlip("horizontal"), layers.RandomTranslation(0.1, 0.1)], 1, 120, 60)
SHAPE = 12, 12, 1


def own_memory():
    """Return the bytes of this process that are no part of a file."""
    (line,) = re.findall(r"RssAnon:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(line) << 10


def images(folder):
    return np.random.default_rng(0).integers(0, 256, (4000, *SHAPE), dtype=np.uint8)


def memory_map(folder):
    np.save(folder / "x.npy", images(folder))
    return np.load(folder / "x.npy", mmap_mode="r")


def files(folder):
    image = pytest.importorskip("PIL.Image", reason="needs the extra fastcnn[image]")
    for k, one in enumerate(images(folder)[:100]):
        path = folder / f"{k % 2}" / f"{k}.png"
        path.parent.mkdir(exist_ok=True)
        image.fromarray(one[..., 0]).save(path)
    return datasets.load(folder, in_memory=False).x_train


@pytest.mark.slow
@pytest.mark.parametrize("source", [images, memory_map, files])
@pytest.mark.parametrize("pipeline", [None, PIPELINE], ids=["as they are", "augmented"])
def test_ten_thousand_steps_add_less_than_two_megabytes(tmp_path, source, pipeline, two_threads):
    two_threads(2)
    x, seen = source(tmp_path), []
    y = np.arange(len(x)) % 2
    model = fc.Sequential([fc.Input(SHAPE), layers.Flatten(), layers.Dense(2, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")

    def note(batch, logs):
        if model.optimizer.iterations in (1000, 11_000):
            seen.append(own_memory())

    epochs = -(-11_001 // -(-len(x) // 4))
    model.fit(x, y, batch_size=4, epochs=epochs, verbose=0, augmentation=pipeline,
              callbacks=fc.callbacks.LambdaCallback(on_train_batch_end=note))
    assert seen[1] - seen[0] < 2 << 20
