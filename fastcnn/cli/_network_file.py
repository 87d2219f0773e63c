"""A user's file whose function makes a network: ``--model net.py:function``."""

import ast
import hashlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from fastcnn.errors import ArgumentError, unknown

_TOLD = 12  # digits of a digest, in a sentence


class NetworkFile(NamedTuple):
    """A function of a file.

    Attributes
    ----------
    path : Path
    function : str
    """

    path: Path
    function: str

    @classmethod
    def of(cls, network: str | list[str] | None) -> "NetworkFile | None":
        """Return what a network names; None for one that is no function of a file."""
        if not isinstance(network, str) or ":" not in network or "(" in network:
            return None
        path, _, function = network.rpartition(":")
        return cls(Path(path), function)

    def __str__(self) -> str:
        return f"{self.path}:{self.function}"

    def make(self, shape: tuple[int, ...], classes: int) -> Any:
        """Return what the function makes: it is called as those of `fastcnn.applications` are.

        Raises
        ------
        ArgumentError
            No such file, one that is no Python, or one without such a function.
        """
        if not self.path.is_file():
            raise ArgumentError(f"--model {self}: expected a file of Python before the colon, got nothing there")
        spec = importlib.util.spec_from_file_location(self.path.stem, self.path)
        if spec is None or spec.loader is None:
            raise ArgumentError(f"--model {self}: expected a file of Python, whose name ends in .py")
        module = importlib.util.module_from_spec(spec)
        sys.path.insert(0, str(self.path.parent))  # its own imports are beside it
        try:
            spec.loader.exec_module(module)
        finally:
            sys.path.pop(0)
        if not callable(function := getattr(module, self.function, None)):
            known = [one for one, value in vars(module).items() if callable(value) and not one.startswith("_")]
            raise ArgumentError(unknown(f"--model {self.path}: function", self.function, known))
        return function(input_shape=shape, classes=classes)

    def digest(self) -> str | None:
        """Return the SHA-256 of the file and of what it imports from beside it; None where there is no file."""
        if not self.path.is_file():
            return None
        found = hashlib.sha256()
        for path in sorted(_with_imports(self.path)):
            found.update(f"{path.relative_to(self.path.parent).as_posix()}\n".encode())
            found.update(hashlib.sha256(path.read_bytes()).digest())
        return found.hexdigest()

    def require(self, expected: str | None) -> str | None:
        """Return the digest; raise ArgumentError if another one was expected."""
        found = self.digest()
        if expected is not None and found is not None and found != expected:
            raise ArgumentError(f"--model {self}: expected the file with the --model-digest {expected[:_TOLD]}..., got "
                                f"one that was changed, {found[:_TOLD]}...; restore it, or leave the digest out to "
                                f"train with it as it is")
        return found


def _with_imports(path: Path) -> set[Path]:
    """Return a file and all files of Python beside it that it imports, or that they do."""
    found, left = set[Path](), [path]
    while left:
        one = left.pop()
        if one not in found:
            found.add(one)
            left += [file for name in _imported(one) for file in _beside(path.parent, name)]
    return found


def _beside(folder: Path, name: str) -> list[Path]:
    package = folder / name
    return [folder / f"{name}.py"] * (folder / f"{name}.py").is_file() + sorted(
        package.rglob("*.py") if (package / "__init__.py").is_file() else ())


def _imported(path: Path) -> Iterator[str]:
    """Yield the first names of what a file imports; none of one that is no Python, which is told where it is run."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        names = [one.name for one in node.names] if isinstance(node, ast.Import) else [
            node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []
        yield from {name.partition(".")[0] for name in names} - {"fastcnn"}  # whose version is recorded by itself
