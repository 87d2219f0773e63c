"""A folder of pictures as batches, with Keras's arguments: each picture is read when a batch wants it."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastcnn import random
from fastcnn.errors import ArgumentError, DataError, unknown
from fastcnn.geometry.arguments import is_integer
from fastcnn.utils.pictures import color

_ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
_LABEL_MODES = ("int", "categorical", "binary", None)
_SUBSETS = ("training", "validation", "both")


class ImageDataset:
    """Batches of pictures that stay files: `image_dataset_from_directory` makes it, `fit` and its kin take it.

    Iterated over, it gives (images, labels), or images alone where there are no labels: float32 (N, H, W, C), of
    0..255. Threads decode the pictures of the next batches. Where it shuffles, each pass has an order of its own,
    which the seed and the number of the pass decide.

    Parameters
    ----------
    file_paths : list of str
        In the order of the labels.
    labels : ndarray or None
        int32 (N,), as the folders or the caller told.
    class_names : list of str or None
    batch_size : int or None
    shuffle : bool
    seed : int
    **pictures
        How pictures and labels are made, as `image_dataset_from_directory` checks it.

    Examples
    --------
    >>> from pathlib import Path
    >>> for name in ("cat", "dog"):
    ...     Path("pets", name).mkdir(parents=True)
    ...     fc.utils.save_img(f"pets/{name}/1.png", np.ones((8, 8, 3)))
    ...
    >>> pets = fc.utils.image_dataset_from_directory("pets", image_size=(4, 4), verbose=False, shuffle=False)
    >>> [(images.shape, labels) for images, labels in pets]
    [((2, 4, 4, 3), array([0, 1], dtype=int32))]
    """

    def __init__(self, file_paths: list[str], labels: np.ndarray | None, class_names: list[str] | None,
                 batch_size: int | None, shuffle: bool, seed: int, **pictures: Any) -> None:
        self.file_paths, self.labels, self.class_names = file_paths, labels, class_names
        self.batch_size, self._shuffles, self._seed, self._pictures = batch_size, shuffle, seed, pictures
        self._passes = 0

    def __len__(self) -> int:
        return -(-len(self.file_paths) // (self.batch_size or 1))

    def __iter__(self) -> Iterator[Any]:
        from fastcnn.data.ahead import ahead

        count, number = len(self.file_paths), self._passes
        self._passes += 1
        order = np.random.default_rng((self._seed, number)).permutation(count) if self._shuffles else np.arange(count)
        targets = self._targets()
        decoded = ahead(self._decoded, (self.file_paths[k] for k in order))
        size = self.batch_size or 1
        for begin in range(0, count, size):
            some = order[begin:begin + size]
            images = np.stack([self._resized(next(decoded)) for _ in some])
            labels = None if targets is None else targets[some]
            if self.batch_size is None:
                images, labels = images[0], None if labels is None else labels[0]
            yield images if labels is None else (images, labels)

    def get_state(self) -> dict[str, Any]:
        """Return which pass comes next, for a training that another process goes on with."""
        return {"passes": self._passes}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on with what `get_state` returned.

        Parameters
        ----------
        state : dict
        """
        self._passes = int(state["passes"])

    def _targets(self) -> np.ndarray | None:
        mode, labels = self._pictures["label_mode"], self.labels
        if labels is None or mode is None:
            return None
        if mode == "binary":
            return labels.astype(np.float32)[:, None]
        return np.eye(len(self.class_names or ()), dtype=np.float32)[labels] if mode == "categorical" else labels

    def _decoded(self, file: str) -> np.ndarray:
        from fastcnn.datasets._pillow import opened

        channels, mode = color(self._pictures["color_mode"], "ImageDataset")
        with opened(Path(file)) as image:
            deep_grey = channels == 1 and image.mode in ("L", "I;16", "I")
            pixels = np.asarray(image if deep_grey else image.convert(mode), np.float32)
        return pixels if pixels.ndim == 3 else pixels[..., None]

    def _resized(self, pixels: np.ndarray) -> np.ndarray:
        from fastcnn import ops

        height, width = self._pictures["image_size"]
        resized: np.ndarray = ops.image.resize(pixels, (height, width), **self._pictures["fit"])
        return resized

    def __repr__(self) -> str:
        classes = "" if self.class_names is None else f", {len(self.class_names)} classes"
        return f"<ImageDataset of {len(self.file_paths)} pictures{classes}>"


def image_dataset_from_directory(
        directory: str | os.PathLike[str], labels: Any = "inferred", label_mode: str | None = "int",
        class_names: Sequence[str] | None = None, color_mode: str = "rgb", batch_size: int | None = 32,
        image_size: int | tuple[int, int] = (256, 256), shuffle: bool = True, seed: int | None = None,
        validation_split: float | None = None, subset: str | None = None, interpolation: str = "bilinear",
        follow_links: bool = False, crop_to_aspect_ratio: bool = False, pad_to_aspect_ratio: bool = False,
        data_format: str | None = None, format: str | None = None, verbose: bool = True) -> Any:
    """Return the pictures of a folder as batches; with ``subset="both"``, those to train on and those to validate with.

    Files are dealt out as Keras does with the same seed. `fastcnn.datasets.load` reads a folder into arrays, faster
    where they fit into memory.

    Parameters
    ----------
    directory : path-like
        With a folder for each class, or, without inferred labels, with pictures at any depth: .jpg, .jpeg, .png, .bmp
        and .gif, of which the first frame counts.
    labels : "inferred", list of int, or None
        A list has the labels of all pictures in the order of their sorted paths.
    label_mode : str or None
        "int": int32 (N,); "categorical": one-hot rows, float32 (N, K); "binary": float32 (N, 1), of two classes; None:
        no labels.
    class_names : list of str, optional
        The folders that count, in the order of the labels.
    color_mode : str
        "rgb", "grayscale" or "rgba".
    batch_size : int or None
        None gives one picture after the other, (H, W, C).
    image_size : int or (int, int)
        Height and width that pictures are resized to, their values staying 0..255.
    shuffle : bool
        Whether each pass has another order; else files come sorted.
    seed : int, optional
        Of the order, and of which files are for validation.
    validation_split : float, optional
        The part for validation: the last files of the shuffled, or sorted, ones.
    subset : str, optional
        "training", "validation" or "both", with a `validation_split`.
    interpolation : str
        "bilinear", "nearest" or "bicubic".
    follow_links : bool
        Whether folders behind links are looked into.
    crop_to_aspect_ratio, pad_to_aspect_ratio : bool
        Whether the largest middle part is taken, or black is put beside the whole; else pictures are stretched.
    data_format : str, optional
        "channels_last", the only order that is offered.
    format : None
        As in Keras, "tf" or "grain"; it changes nothing.
    verbose : bool
        Whether it is told how many files there are.

    Raises
    ------
    ArgumentError
        If an argument is none of these, or two do not go together.
    DataError
        If there are no pictures, or not as many as labels. One that is damaged is told of by its path when it is read.

    Examples
    --------
    >>> from pathlib import Path
    >>> for name in ("a", "b"):
    ...     Path("letters", name).mkdir(parents=True)
    ...     fc.utils.save_img(f"letters/{name}/1.png", np.ones((8, 8, 3)))
    ...
    >>> letters = fc.utils.image_dataset_from_directory("letters", image_size=16, seed=1, label_mode="binary")
    Found 2 files belonging to 2 classes.
    >>> letters.class_names
    ['a', 'b']
    """
    who = "image_dataset_from_directory"
    pictures = _pictures(who, label_mode if labels is not None else None, color_mode, image_size, data_format, {
        "interpolation": interpolation, "crop_to_aspect_ratio": crop_to_aspect_ratio,
        "pad_to_aspect_ratio": pad_to_aspect_ratio})
    if batch_size is not None and (not is_integer(batch_size) or batch_size < 1):
        raise ArgumentError(f"{who}: expected batch_size to be a positive integer or None, got {batch_size!r}")
    _check_split(who, validation_split, subset, shuffle, seed)
    files, numbers, names = _files(who, Path(directory), labels, class_names, follow_links)
    if label_mode == "binary" and labels is not None and len(names or ()) != 2:
        raise ArgumentError(f'{who}: expected two classes with label_mode="binary", got {names}')
    if label_mode == "categorical" and numbers is not None and not 0 <= min(numbers) <= max(numbers) < len(names or ()):
        raise ArgumentError(f"{who}: expected labels from 0 to {len(names or ()) - 1} with label_mode=\"categorical\", "
                            f"got {min(numbers)} to {max(numbers)}")
    if verbose:
        print(f"Found {len(files)} files{'' if names is None else f' belonging to {len(names)} classes'}.")
    seed = random.next_seed() & 0xFFFFFFFF if seed is None else seed
    if shuffle:  # as Keras does, so that the same seed deals out the same files
        np.random.RandomState(seed).shuffle(files)
        if numbers is not None:
            np.random.RandomState(seed).shuffle(numbers)
    many = int((validation_split or 0) * len(files))
    ends = {None: slice(None), "training": slice(len(files) - many), "validation": slice(len(files) - many, None)}
    made = []
    for part in ("training", "validation") if subset == "both" else (subset,):
        some = files[ends[part]]
        if not some:
            raise DataError(f"{directory}: expected pictures for {part}, got none of {len(files)}; change "
                            f"validation_split")
        if verbose and part is not None:
            print(f"Using {len(some)} files for {part}.")
        own = None if numbers is None else np.array(numbers[ends[part]], np.int32)
        made.append(ImageDataset(some, own, names, batch_size, shuffle and not (
            subset == "both" and part == "validation"), seed, **pictures))
    return made if subset == "both" else made[0]


def _pictures(who: str, label_mode: Any, color_mode: Any, image_size: Any, data_format: Any, fit: dict[str, Any]
              ) -> dict[str, Any]:
    """Return how pictures become images, checked."""
    if label_mode not in _LABEL_MODES:
        raise ArgumentError(unknown(f"{who}: label_mode", label_mode, [one for one in _LABEL_MODES if one]))
    if data_format not in (None, "channels_last"):
        raise ArgumentError(f"{who}: data_format={data_format!r} is not offered; images are channels-last, (H, W, C)")
    size = (image_size, image_size) if is_integer(image_size) else image_size
    if not isinstance(size, (tuple, list)) or len(size) != 2 or not all(is_integer(n) and n > 0 for n in size):
        raise ArgumentError(f"{who}: expected image_size=(height, width) of positive integers, got {image_size!r}")
    from fastcnn.layers import Resizing

    color(color_mode, who)
    Resizing(*size, **fit)  # says what is wrong with these
    return {"label_mode": label_mode, "color_mode": color_mode, "image_size": tuple(size), "fit": fit}


def _check_split(who: str, validation_split: Any, subset: Any, shuffle: bool, seed: Any) -> None:
    if validation_split is not None and not (isinstance(validation_split, (int, float)) and 0 < validation_split < 1):
        raise ArgumentError(f"{who}: expected 0 < validation_split < 1, got {validation_split!r}")
    if subset is not None and subset not in _SUBSETS:
        raise ArgumentError(unknown(f"{who}: subset", subset, _SUBSETS))
    if (validation_split is None) != (subset is None):
        raise ArgumentError(f"{who}: expected validation_split and subset together, got validation_split="
                            f"{validation_split!r} and subset={subset!r}")
    if validation_split is not None and shuffle and seed is None and subset != "both":
        raise ArgumentError(f"{who}: expected a seed where one part of shuffled files is asked for, got none; else the "
                            f"two parts would share files")
    if seed is not None and not (is_integer(seed) and 0 <= seed < 2**32):
        raise ArgumentError(f"{who}: expected a seed from 0 to 2**32 - 1, got {seed!r}")


def _files(who: str, root: Path, labels: Any, class_names: Any, follow_links: bool
           ) -> tuple[list[str], list[int] | None, list[str] | None]:
    """Return the paths of all pictures, sorted, with their labels and the names of the classes."""
    if not root.is_dir():
        raise DataError(f"{root}: expected a folder of pictures, got {'a file' if root.exists() else 'nothing'}; check "
                        f"the path")
    if isinstance(labels, str) and labels == "inferred":
        folders = sorted(entry.name for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("."))
        names = folders if class_names is None else list(class_names)
        if not names or not set(names) <= set(folders):
            raise ArgumentError(f"{who}: expected class_names of folders in {root}, {', '.join(folders) or 'none'}, "
                                f"got {class_names}")
        found = [_within(root / name, follow_links) for name in names]
        files, numbers = [file for some in found for file in some], [k for k, some in enumerate(found) for _ in some]
        if not files:
            raise DataError(f"{root}: expected pictures ({', '.join(_ENDINGS)}) in its folders, got none")
        return files, numbers, names
    if class_names is not None:
        raise ArgumentError(f'{who}: expected class_names with labels="inferred" alone, got {class_names!r}')
    if labels is not None and not (isinstance(labels, (list, tuple)) and all(map(is_integer, labels))):
        raise ArgumentError(f'{who}: expected labels "inferred", None or a list of integers, got {labels!r}')
    files = _within(root, follow_links)
    if not files:
        raise DataError(f"{root}: expected pictures ({', '.join(_ENDINGS)}), got none")
    if labels is None:
        return files, None, None
    if len(labels) != len(files):
        raise DataError(f"{root}: expected as many labels as pictures, {len(files)}, got {len(labels)}")
    return files, [int(one) for one in labels], [str(one) for one in sorted(set(labels))]


def _within(folder: Path, follow_links: bool) -> list[str]:
    walk = sorted(os.walk(folder, followlinks=follow_links), key=lambda one: one[0])
    return [os.path.join(where, name) for where, _, names in walk for name in sorted(names)
            if name.lower().endswith(_ENDINGS)]
