"""Who imports whom, read from the text of a package: imports inside functions, classes, `if` and `try` too.

Only what stands under ``if TYPE_CHECKING:`` is left out, since it never runs. `importlib.import_module` is not seen.
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path


def modules(package: Path) -> dict[str, Path]:
    """Return the file of each module of a package, by the module's name."""
    paths = sorted(package.rglob("*.py"))
    names = (".".join(path.relative_to(package.parent).with_suffix("").parts) for path in paths)
    return {name.removesuffix(".__init__"): path for name, path in zip(names, paths, strict=True)}


def graph(package: Path) -> dict[str, set[str]]:
    """Return the modules of a package that each of its modules imports: the module for a name inside one."""
    known = modules(package)
    return {name: {_module(imported, known) for imported in _imported(ast.parse(path.read_text()))
                   if imported.split(".")[0] == package.name} for name, path in known.items()}


def siblings(whole: Mapping[str, set[str]], folder: str) -> dict[str, set[str]]:
    """Return the imports between what lies in one folder, each folder in it being one; the folder's own file is ""."""
    def place(module: str) -> str | None:
        if module == folder:
            return ""
        return module[len(folder) + 1:].split(".")[0] if module.startswith(f"{folder}.") else None

    found: dict[str, set[str]] = {}
    for module, imported in whole.items():
        if (here := place(module)) is not None:
            found[here] = found.get(here, set()) | {place(other) for other in imported} - {here, None}
    return found


def circle(arrows: Mapping[str, set[str]]) -> list[str]:
    """Return the modules of a circle, the first of them again at the end; an empty list if there is none."""
    done: set[str] = set()

    def search(module: str, way: list[str]) -> list[str]:
        if module in way:
            return [*way[way.index(module):], module]
        if module in done:
            return []
        for imported in sorted(arrows.get(module, ())):
            if found := search(imported, [*way, module]):
                return found
        done.add(module)
        return []

    return next((found for module in sorted(arrows) if (found := search(module, []))), [])


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.If) and ast.unparse(node.test).split(".")[-1] == "TYPE_CHECKING":
        children: list[ast.AST] = list(node.orelse)
    else:
        children = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "expected absolute imports alone"
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    for child in children:
        yield from _imported(child)


def _module(name: str, known: Mapping[str, Path]) -> str:
    return name if name in known or "." not in name else _module(name.rpartition(".")[0], known)
