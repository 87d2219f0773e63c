"""The disk cache of compiled kernels: one file for each kernel and type signature.

Numba's own cache does not see an edit in another file of the package (a stale kernel runs), and loses entries when
several processes start cold, since they share one index. Here

- a file's name is a digest of everything its machine code depends on: the kernel's name and signature, the CPU and its
  features, the versions of Python, Numba and llvmlite, and the text of the kernel's file and of every file of kernels
  or geometry that one imports, directly or not;
- a file is written aside and renamed, so that it is whole or absent, and processes cannot disturb one another;
- it starts with a digest of its contents, so that a damaged one is compiled again instead of run;
- it says which shared functions its code calls (`shared`), so that those are loaded and no others;
- a folder that cannot be read or written, or a missing home folder, costs one warning, never a failure.

Other people's Numba functions and NUMBA_CACHE_DIR are left alone. FASTCNN_CACHE_DIR names another folder.
"""

import errno
import functools
import hashlib
import os
import pickle
import re
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite
import numba
from numba.core.caching import _Cache
from numba.core.serialize import dumps

from fastcnn.formats.files import expanded, user_cache, write_atomically
from fastcnn.kernels.cpu.compile import claims, loaded

_PACKAGE = Path(__file__).resolve().parents[3]
_COMPILED = ("fastcnn.kernels.", "fastcnn.geometry.")  # whose functions and constants kernels are made of
_DIGEST = 32  # bytes of SHA-256 before the pickled code
_IMPORT = re.compile(r"^[ \t]*from[ \t]+(fastcnn[\w.]*)[ \t]+import[ \t]*(\([^)]*\)|[^\n]*)", re.MULTILINE)
_COMMENT = re.compile(r"#[^\n]*")

#: What gives LLVM's linker the address of a shared function, by the function's symbol.
publish: dict[str, Callable[[], None]] = {}

#: What `ahead` does: "missed", when a kernel is in no file, and "meanwhile", while another process compiles it.
hooks: dict[str, Callable[[], Any]] = {"missed": lambda: None, "meanwhile": lambda: False}

_warned: set[str] = set()
_started = time.time_ns()


def folder() -> Path:
    """Return the folder of the compiled kernels: FASTCNN_CACHE_DIR, or ``kernels`` in the user's cache folder.

    Raises
    ------
    OSError
        If it would lie in a home folder that cannot be found.
    """
    chosen = os.environ.get("FASTCNN_CACHE_DIR")
    path = expanded(chosen) if chosen else user_cache() / "kernels"
    if str(path).startswith("~"):
        raise OSError(errno.ENOENT, f"no home folder is known for {path}")
    return path


def name_of(function: Any) -> str:
    """Return a kernel's name with its room and file: ``conv.forward.conv2d_forward``."""
    return f"{function.__module__.removeprefix('fastcnn.kernels.cpu.')}.{function.__name__}"


class KernelCache(_Cache):
    """The cache of one kernel, with the interface that a Numba dispatcher expects of its ``_cache``."""

    def __init__(self, function: Any) -> None:
        self._name = name_of(function)
        self._source = Path(function.__code__.co_filename).resolve()
        self._enabled = True

    @property
    def cache_path(self) -> str:
        """The folder, as ``dispatcher.stats`` shows it; empty where there is none."""
        try:
            return str(folder())
        except OSError:
            return ""

    def enable(self) -> None:
        """Read and write files again after `disable`."""
        self._enabled = True

    def disable(self) -> None:
        """Neither read nor write files."""
        self._enabled = False

    def flush(self) -> None:
        """Delete this kernel's files."""
        for path in folder().glob(f"{self._name}-*.nbc"):
            path.unlink(missing_ok=True)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled kernel for the signature, or None when the cache has no sound one."""
        if not self._enabled:
            return None
        try:
            path = self.path_of(sig, target_context)
        except OSError:  # the write that follows will warn
            return None
        content = _read(path)
        if content is None:
            hooks["missed"]()
            content = _read(path) if claims.claim(path, hooks["meanwhile"]) else None
        if content is None:
            return None
        try:
            digest, payload = content[:_DIGEST], content[_DIGEST:]
            if hashlib.sha256(payload).digest() != digest:
                raise ValueError("the contents of a file do not agree with their digest")
            symbols, parts, bitcode = pickle.loads(payload)
            for symbol in symbols:
                publish[symbol]()
            return loaded.rebuilt(target_context, parts, bitcode)
        except Exception as error:  # whatever a damaged or foreign file raises: the kernel is compiled again
            _warn("read", error)
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Write the compiled kernel; warn once about a folder that cannot be written."""
        if not self._enabled:
            return
        try:
            path = self._path(sig, data.codegen)
            payload = dumps((_symbols(data.library), *loaded.reduced(data)))
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, hashlib.sha256(payload).digest(), payload, lasting=False)
        except OSError as error:
            _warn("written", error)

    def path_of(self, sig: Any, target_context: Any) -> Path:
        """Return the file for the signature, whether or not it is there; OSError if there is no folder."""
        target_context.refresh()
        return self._path(sig, target_context.codegen())

    def _path(self, sig: Any, codegen: Any) -> Path:
        key = (self._name, str(sig), codegen.magic_tuple(), stamp(self._source), numba.__version__,
               llvmlite.__version__, sys.implementation.cache_tag)
        return folder() / f"{self._name}-{hashlib.sha256(repr(key).encode()).hexdigest()[:24]}.nbc"


@functools.cache
def sources(source: Path) -> tuple[Path, ...]:
    """Return a kernel's file and those it imports, directly or not: all it can be compiled from."""
    found, todo = set(), [source]
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            todo += _imports(path)
    return tuple(sorted(found))


@functools.cache
def _imports(path: Path) -> list[Path]:
    """Return the files of kernels and geometry that one imports itself."""
    return [file for name in _imported(path.read_text(encoding="utf-8")) if (file := _file_of(name)) is not None]


@functools.cache
def stamp(source: Path) -> str:
    """Return a digest of the text of `sources`."""
    digest = hashlib.sha256()
    for path in sources(source):
        digest.update(path.name.encode() + b"\0" + _digest_of(path))
    return digest.hexdigest()


@functools.cache
def _digest_of(path: Path) -> bytes:
    """Return a digest of a file's text; of one that may have been edited since its import, one that never comes again.

    Else what this process compiles of the old text would be found as if it were compiled of the new one.
    """
    digest = hashlib.sha256(path.read_bytes()).digest()
    if _started < path.stat().st_mtime_ns <= time.time_ns():
        digest += f"{os.getpid()} {_started}".encode()
    return digest


def _imported(text: str) -> list[str]:
    """Return what a file imports of this package; a line of prose that reads like an import does no harm.

    By a pattern: parsing a hundred files takes a tenth of a second of every process.
    """
    found = _IMPORT.findall(text)
    return [f"{module}.{name.split()[0]}" for module, names in found
            for name in _COMMENT.sub("", names).strip("()").split(",") if name.strip()]


def _file_of(name: str) -> Path | None:
    """Return the file of a module or a package, or the one in which a name of theirs is found."""
    if not name.startswith(_COMPILED):
        return None
    path = _PACKAGE.joinpath(*name.split(".")[1:])
    for place in (path, path.parent):
        for file in (place.with_suffix(".py"), place / "__init__.py"):
            if file.is_file():
                return file
    return None


def _read(path: Path) -> bytes | None:
    """Return a file's contents; None if it is absent, or unreadable, of which the write that follows will warn."""
    try:
        return path.read_bytes()
    except OSError:
        return None


def _symbols(library: Any) -> list[str]:
    """Return the shared functions that compiled code calls."""
    return [function.name for function in library._final_module.functions
            if function.is_declaration and function.name in publish]


def _warn(verb: str, error: Exception) -> None:
    if verb in _warned:
        return
    _warned.add(verb)
    try:
        where = f" in {folder()}"
    except OSError:
        where = ""
    warnings.warn(f"the kernel cache{where} could not be {verb} ({error}); kernels are compiled in each process until "
                  f"it can; FASTCNN_CACHE_DIR names another folder", RuntimeWarning, stacklevel=4)
