"""Whether pictures are decoded once, into memory, or stay files: as a person says, else as the memory allows."""

from pathlib import Path

from fastcnn.available_memory import available_memory
from fastcnn.datasets._columns import TableColumns
from fastcnn.datasets._own import layout_at
from fastcnn.datasets._pillow import size_of

COPIES = 6  # of all pixels: the data set, its parts, and as float32, which is four
COPIES_AUGMENTED = 2  # a pipeline makes float32 of a batch alone
_GIB = 2**30


def fits_in_memory(root: Path, size: tuple[int, int] | None, columns: TableColumns, copies: int
                   ) -> tuple[bool, tuple[str, ...]]:
    """Return whether the pictures of a folder or a table may lie in memory, and a note that says why not.

    Parameters
    ----------
    root : Path
    size : (int, int) or None
        Height and width that they are brought to; None: those of the first that tells them.
    columns : TableColumns
        Of a table.
    copies : int
        How many times the bytes of their pixels are needed.
    """
    layout, _ = layout_at(root, columns)
    files = [file for part in (layout.train, layout.test, layout.dev) if part is not None for file in part.files]
    height, width = size or next(filter(None, map(size_of, files)), (0, 0))
    needed, there = copies * len(files) * height * width * 3, available_memory()
    if there is None or needed <= there:
        return True, ()
    return False, (f"the pictures stay files, which are decoded when a batch asks for them: {len(files):,} of "
                   f"{width}x{height} would need {needed / _GIB:.3g} GiB of memory, and {there / _GIB:.3g} are there",)
