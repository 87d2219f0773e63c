"""The sizes of the pictures of a folder or a table, and which of its files are damaged."""

from collections import Counter
from pathlib import Path

from fastcnn import datasets
from fastcnn.datasets._columns import TableColumns
from fastcnn.datasets._own import layout_at
from fastcnn.datasets._pillow import read_picture, size_of
from fastcnn.errors import DataError
from fastcnn.formats.files import expanded

Sizes = Counter[tuple[int, int]]
_SHOWN = 4  # sizes that a line names


def sizes_of(dataset: str, columns: TableColumns) -> Sizes | None:
    """Return how often each size, height and width, is in a data set of pictures; None for other data sets."""
    if not _is_of_pictures(dataset):
        return None
    return Counter(size for file in _files(dataset, columns) if (size := size_of(file)) is not None)


def common_size(sizes: Sizes | None) -> tuple[int, int] | None:
    """Return the most frequent size where there are several: to which the others are brought."""
    return None if sizes is None or len(sizes) < 2 else sizes.most_common(1)[0][0]


def sizes_told(sizes: Sizes) -> list[str]:
    """Return a line where pictures are of several sizes."""
    if len(sizes) < 2:
        return []
    listed = ", ".join(f"{count:,} of {width}x{height}" for (height, width), count in sizes.most_common(_SHOWN))
    more = " ..." if len(sizes) > _SHOWN else ""
    return [f"{len(sizes):,} sizes (width x height): {listed}{more}; --size of `fastcnn train` brings them to one"]


def damaged(dataset: str, columns: TableColumns) -> list[str]:
    """Return a line for each file that cannot be read, with the reason."""
    lines = []
    for file in _files(dataset, columns):
        try:
            read_picture(file)
        except DataError as error:
            lines.append(str(error))
    return lines


def _is_of_pictures(dataset: str) -> bool:
    return dataset.replace("-", "_") not in datasets.names and datasets.holds_pictures(expanded(dataset))


def _files(dataset: str, columns: TableColumns) -> list[Path]:
    layout, _ = layout_at(expanded(dataset), columns)
    return [file for split in (layout.train, layout.test, layout.dev) if split is not None for file in split.files]


