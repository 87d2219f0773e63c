"""Data sets: seven by name, and a user's own from idx files, an .npz file, pictures in folders, or a table.

``fastcnn.datasets.mnist.load_data()`` is Keras's; `load` returns the same data as a `Dataset`, which also knows
the class names, the scale of the pixels and where they came from. Pictures with boxes, masks or persons become an
`AnnotatedDataset`.
"""

import importlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from fastcnn import unsupported
from fastcnn.datasets import cifar10, cifar100, digits, fashion_mnist, image, mnist
from fastcnn.datasets._assembly import warn_of_untested
from fastcnn.datasets._checking import check
from fastcnn.datasets._columns import NOTHING_ASKED, TableColumns, check_columns, require_no_columns
from fastcnn.datasets._dataset import Dataset
from fastcnn.datasets._fetch import ANNOTATED
from fastcnn.datasets._fitting import FITS, Fit, Pictures, check_pictures, require_in_memory, require_none
from fastcnn.datasets._own import dataset_at, holds_pictures, is_picture_folder, is_table
from fastcnn.datasets._stratified import stratified_split
from fastcnn.errors import ArgumentError, unknown
from fastcnn.formats.files import expanded

if TYPE_CHECKING:
    from fastcnn.datasets.annotated.dataset import AnnotatedDataset
    from fastcnn.datasets.annotated.faults import Fault
    from fastcnn.datasets.annotated.identities import IdentityImages, OneShotRun
    from fastcnn.datasets.annotated.letterboxing import Letterboxed
    from fastcnn.datasets.annotated.loading import task_of
    from fastcnn.datasets.annotated.masked_images import MaskedImage, MaskedImages
    from fastcnn.datasets.annotated.records import BoxedImage, BoxedImages
    from fastcnn.datasets.annotated.writing import write_boxes

#: Where the names of annotated pictures are: imported once they are asked for, since few need them.
_PLACES = {"AnnotatedDataset": "dataset", "BoxedImage": "records", "BoxedImages": "records", "Fault": "faults",
           "IdentityImages": "identities", "Letterboxed": "letterboxing", "MaskedImage": "masked_images",
           "MaskedImages": "masked_images", "OneShotRun": "identities", "task_of": "loading", "write_boxes": "writing"}

__all__ = [
    "AnnotatedDataset", "BoxedImage", "BoxedImages", "Dataset", "Fault", "IdentityImages", "Letterboxed", "MaskedImage",
    "MaskedImages", "OneShotRun", "Pictures", "annotated_names", "check", "cifar10", "cifar100", "digits",
    "fashion_mnist", "fits", "holds_pictures", "image", "is_picture_folder", "load", "load_table", "mnist", "names",
    "stratified_split", "task_of", "write_boxes",
]

_by_name = {"digits": digits, "mnist": mnist, "fashion_mnist": fashion_mnist, "cifar10": cifar10,
            "cifar100": cifar100}
#: The sets of pictures with classes that `load` knows by name.
names = tuple(_by_name)
#: Those with boxes, masks or identities.
annotated_names = ANNOTATED
#: How pictures of another shape may be brought to the size that is wanted.
fits = FITS


@overload  # the names that are known mean what they say, though they are texts as paths are
def load(name_or_path: Literal["bccd", "nuclei-dsb2018", "omniglot"],  # type: ignore[overload-overlap]
         data_dir: str | os.PathLike[str] | None = None, *, drop_bad: bool | None = None) -> "AnnotatedDataset": ...


@overload
def load(name_or_path: str | os.PathLike[str], data_dir: str | os.PathLike[str] | None = None, *,
         task: Literal["detection", "segmentation", "identity"], drop_bad: bool | None = None,
         classes: Sequence[str] | None = None, box_form: str | None = None) -> "AnnotatedDataset": ...


@overload
def load(name_or_path: str | os.PathLike[str], data_dir: str | os.PathLike[str] | None = None, *,
         image_size: tuple[int, int] | None = None, fit: Fit = "crop", channels: int | None = None,
         white: int | None = None, skip_damaged: bool = False, in_memory: bool = True,
         task: Literal["classification"] | None = None, drop_bad: bool | None = None,
         classes: Sequence[str] | None = None, box_form: str | None = None) -> Dataset: ...


def load(
    name_or_path: str | os.PathLike[str],
    data_dir: str | os.PathLike[str] | None = None,
    *,
    image_size: tuple[int, int] | None = None,
    fit: Fit = "crop",
    channels: int | None = None,
    white: int | None = None,
    skip_damaged: bool = False,
    in_memory: bool = True,
    task: str | None = None,
    drop_bad: bool | None = None,
    classes: Sequence[str] | None = None,
    box_form: str | None = None,
) -> "Dataset | AnnotatedDataset":
    """Load a data set by its name, or a user's own by its path.

    Parameters
    ----------
    name_or_path : str or path-like
        ``"digits"``, ``"mnist"``, ``"fashion_mnist"`` (or ``"fashion-mnist"``), ``"cifar10"`` or ``"cifar100"``; of
        boxes ``"bccd"`` (blood cells), of masks ``"nuclei-dsb2018"``, of identities ``"omniglot"``; else a path of

        - an ``.npz`` file with x_train, y_train, x_test, y_test, or with x and y (every fifth image of each class
          is then a test image), and optionally the names of the classes as strings in ``classes``;
        - a folder of four idx files with MNIST's names, packed by gzip or not, images (N, H, W) or (N, H, W, C), or
          the folder whose ``raw`` that is;
        - a folder with CIFAR-10's binary version;
        - a folder of pictures with one sub-folder a class. Every fifth picture of each class, by name, is a test
          picture, unless the sub-folders lie in ``train`` and ``test`` (or ``val``, ``valid`` ...). What is hidden or
          put there by a system does not count.
        - a folder that ``fastcnn data pack`` wrote: the images stay on the disk, as memory maps.
        - a table, a ``.csv``, that names pictures or has features: see `load_table`;
        - boxes: a folder of Pascal VOC's (``Annotations`` and ``JPEGImages``), YOLO's (``images``, ``labels`` and
          ``data.yaml`` or ``classes.txt``) or COCO's (``annotations`` and ``images``), or a ``.json`` of COCO's;
        - masks: a folder with ``images`` and ``masks``, one map a picture or a folder of one file an object;
        - with `task` "identity", a folder with a sub-folder for each person.

        A folder that is called like a data set is named by a path: ``"./mnist"``.
    data_dir : path-like, optional
        For names: the folder of the data set or its parent. Without it, the folder that the environment variable
        FASTCNN_DATA names is looked into, and then the data set is downloaded once into the user's cache; those with
        boxes, masks and identities are not.
    image_size, fit, channels, white, skip_damaged
        What to make of pictures of other sizes, shapes, colours and depths, and of files that cannot be read: see
        `Pictures`. `Dataset.pictures` of one folder, as a dict, has another read in the same way.
    in_memory : bool
        False, for pictures alone: they are decoded once, to see that they can be, and then again whenever a batch of
        `fit` asks for them, by threads ahead of the step. The images and the bits of a training are the same.
    task : {"classification", "detection", "segmentation", "identity"}, optional
        What the pictures are for. Absent, what lies in the folder tells it, but for persons.
    drop_bad : bool, optional
        Leave out boxes, masks and pictures with faults, and count them (`AnnotatedDataset.notes`, `.faults`). Otherwise
        they are an error that names each. Absent, only what is known to be wrong with a published set is left out.
    classes : sequence of str, optional
        The names of the classes of boxes, where files do not tell them all: any other is a fault.
    box_form : str, optional
        How a file's four numbers tell a box, if not as its kind does: "corners", "sizes" (left, top, width, height) or
        "centres" in pixels, "shares of corners" or "shares of centres".

    Returns
    -------
    dataset : Dataset or AnnotatedDataset
        With boxes, masks or persons the latter, whose pictures have their own sizes and stay files.

    Raises
    ------
    ArgumentError
        Neither a known name nor an existing path; `data_dir` with a path; arguments for pictures without pictures.
    DataError
        Files that are missing, damaged, or hold what cannot be trained on; a download without an answer.
    ImportError
        Pictures, without Pillow.
    """
    asked = Pictures(image_size, fit, channels, white, skip_damaged)
    found = _task_of(name_or_path) if task is None else task
    if found not in (None, "classification"):
        from fastcnn.datasets.annotated.loading import load_annotated

        require_none(asked, f"{name_or_path}, a set for {found}")
        return load_annotated(name_or_path, data_dir, str(found), drop_bad, classes, box_form)
    if drop_bad is not None or classes is not None or box_form is not None:
        raise ArgumentError(f"datasets.load: expected drop_bad, classes and box_form with boxes, masks or persons, got "
                            f"them with {name_or_path}; leave them out")
    data = read(name_or_path, data_dir, asked, in_memory=in_memory)
    _warn_if_untested(expanded(name_or_path), data)
    return data


def _task_of(name_or_path: Any) -> str | None:
    """Return the task of a set; the sets of pictures with classes need no look."""
    if not isinstance(name_or_path, str | os.PathLike) or str(name_or_path).replace("-", "_") in _by_name:
        return None
    from fastcnn.datasets.annotated.loading import task_of

    return task_of(name_or_path)


def load_table(
    path: str | os.PathLike[str],
    *,
    labels: str | Sequence[str] | None = None,
    ignore: str | Sequence[str] = (),
    regression: bool | None = None,
    image_size: tuple[int, int] | None = None,
    fit: Fit = "crop",
    channels: int | None = None,
    white: int | None = None,
    skip_damaged: bool = False,
    in_memory: bool = True,
) -> Dataset:
    """Load a table: UTF-8, with commas, semicolons or tabs between values. Its first line names the columns.

    ============================  ===================================================================================
    ``file``                      a picture, its path from the table's folder. Without this column all other columns
                                  are features: numbers, which `Dataset.x_train` has as (N, F)
    ``label``                     what is learned; ``label_a``, ``label_b`` ... are several labels
    ``split``                     train, dev or test. Without it every fifth example of each class is a test example
    ``weight``                    the weight of a sample (`Dataset.w_train`); of features it is called ``sample_weight``
    ============================  ===================================================================================

    The cells of the labels say what is learned (`Dataset.task`). One column with numbers, some written with a point or
    an exponent, is a regression; any other has the names of classes. Several columns of 1 and 0 are labels of yes and
    no, where an empty cell is an unknown one; several of numbers with fractions are a regression.

    Parameters
    ----------
    path : path-like
    labels : str or sequence of str, optional
        The columns to learn, if they have other names.
    ignore : str or sequence of str
        TableColumns that are no features: a number of a patient, a name.
    regression : bool, optional
        True: labels are numbers to learn, even if all are whole; False: they are names of classes.
    image_size, fit, channels, white, skip_damaged, in_memory
        Of pictures, as in `load`.

    Returns
    -------
    dataset : Dataset

    Raises
    ------
    ArgumentError
        A path of no table; a column that there is not; arguments for pictures without pictures.
    DataError
        What is wrong with a line, with its number and the column: a missing cell, text, NaN or infinity where numbers
        are, an unknown part, a picture that is named twice or is not there; targets that are all equal or unknown.
    ImportError
        Pictures, without Pillow.

    Examples
    --------
    >>> with open("houses.csv", "w") as file:
    ...     for row in [("rooms", "age", "price"), *((k % 7, k, 90.5 + 20 * (k % 7)) for k in range(40))]:
    ...         print(*row, sep=",", file=file)
    ...
    >>> data = fc.datasets.load_table("houses.csv", labels="price")
    >>> data.task, data.features, data.x_train.shape, data.y_train[:3].tolist()
    ('regression', ('rooms', 'age'), (32, 2), [90.5, 110.5, 130.5])
    """
    who = "datasets.load_table"
    columns = check_columns(labels, ignore, regression, who)
    path = expanded(path)
    if not is_table(path):
        raise ArgumentError(f"{who}: expected the path of a table, a .csv file, got {os.fspath(path)!r}; "
                            f"datasets.load takes other data")  # fmt: skip
    data = read(path, None, Pictures(image_size, fit, channels, white, skip_damaged), columns, in_memory)
    _warn_if_untested(path, data)
    return data


def read(name_or_path: str | os.PathLike[str], data_dir: str | os.PathLike[str] | None, asked: Pictures,
         columns: TableColumns = NOTHING_ASKED, in_memory: bool = True) -> Dataset:
    """Return what `load` returns, for those who deal the examples out to parts of their own.

    Parameters
    ----------
    name_or_path, data_dir
        As of `load`.
    asked : Pictures
    columns : TableColumns
        Of a table.
    in_memory : bool
    """
    pictures = check_pictures(asked, "datasets.load")
    if isinstance(name_or_path, str) and name_or_path.replace("-", "_") in _by_name:
        require_none(pictures, name_or_path)
        require_no_columns(columns, name_or_path)
        require_in_memory(in_memory, name_or_path)
        return _by_name[name_or_path.replace("-", "_")].dataset(data_dir)
    if str(name_or_path).replace("_", "-") in ANNOTATED:
        raise ArgumentError(f"{name_or_path}: expected a data set of pictures with classes, got one with boxes, masks "
                            f"or identities, which fc.datasets.load reads and `fastcnn data check` shows")
    if not isinstance(name_or_path, str | os.PathLike) or not os.fspath(name_or_path):
        raise ArgumentError(unknown("datasets.load: data set", name_or_path, names) + ", or the path of your own")
    path = expanded(name_or_path)
    if not path.exists():
        raise ArgumentError(
            unknown("datasets.load: data set", str(name_or_path), names) + "; no file or folder has that name either"
        )
    if data_dir is not None:
        raise ArgumentError(
            f"datasets.load: expected data_dir only with one of the names {', '.join(names)}, "
            f"got it with the path {path}; leave data_dir out"
        )
    return dataset_at(path, pictures, columns, in_memory)


def _warn_if_untested(path: Path, data: Dataset) -> None:
    if data.origin.order is not None and data.task == "classification":  # it came without a test part
        warn_of_untested(path, data)


if not TYPE_CHECKING:  # else type checkers would believe in any name
    def __getattr__(name: str) -> Any:
        if name in _PLACES:
            return getattr(importlib.import_module(f"fastcnn.datasets.annotated.{_PLACES[name]}"), name)
        return unsupported.names_of("datasets")(name)
