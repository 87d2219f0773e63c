"""Names of files as users give them, and files that appear whole or not at all."""

import contextlib
import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from fastcnn.errors import ArgumentError, PathError
from fastcnn.formats import hidden_files


class _NoFolderError(PathError, FileNotFoundError):
    """The folder that a file should be written to is not there."""


class _NotAFolderError(PathError, NotADirectoryError):
    """A file is there in the place of the folder."""


class _IsAFolderError(PathError, IsADirectoryError):
    """A folder is there in the place of the file."""


class _IsADeviceError(PathError, FileExistsError):
    """A device or a pipe is there in the place of the file."""


class _ReadOnlyError(PathError, PermissionError):
    """A file is there that its owner has made read-only."""


def expanded(path: str | os.PathLike[str]) -> Path:
    """Return a path with ``~`` and ``~user`` made the home folder; where nobody knows that folder, as it is.

    A shell leaves ``--out=~/x`` alone, and a string in Python is never expanded. `Path.expanduser` raises RuntimeError
    for a user without a home.
    """
    return Path(os.path.expanduser(path))


def printable(name: str | os.PathLike[str]) -> str:
    r"""Return a name of the file system as text that every encoding of Unicode can hold.

    Names may hold bytes that are no UTF-8, which Python keeps as lone surrogates and no file of text can hold: they
    are written as ``caf\xe9``.
    """
    text = os.fspath(name)
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # half of a pair of surrogates, as Windows allows
        return text.encode("utf-8", "backslashreplace").decode()


def user_path(path: Any, who: str) -> Path:
    """Return a path as a user gave it, with his home folder in the place of ``~``.

    Parameters
    ----------
    path : str or os.PathLike
    who : str
        Who asks, for the message.

    Raises
    ------
    ArgumentError
        If it is no path.
    """
    try:
        text = os.fsdecode(path)
    except TypeError:
        raise ArgumentError(f"{who}: expected a path, got {path!r}") from None
    if "\0" in text:
        raise ArgumentError(f"{who}: expected a path, got one with a zero character in it, {text!r}")
    return expanded(text)


def write_atomically(path: str | os.PathLike[str], *pieces: bytes, lasting: bool = True) -> None:
    """Write a file so that its name shows the old content or the new, never a part of one, even after a power cut.

    The bytes go to a hidden file of the same folder, are synced to the disk, and take the name then. An error or Ctrl-C
    leaves no hidden file behind; only a killed process can, and the next writing to the folder removes that. A link is
    followed, and a file that is replaced passes its permissions on.

    Parameters
    ----------
    path : path-like
    *pieces : bytes
        Written one after the other, so that a large content need not be joined in memory.
    lasting : bool
        Wait until the disk has it. Without, a power cut may lose the file, or leave one of the right length and wrong
        bytes: for files that know their digest and can be made again.

    Raises
    ------
    PathError
        If no file can be there: no such folder, or something else than a file of that name.
    OSError
        With its ``errno``, hence of the fitting kind: PermissionError, ...
    """
    def write(file: BinaryIO) -> None:
        for piece in pieces:
            file.write(piece)

    write_whole(path, write, f"{sum(map(len, pieces)):,} bytes", lasting)


def write_whole(path: str | os.PathLike[str], write: Callable[[BinaryIO], None], what: str, lasting: bool = True
                ) -> None:
    """As `write_atomically`, for what a function writes into an open file, which it may read and go back in.

    Parameters
    ----------
    path : path-like
    write : function
    what : str
        What it writes, for the message.
    lasting : bool
    """
    target = Path(os.path.realpath(path))
    _refuse_what_is_no_file(path, target)
    hidden_files.sweep(target.parent)
    try:
        with hidden_files.hidden(target.parent) as (aside, file):
            write(file)
            if target.exists():
                shutil.copymode(target, aside)
            file.flush()
            if lasting:
                os.fsync(file.fileno())
            if os.name == "nt":
                file.close()  # Windows renames no open file; elsewhere it is this process's until it has its name
            os.replace(aside, target)
    except OSError as error:
        raise OSError(
            error.errno,
            f"{path}: expected to write {what}, got: {error.strerror or error}; what was there is unchanged, free "
            "some space or choose another folder",
        ) from error
    if lasting:
        _sync_folder(target.parent)


def user_cache() -> Path:
    """Return the user's folder for what fastcnn can make or download again; it may not be there.

    Raises
    ------
    OSError
        If nobody knows a home folder of the user's.
    """
    import platformdirs

    try:
        path = platformdirs.user_cache_path("fastcnn")
    except RuntimeError:  # some versions of platformdirs; others leave the sign
        path = Path("~")
    if str(path).startswith("~"):
        raise OSError(errno.ENOENT, "no home folder is known, set HOME")
    return path


def _refuse_what_is_no_file(path: str | os.PathLike[str], target: Path) -> None:
    # A rename would put a file in the place of a device: root's /dev/null, say.
    kind: Callable[[int, str], PathError]
    if target.exists() and not target.is_file():
        kind, code, what = (_IsAFolderError, errno.EISDIR, "a folder") if target.is_dir() else (
            _IsADeviceError, errno.EEXIST, "a device or a pipe")
        raise kind(code, f"{path}: expected the path of a file to write, got {what}; add the name of a file")
    if target.exists() and not os.access(target, os.W_OK):  # a rename would not ask
        raise _ReadOnlyError(errno.EACCES, f"{path}: expected a file that may be written, got a read-only one; choose "
                                           f"another name, or let it be written")
    if not target.parent.is_dir():
        kind, code, what = (_NotAFolderError, errno.ENOTDIR, "a file") if target.parent.exists() else (
            _NoFolderError, errno.ENOENT, "nothing there")
        raise kind(code, f"{path}: expected {target.parent} to be a folder, got {what}; make the folder first")


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut, where the system can: Windows and some network disks cannot."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
