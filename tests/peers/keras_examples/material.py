"""What stands for downloads: data sets of Keras's shapes and types, pictures on disk, batches for `tf.data`."""

from pathlib import Path
from typing import Any

import numpy as np

TRAIN, TEST = 64, 32  # samples


def images_like(shape: tuple[int, ...], classes: int, labels: tuple[int, ...] = ()) -> Any:
    """Return what stands for `load_data` of a data set: images (N, *shape) of uint8, and classes (N, *labels)."""
    def load_data(*_: Any, **__: Any) -> Any:
        rng = np.random.default_rng(0)
        return tuple((rng.integers(0, 256, (n, *shape), "uint8"),
                      (np.arange(n) % classes).astype("uint8").reshape(n, *labels)) for n in (TRAIN, TEST))

    return load_data


#: What the modules of `datasets` return.
DATASETS = {"mnist": images_like((28, 28), 10), "fashion_mnist": images_like((28, 28), 10),
            "cifar10": images_like((32, 32, 3), 10, (1,)), "cifar100": images_like((32, 32, 3), 100, (1,))}


def picture(path: Any, width: int = 96, height: int = 80, seed: int = 0) -> str:
    """Draw a picture, and return its path."""
    from PIL import Image

    rows, columns = np.mgrid[:height, :width] / 9.0
    waves = np.stack([np.sin(rows + seed + k) * np.cos(columns * (1 + k / 3)) for k in range(3)], -1)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((127.5 + 127 * waves).astype("uint8")).save(path)
    return str(path)


def batches(*arrays: Any, size: int = 16) -> list[Any]:
    """Return arrays cut into batches, as a data set of `tf.data` gives them."""
    cut = [tuple(one[k:k + size] for one in arrays) for k in range(0, len(arrays[0]), size)]
    return cut if len(arrays) > 1 else [one for (one,) in cut]
