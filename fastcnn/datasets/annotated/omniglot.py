"""Omniglot: characters of many alphabets, each drawn once by 20 people, from its archives."""

import io
import re
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fastcnn.datasets.annotated.dataset import AnnotatedDataset
from fastcnn.datasets.annotated.identities import IdentityImages, OneShotRun
from fastcnn.errors import DataError

BACKGROUNDS = ("images_background_small1.zip", "images_background_small2.zip")
_RUNS = "all_runs.zip"
_DRAWING = re.compile(r"[^/]+/([^/]+)/(character\d+)/\d+_(\d+)\.png")
_SIDE, _MOST_BYTES, _MOST_FILES = 105, 1 << 16, 100_000


def read_omniglot(root: Path) -> AnnotatedDataset:
    """Return the characters of both small background sets, and Lake's 20 runs.

    The training part has the alphabets of the first archive and the test part those of the second that the first has
    not, so that no alphabet is in both. Drawings are black (0) on white (255), 105 x 105.

    Parameters
    ----------
    root : Path
        With the archives as they are published.

    Raises
    ------
    DataError
        An archive that is missing or damaged, or holds something else.
    """
    first, second = (_drawings(root / name) for name in BACKGROUNDS)
    known = set(first.group_names)
    rest = second.of([name for name in second.names if name.partition("/")[0] not in known])
    runs = _runs(root / _RUNS) if (root / _RUNS).is_file() else ()
    return AnnotatedDataset("omniglot", "identity", first, rest, first.names, f"Omniglot in {root}", runs=runs,
                            notes=() if runs else (f"without {_RUNS} there are no one-shot runs",))


def _drawings(path: Path) -> IdentityImages:
    with _opened(path) as archive:
        names = sorted(name for name in archive.namelist() if _DRAWING.fullmatch(name))
        if not names:
            raise DataError(f"{path}: expected drawings as set/alphabet/character01/0001_01.png, got none")
        parts = [_DRAWING.fullmatch(name).groups() for name in names]  # type: ignore[union-attr]
        images = np.stack([_drawing(archive, name, path) for name in names])
    characters = sorted({f"{alphabet}/{character}" for alphabet, character, _ in parts})
    alphabets = tuple(sorted({alphabet for alphabet, *_ in parts}))
    place = {name: k for k, name in enumerate(characters)}
    return IdentityImages(
        images, np.array([place[f"{alphabet}/{character}"] for alphabet, character, _ in parts]), tuple(characters),
        tuple(names), np.array([alphabets.index(name.partition("/")[0]) for name in characters]), alphabets,
        np.array([int(drawer) for *_, drawer in parts]))


def _runs(path: Path) -> tuple[OneShotRun, ...]:
    found = list[OneShotRun]()
    with _opened(path) as archive:
        names = set(archive.namelist())
        for labels in sorted(name for name in names if name.endswith("/class_labels.txt")):
            pairs = [line.split() for line in _bytes(archive, labels, path).decode("utf-8", "replace").splitlines()
                     if line.strip()]
            if any(len(pair) != 2 or not set(pair) <= names for pair in pairs) or not pairs:
                raise DataError(f"{path}: expected two drawings a line in {labels}, got others")
            examples = sorted({example for _, example in pairs})
            found.append(OneShotRun(
                np.stack([_drawing(archive, name, path) for name in examples]),
                np.stack([_drawing(archive, query, path) for query, _ in pairs]),
                np.array([examples.index(example) for _, example in pairs], np.int64)))
    return tuple(found)


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        raise DataError(f"{path}: expected an archive of Omniglot's, got: {error}") from error
    if len(archive.namelist()) > _MOST_FILES:
        archive.close()
        raise DataError(f"{path}: expected at most {_MOST_FILES:,} files, got more")
    return archive


def _bytes(archive: zipfile.ZipFile, name: str, path: Path) -> bytes:
    if archive.getinfo(name).file_size > _MOST_BYTES:
        raise DataError(f"{path}: expected at most {_MOST_BYTES >> 10} KB in {name}, got more")
    try:
        return archive.read(name)
    except Exception as error:  # zipfile, zlib and struct each have their own
        raise DataError(f"{path}: expected a whole archive, got a damaged one at {name} ({error})") from error


def _drawing(archive: zipfile.ZipFile, name: str, path: Path) -> NDArray[np.uint8]:
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError('reading pictures needs Pillow: pip install "fastcnn[image]"') from error
    data = _bytes(archive, name, path)
    try:
        with Image.open(io.BytesIO(data)) as image:
            pixels = np.asarray(image.convert("L")) if image.size == (_SIDE, _SIDE) else None
    except Exception as error:  # Pillow's decoders raise nearly anything
        raise DataError(f"{path}: expected a whole picture in {name}, got a damaged one ({error})") from error
    if pixels is None:
        raise DataError(f"{path}: expected a drawing of {_SIDE}x{_SIDE} pixels in {name}, got another size")
    return pixels[..., None]
