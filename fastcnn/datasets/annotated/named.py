"""The published data sets with boxes, masks and identities: where they are looked for, and what is known of them."""

import os
from collections.abc import Callable
from pathlib import Path

from fastcnn.datasets._fetch import VARIABLE, find_local
from fastcnn.datasets.annotated.boxes import read_boxes
from fastcnn.datasets.annotated.dataset import AnnotatedDataset
from fastcnn.datasets.annotated.masks import read_masks
from fastcnn.datasets.annotated.omniglot import BACKGROUNDS, read_omniglot
from fastcnn.errors import DataError

#: What a folder of each must have.
_SIGNS = {"bccd": ("Annotations", "JPEGImages", "ImageSets"), "nuclei_dsb2018": ("images", "masks", "index.csv"),
          "omniglot": BACKGROUNDS}
_ORIGINS = {"bccd": "github.com/Shenggan/BCCD_Dataset, its folder BCCD",
            "nuclei_dsb2018": "the 2018 Data Science Bowl (BBBC038), as images/, masks/ and index.csv",
            "omniglot": "github.com/brendenlake/omniglot, the archives in its folder python"}
_BCCD_CLASSES = ("RBC", "WBC", "Platelets")


def load_named(name: str, data_dir: str | os.PathLike[str] | None, drop_bad: bool | None) -> AnnotatedDataset:
    """Return a published set.

    Parameters
    ----------
    name : str
        With underscores.
    data_dir : path-like, optional
        Its own folder, or the parent; else that which FASTCNN_DATA names.
    drop_bad : bool, optional
        None: what is known to be wrong with it is left out, and told in its notes.

    Raises
    ------
    DataError
        It is not there: these sets are not downloaded. Faults, if `drop_bad` is False.
    """
    signs = _SIGNS[name]
    is_it = lambda folder: all((folder / sign).exists() for sign in signs)
    look: Callable[[Path], Path | None] = lambda folder: folder if is_it(folder) else None
    found = find_local(name, data_dir, look, ", ".join(signs), is_offered=False)
    if found is None:
        raise DataError(f"{name}: expected its folder, got none: name it or its parent with data_dir (--data-dir) or "
                        f"in {VARIABLE}; it is not downloaded, it comes from {_ORIGINS[name]}")
    if name == "bccd":
        return read_boxes(found, "voc", drop_bad is not False, _BCCD_CLASSES, "bccd")
    if name == "omniglot":
        return read_omniglot(found)
    return read_masks(found, drop_bad is not False, "nuclei-dsb2018")
