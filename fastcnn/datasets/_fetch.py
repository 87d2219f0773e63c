"""Where a published data set is: the folder given, the folder of FASTCNN_DATA, or a download into the cache."""

import os
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from fastcnn.errors import DataError
from fastcnn.formats.files import expanded, user_cache

Found = TypeVar("Found")
VARIABLE = "FASTCNN_DATA"
# The folders of each data set, in the order they are tried.
FOLDERS = {
    "mnist": ("mnist",),
    "fashion_mnist": ("fashion_mnist", "fashion-mnist"),
    "cifar100": ("cifar100", "cifar-100-binary"),
    "cifar10": ("cifar10", "cifar-10-batches-bin", "cifar10-subset"),
    "bccd": ("bccd", "BCCD"),
    "nuclei_dsb2018": ("nuclei-dsb2018", "nuclei_dsb2018"),
    "omniglot": ("omniglot",),
}

#: The sets with boxes, masks or identities, as a command line has their names.
ANNOTATED = ("bccd", "nuclei-dsb2018", "omniglot")


def find_local(
    name: str, data_dir: str | os.PathLike[str] | None, look: Callable[[Path], Found | None], expected: str,
    is_offered: bool = True,
) -> Found | None:
    """Return what `look` finds in `data_dir`, else in the folder that FASTCNN_DATA names.

    Parameters
    ----------
    name : str
        A key of `FOLDERS`.
    data_dir : path-like or None
        The data set's own folder or its parent.
    look : function of a folder
        Returns None where the folder does not hold the data set.
    expected : str
        The file names, for the error.
    is_offered : bool
        Whether it can be downloaded.

    Returns
    -------
    found : what `look` returned, or None
        None: nothing was named, or FASTCNN_DATA holds other data sets only; it may be downloaded.

    Raises
    ------
    DataError
        `data_dir` was given and does not hold the data set.
    """
    given = data_dir if data_dir is not None else os.environ.get(VARIABLE) or None
    if given is None:
        return None
    root = expanded(given)
    # MNIST and Fashion-MNIST have the same file names, so a folder that is called after the other is not ours.
    others = {folder for other, folders in FOLDERS.items() if other != name for folder in folders}
    own = [] if root.name in others else [root]
    for folder in [*own, *(root / folder for folder in FOLDERS[name])]:
        found = look(folder)
        if found is not None:
            return found
    if data_dir is None:
        return None
    raise DataError(
        f"{name}: expected {expected} in {root} or in its folder {' or '.join(FOLDERS[name])}, "
        f"got {_describe(root)}; put the files there{', or leave data_dir out to download them' if is_offered else ''}"
    )


def _describe(folder: Path) -> str:
    if not folder.exists():
        return "no such folder"
    if not folder.is_dir():
        return "a file"
    names = sorted(entry.name for entry in folder.iterdir())
    return f"{', '.join(names[:8])}{', ...' if len(names) > 8 else ''}" if names else "an empty folder"


def download(name: str, file: str, sha256: str, urls: Sequence[str]) -> Path:
    """Return the path of a file in the user's cache folder, downloaded first where it is missing or damaged.

    The file appears under its name only when it is complete and has the checksum, so several processes may ask at once.

    Parameters
    ----------
    name, file : str
        The data set, and the file's name in its folder of the cache.
    sha256 : str
        The checksum in hexadecimal digits.
    urls : sequence of str
        Mirrors, tried in turn.

    Raises
    ------
    DataError
        No mirror gave the file; the message names each with its reason.
    """
    import pooch

    try:
        folder = user_cache() / name
    except OSError as error:
        raise DataError(f"{name}: expected a folder to download {file} to, got: {error.strerror}; or put the files "
                        f"into a folder and name it in {VARIABLE} or data_dir") from error
    # A server that sees "gzip" accepted may send a .gz file as encoded text, which requests would then unpack.
    downloader = pooch.HTTPDownloader(timeout=30, headers={"Accept-Encoding": "identity"})
    failures = []
    for url in urls:
        try:
            path = pooch.retrieve(url, f"sha256:{sha256}", fname=file, path=folder, downloader=downloader)
        except (OSError, ValueError) as error:  # the errors of requests are OSErrors; a wrong checksum is a ValueError
            failures.append(f"{url} ({textwrap.shorten(str(error) or type(error).__name__, 160)})")
        else:
            return Path(path)
    raise DataError(
        f"{name}: expected to download {file}, got no usable answer from {'; '.join(failures)}; "
        f"put the files of the data set into a folder and name it in {VARIABLE} or data_dir"
    )
