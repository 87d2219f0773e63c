"""Plain, gzip and xz files, read in pieces, so that what a file promises about itself is never believed."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from fastcnn.errors import DataError

GZIP_MAGIC = b"\x1f\x8b"
XZ_MAGIC = b"\xfd7zXZ\x00"
_PIECE = 1 << 20
# Deflate packs up to 1032 to 1, images hardly 20 to 1. What would unpack to more than this is taken for a bomb.
_LARGEST_RATIO = 200
_ALWAYS_ALLOWED = 64 << 20


@contextmanager
def unpacked(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading its unpacked bytes; the content, not the name, tells how it is packed.

    Every fault of the file or of its packing, at opening or at any later read inside the block, leaves as one
    `DataError`. Checksums are checked when the end is reached: read one byte more than you expect.

    Parameters
    ----------
    path : Path
        A plain, gzip or xz file.

    Yields
    ------
    stream : binary file
        Its ``read(n)`` returns n bytes, fewer only at the end.

    Raises
    ------
    DataError
        Nothing there, a folder, a file that may not be read, a packing that is cut short or damaged.
    """
    # is_file() is also what keeps a pipe or a device, which could block forever, from being opened.
    if not path.is_file():
        raise DataError(f"{path}: expected a file, got {'a folder' if path.is_dir() else 'nothing'}; check the path")
    packing = "readable"
    try:
        with path.open("rb") as file:
            start = file.read(len(XZ_MAGIC))
            file.seek(0)
            if start.startswith(GZIP_MAGIC):
                packing = "complete gzip"
                with gzip.GzipFile(fileobj=file) as stream:
                    yield cast(BinaryIO, stream)
            elif start == XZ_MAGIC:
                packing = "complete xz"
                with _open_xz(path, file) as stream:
                    yield stream
            else:
                yield file
    # MemoryError: an xz header may ask for a dictionary of 4 GiB. LZMAError is named by _open_xz.
    except (OSError, EOFError, zlib.error, MemoryError) as error:
        raise DataError(
            f"{path}: expected a {packing} file, got a damaged one ({error or type(error).__name__}); "
            "delete it and fetch it again"
        ) from error


@contextmanager
def _open_xz(path: Path, file: BinaryIO) -> Iterator[BinaryIO]:
    try:
        import lzma  # a Python built without liblzma lacks it; nothing but xz files needs it
    except ImportError as error:
        raise DataError(f"{path}: this Python was built without xz; unpack the file with `xz -dk` first") from error
    try:
        with lzma.LZMAFile(file) as stream:
            yield cast(BinaryIO, stream)
    except lzma.LZMAError as error:
        raise EOFError(str(error)) from error


def take(stream: BinaryIO, count: int) -> bytearray:
    """Return the next `count` bytes, fewer only where the stream ends; memory grows with what is there, not `count`."""
    taken = bytearray()
    while len(taken) < count:
        piece = stream.read(min(_PIECE, count - len(taken)))
        if not piece:
            break
        taken += piece
    return taken


def refuse_bomb(path: Path, promised: int) -> None:
    """Refuse a file that would unpack to `promised` bytes, out of all proportion to its size on disk.

    Raises
    ------
    DataError
        `promised` is above 64 MiB and above 200 times the file's size.
    """
    size = path.stat().st_size
    if promised > max(_ALWAYS_ALLOWED, _LARGEST_RATIO * size):
        raise DataError(
            f"{path}: expected at most {_LARGEST_RATIO} bytes of data for each byte on disk, "
            f"got a header that promises {promised} bytes in a file of {size}; it is damaged or a trap, delete it"
        )
