"""Archives unpacked into a folder that no member can leave: tar, packed or not, and zip."""

import contextlib
import os
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from fastcnn.errors import ArgumentError, DataError

_FORMATS = ("tar", "zip")


def extract(archive: Path, folder: Path, formats: str | Sequence[str] | None) -> bool:
    """Unpack an archive into a new folder, which is there whole or not at all; return False if it is no archive.

    Parameters
    ----------
    archive : Path
    folder : Path
        What is there is replaced.
    formats : "auto", "tar", "zip" or several, or None for none

    Raises
    ------
    DataError
        If it is damaged, or a member lies outside the folder: absolute, behind "..", a link that leaves it, a device.
    """
    wanted = _FORMATS if formats == "auto" else (formats,) if isinstance(formats, str) else tuple(formats or ())
    for one in wanted:
        if one not in _FORMATS:
            raise ArgumentError(f"get_file: expected archive_format of auto, tar, zip or None, got {one!r}")
    kind = next((one for one in wanted if (tarfile.is_tarfile if one == "tar" else zipfile.is_zipfile)(archive)), None)
    if kind is None:
        return False
    aside = Path(tempfile.mkdtemp(prefix=".fastcnn-", dir=folder.parent))
    try:
        os.chmod(aside, 0o777 & ~_umask())
        (_extract_tar if kind == "tar" else _extract_zip)(archive, aside)
        if folder.is_dir():
            shutil.rmtree(folder)
        os.replace(aside, folder)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{archive}: expected a whole archive, got a damaged one ({error}); fetch it again") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return True


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _extract_tar(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as tar:
        for member in tar:
            _require_within(archive, member.name)
            if member.issym():
                _require_within(archive, f"{PurePosixPath(member.name).parent}/{member.linkname}", member.linkname)
            elif member.islnk():
                _require_within(archive, member.linkname)
            elif not (member.isfile() or member.isdir()):
                raise DataError(f"{archive}: expected files and folders, got {member.name}, a device; do not trust it")
            # Looks once more, at links that lead through other links, too.
            with contextlib.suppress(AttributeError):  # Python 3.11 before 3.11.4
                tar.extraction_filter = tarfile.data_filter
            try:
                tar.extract(member, folder)
            except tarfile.TarError as error:
                raise DataError(f"{archive}: expected files within it, got {member.name} ({error}); do not trust "
                                f"it") from error


def _extract_zip(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as packed:
        for info in packed.infolist():
            _require_within(archive, info.filename)
            packed.extract(info, folder)


def _require_within(archive: Path, name: str, shown: str = "") -> None:
    """Raise DataError for a name that leaves the folder."""
    path = name.replace("\\", "/")
    depth = 0
    for part in path.split("/"):
        depth += -1 if part == ".." else part not in ("", ".")
        if depth < 0:
            break
    if depth < 0 or path.startswith("/") or (len(path) > 1 and path[1] == ":") or "\0" in path:
        raise DataError(f"{archive}: expected files within it, got {shown or name}, which lies outside; do not trust "
                        f"it")
