"""Files by their address: fetched once, checked, unpacked."""

import contextlib
import os
import shutil
import textwrap
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastcnn.errors import ArgumentError, DataError
from fastcnn.formats.files import expanded, user_cache

_HASHES = ("auto", "md5", "sha256")


def get_file(fname: str | os.PathLike[str] | None = None, origin: str | None = None, untar: bool = False,
             md5_hash: str | None = None, file_hash: str | None = None, cache_subdir: str = "datasets",
             hash_algorithm: str = "auto", extract: bool = False, archive_format: Any = "auto",
             cache_dir: str | os.PathLike[str] | None = None, force_download: bool = False) -> str:
    """Return the path of a file, downloaded into the cache where it is not there, or not what its hash says.

    The file appears under its name when it is whole, and has the hash. Of an archive, the folder appears when all of
    it is unpacked; one with a member that lies outside that folder is refused.

    Parameters
    ----------
    fname : str, optional
        The file's name in the cache, that of the address if absent; of an archive the folder's.
    origin : str
        Its address: http, https, ftp or file.
    untar, md5_hash
        Keras 2's ``extract=True`` of tar, and ``file_hash=``.
    file_hash : str, optional
        In hexadecimal digits. A file without one is taken as it comes.
    cache_subdir : str
        The folder within the cache.
    hash_algorithm : str
        "md5", "sha256", or "auto", which the length tells.
    extract : bool
        Whether it is an archive, tar (packed or not) or zip, that is to be unpacked.
    archive_format : str, list of str or None
        "auto", "tar", "zip".
    cache_dir : path-like, optional
        The user's cache of fastcnn if absent.
    force_download : bool
        Whether it is downloaded though it is there.

    Raises
    ------
    ArgumentError
        If there is no address, or a name is a path.
    DataError
        If it cannot be downloaded, its hash is another, or the archive is damaged or leaves its folder.

    Examples
    --------
    >>> from pathlib import Path
    >>> written = Path("words.txt").write_text("cat, dog")
    >>> origin = Path("words.txt").absolute().as_uri()
    >>> Path(fc.utils.get_file(origin=origin, cache_dir="cache")).read_text()
    'cat, dog'
    """
    if not isinstance(origin, str) or not urlsplit(origin).scheme:
        raise ArgumentError(f"get_file: expected origin, the file's address, such as https://..., got {origin!r}")
    if hash_algorithm not in _HASHES:
        raise ArgumentError(f"get_file: expected hash_algorithm of {', '.join(_HASHES)}, got {hash_algorithm!r}")
    digest = _digest(md5_hash, "md5") if file_hash is None and md5_hash else _digest(file_hash, hash_algorithm)
    name = os.fspath(fname) if fname else os.path.basename(urlsplit(origin).path)
    if not name or name in (".", "..") or {"/", "\\"} & set(name):
        raise ArgumentError(f"get_file: expected fname as the name of a file, without a folder, got {name!r}; "
                            f"cache_dir and cache_subdir tell the folder")
    try:
        folder = (user_cache() if cache_dir is None else expanded(cache_dir)).absolute() / cache_subdir
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"get_file: expected a folder to download {name} to, got: {error}; give cache_dir") from error
    if not (extract or untar):
        return str(_fetched(origin, folder / name, digest, force_download))
    stem, dot, _ = name.partition(".")
    target, unpacked = (folder / name, folder / f"{stem}_extracted") if fname and dot else (
        folder / f"{name}_archive", folder / name)
    before = _state(target)
    archive = _fetched(origin, target, digest, force_download)
    if unpacked.is_dir() and before is not None and before == _state(archive):
        return str(unpacked)
    from fastcnn.utils import archives

    if not archives.extract(archive, unpacked, "tar" if untar else archive_format):
        warnings.warn(f"get_file: {archive} is no archive of tar or zip, and is not unpacked", stacklevel=2)
    return str(unpacked)


def _digest(given: str | None, algorithm: str) -> str | None:
    """Return a hash as pooch takes it."""
    if given is None:
        return None
    if algorithm == "auto":
        algorithm = "sha256" if len(given) == 64 else "md5"
    return f"{algorithm}:{given.lower()}"


def _state(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _fetched(origin: str, target: Path, digest: str | None, again: bool) -> Path:
    """Return the path of what lies at an address, downloaded unless it is there and has the hash."""
    import pooch

    # A server that sees "gzip" accepted may send a .gz file as encoded text, which requests would then unpack.
    downloader: Any = pooch.HTTPDownloader(timeout=30, headers={"Accept-Encoding": "identity"})
    scheme = urlsplit(origin).scheme
    if scheme not in ("http", "https"):
        downloader = _copy if scheme == "file" else None
    kept = target.with_name(f".{target.name}.before") if again and target.exists() else None
    if kept is not None:
        os.replace(target, kept)
    try:
        pooch.retrieve(origin, digest, fname=target.name, path=target.parent, downloader=downloader)
    except (OSError, ValueError) as error:  # the errors of requests are OSErrors; a wrong hash is a ValueError
        reason = textwrap.shorten(str(error) or type(error).__name__, 200)
        raise DataError(f"get_file: expected {target.name} from {origin}, got: {reason}; look at the address and the "
                        f"hash, or put the file there yourself: {target}") from error
    finally:
        if kept is not None:
            if target.exists():
                kept.unlink()
            else:
                with contextlib.suppress(OSError):
                    os.replace(kept, target)
    return target


def _copy(url: str, output_file: Any, pooch: Any) -> None:
    """Copy a file of this machine, as pooch's downloaders do."""
    from urllib.request import url2pathname

    shutil.copyfile(url2pathname(urlsplit(url).path), output_file)
