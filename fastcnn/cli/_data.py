"""Which data set a command works on, and its images as a model takes them."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastcnn import datasets
from fastcnn.cli._in_memory import COPIES, fits_in_memory
from fastcnn.cli._pixels import Pixels
from fastcnn.cli._saved import Saved
from fastcnn.cli._table_columns import require_a_table
from fastcnn.data.mapped_rows import MappedRows
from fastcnn.datasets import Dataset, Pictures
from fastcnn.datasets._columns import NOTHING_ASKED, TableColumns
from fastcnn.datasets._fitting import Fit
from fastcnn.datasets._own import is_table
from fastcnn.errors import ArgumentError, DataError
from fastcnn.formats.files import expanded

_BLOCK = 1000  # images
_NUMBERS = 1 << 27  # of them, at most
_LEAST_STD = 1e-6


def choose_dataset(given: str | None, data_dir: str | None, saved: Saved | None) -> tuple[str, str | None]:
    """Return name or absolute path of a data set, and the folder it is in.

    What was given goes first, then what the saved model's run was trained on; without a saved model the digits.

    Raises
    ------
    ArgumentError
        If the saved model lies in no run, so that nobody knows what it was trained on.
    """
    name = given
    if name is None and saved is not None:
        if saved.config is None:
            raise ArgumentError(f"{saved.path}: expected --dataset, as no run's config.json lies beside it; name one")
        name, data_dir = saved.config.dataset, data_dir or saved.config.data_dir
    name = name or "digits"
    is_own = name.replace("-", "_") not in datasets.names and expanded(name).exists()
    return (absolute(name) if is_own else name), (absolute(data_dir) if data_dir else None)


def absolute(path: str) -> str:
    """Return a path that still holds in another folder."""
    return str(expanded(path).resolve())


def load_dataset(
    dataset: tuple[str, str | None],
    saved: Saved | None,
    size: tuple[int, int] | None = None,
    fit: Fit | None = None,
    skip_damaged: bool = False,
    columns: TableColumns = NOTHING_ASKED,
    in_memory: bool | None = None,
    copies: int = COPIES,
) -> Dataset:
    """Return a data set; pictures are read as those were that the saved model was trained on.

    Parameters
    ----------
    dataset : (name or path, folder or None)
        As `choose_dataset` returns it.
    saved : Saved or None
    size, fit, skip_damaged
        What was given for pictures.
    columns : TableColumns
        What was given for a table; with `saved` what the model was trained on.
    in_memory : bool or None
        Whether pictures are decoded once. None: as long as there is memory for them; else a note of the data set tells.
    copies : int
        How many times the bytes of the pixels are needed.

    Raises
    ------
    ArgumentError
        Something for pictures with a data set that has none, or with a model that decides it; for a table without one.
    DataError
        As `datasets.load`.
    """
    if dataset[0].replace("-", "_") in datasets.names or not is_table(expanded(dataset[0])):
        if saved is None:
            require_a_table(columns, dataset[0])
        columns = NOTHING_ASKED
    given = [name for name, value in (("--size", size), ("--fit", fit), ("--skip-damaged", skip_damaged),
                                      ("--from-files", in_memory is False)) if value]
    name, folder = dataset
    if name.replace("-", "_") in datasets.names or not datasets.holds_pictures(expanded(name)):
        if given and (folder is not None or name in datasets.names or Path(name).exists()):
            raise ArgumentError(f"{given[0]}: expected a folder of pictures or a table as the data set, got {name}; "
                                "leave it out")  # fmt: skip
        return datasets.read(name, folder, Pictures(), columns)
    if saved is None:
        asked = Pictures(size, fit or "crop", skip_damaged=skip_damaged)
        return _read_pictures(name, folder, asked, columns, in_memory, copies)
    if len(saved.model.input_shape) != 4:
        raise DataError(f"{name}: expected rows of features, on which {saved.path} was trained, got pictures")
    height, width, channels = saved.model.input_shape[1:]
    known = saved.pictures
    for option, value, own in (("--size", size, (height, width)), ("--fit", fit, known["fit"])):
        if value is not None and value != own:
            raise ArgumentError(f"{option}: expected none, as {saved.path} was trained on pictures of {width}x{height} "
                                f"({known['fit']}); leave it out")  # fmt: skip
    skip = skip_damaged or (saved.config is not None and saved.config.dataset == name and saved.config.skip_damaged)
    return _read_pictures(name, folder, Pictures(
        image_size=(height, width) if height and width else None,
        channels=channels if channels in (1, 3) else None, skip_damaged=skip, **known,
    ), columns, in_memory, copies)  # fmt: skip


def _read_pictures(name: str, folder: str | None, asked: Pictures, columns: TableColumns, in_memory: bool | None,
                   copies: int) -> Dataset:
    notes: tuple[str, ...] = ()
    if in_memory is None and folder is None:  # else the folder is refused
        in_memory, notes = fits_in_memory(expanded(name), asked.image_size, columns, copies)
    data = datasets.read(name, folder, asked, columns, in_memory=in_memory is not False)
    return dataclasses.replace(data, notes=(*data.notes, *notes)) if notes else data


def pack_dataset(name: str, data_dir: str | None, folder: Path, size: tuple[int, int] | None, fit: Fit | None,
                 skip_damaged: bool, columns: TableColumns = NOTHING_ASKED) -> Dataset:
    """Write a data set into a folder that is there and empty: see `load_dataset` for the rest."""
    from fastcnn.datasets._packing import pack_arrays, pack_pictures

    dataset = choose_dataset(name, data_dir, None)
    own = expanded(dataset[0])
    if dataset[0].replace("-", "_") in datasets.names or not datasets.holds_pictures(own):
        return pack_arrays(load_dataset(dataset, None, size, fit, skip_damaged, columns), folder)
    if not is_table(own):
        require_a_table(columns, name)
    return pack_pictures(own, Pictures(size, fit or "crop", skip_damaged=skip_damaged), folder, columns)


def standard_of(saved: Saved, pixels: Pixels, tell: Callable[[str], Any]) -> "Standard":
    """Return how images become a saved model's input: as it was trained, else as one says.

    Parameters
    ----------
    saved : Saved
    pixels : Pixels
        Where nothing is said, they are 0 to 1, which is then told.
    tell : function

    Raises
    ------
    ArgumentError
        If the file tells it, and something is said, too; numbers for another number of channels.
    """
    if "mean" in saved.metadata:
        if pixels.option is not None:
            option, _, value = pixels.option.partition(" ")
            raise ArgumentError(f"{saved.path}: expected no {option}, since the file tells what pixels the model "
                                f"takes, got {value}")
        return Standard.saved_in(saved.metadata)
    if pixels.mean is not None and pixels.std is not None:
        channels, given = saved.model.input_shape[-1], (pixels.mean, pixels.std)
        for option, values in zip(("--mean", "--std"), given, strict=True):
            if len(values) not in (1, channels):
                raise ArgumentError(f"{option}: expected a number for each of the {channels} channels that "
                                    f"{saved.path} takes, or one for all, got {len(values)}")
        return Standard(*given)
    if pixels.white is None:
        tell(f"note   {saved.path} does not tell what pixels the model takes: 0 to 1 here; --white 255 for 0 to 255, "
             f"--mean and --std for others")
    return Standard(std=(1 / (pixels.white or 1),))


class Standard(NamedTuple):
    """What pixels from 0 to 1 are shifted and divided by, a number a channel; saved with the model.

    A network learns faster from inputs around 0 of variance 1: three epochs of MNIST bring LeNet-5 to 0.983 instead of
    0.977, all else equal.

    Attributes
    ----------
    mean, std : tuple of float

    References
    ----------
    LeCun, Bottou, Orr, Mueller: Efficient BackProp, 1998, section 4.3.
    """

    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)

    @classmethod
    def of(cls, x: NDArray[Any], scale: float) -> "Standard":
        """Return mean and standard deviation of each channel of images (N, H, W, C) with values 0 to `scale`.

        Features (N, F) stay as they are: their model standardizes them.
        """
        if x.ndim == 2:
            return cls()
        total = squares = np.zeros(x.shape[-1])
        images = max(1, min(_BLOCK, _NUMBERS * len(x) // max(1, x.size)))
        for begin in range(0, len(x), images):  # the sums need float64, the images would not fit so
            block = x[begin : begin + images].astype(np.float64) / scale
            total = total + block.sum(axis=(0, 1, 2))
            squares = squares + (block * block).sum(axis=(0, 1, 2))
        mean = total / (x.size // x.shape[-1])
        std = np.sqrt(np.maximum(squares / (x.size // x.shape[-1]) - mean * mean, 0))
        return cls(tuple(mean.tolist()), tuple(np.where(std > _LEAST_STD, std, 1).tolist()))

    @classmethod
    def saved_in(cls, metadata: dict[str, Any]) -> "Standard":
        """Return what a model was saved with; the identity for one that was not trained by this command line."""
        return cls(tuple(metadata.get("mean", (0.0,))), tuple(metadata.get("std", (1.0,))))

    def images(self, x: Any, scale: float) -> Any:
        """Return images with values 0 to `scale` as a model's input, float32; memory maps stay where they lie."""
        if x.ndim == 2:  # features, which the model standardizes
            return x
        mean, std = np.array(self.mean), np.array(self.std)
        factor, offset = (1 / (scale * std)).astype(np.float32), (mean / std).astype(np.float32)
        if isinstance(x, np.memmap | MappedRows):  # standardized batch by batch
            return MappedRows.joined([x]).scaled(factor, offset)
        out: NDArray[np.float32] = np.multiply(x, factor, dtype=np.float32)
        out -= offset
        return out
