"""A page for each script of examples/: its docstring as prose, then the script; and one for its configurations.

That of a lesson begins with its picture, which lies in docs/assets/lessons.
"""

import ast
import textwrap
from pathlib import Path

from mkdocs.structure.files import File

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def on_files(files, config):
    """Add the pages to those of docs/."""
    for path in sorted(EXAMPLES.glob("*.py")):
        files.append(File.generated(config, f"examples/{path.name[:-3]}.md", content=page(path)))
    for path in sorted((EXAMPLES / "lessons").glob("*.py")):
        files.append(File.generated(config, f"examples/lessons/{path.stem}.md", content=page(path, "lessons/")))
    configs = EXAMPLES / "configs"
    kinds = ("*.toml", "searches/*.toml", "searches/*.svg", "results/*.svg")
    for path in (configs / "README.md", *(path for kind in kinds for path in sorted(configs.glob(kind)))):
        files.append(File.generated(config, path.relative_to(EXAMPLES.parent).as_posix(), abs_src_path=str(path)))
    return files


def page(path: Path, folder: str = "") -> str:
    """Return the Markdown of one example, with the picture of a lesson."""
    source = path.read_text()
    tree = ast.parse(source)
    title, _, rest = ast.get_docstring(tree).partition("\n")
    code = "".join(source.splitlines(keepends=True)[tree.body[0].end_lineno:]).strip()
    prose = as_markdown(rest.strip("\n"))
    drawn = f"![What it draws](../../assets/{folder}{path.stem}.png)\n\n" if folder else ""
    return (f"# {path.name}\n\n{title}\n\n{drawn}{prose}\n\n"
            f"```{{.python title='examples/{folder}{path.name}'}}\n{code}\n```\n")


def as_markdown(text: str) -> str:
    """Return a docstring's paragraphs as Markdown; indented ones are commands, a section's underline goes."""
    pieces = []
    for piece in text.split("\n\n"):
        lines = piece.splitlines()
        if lines and lines[0].startswith("    "):
            pieces.append(f"```sh\n{textwrap.dedent(piece)}\n```")
        elif len(lines) > 1 and set(lines[1]) == {"-"}:
            pieces.append(f"**{lines[0]}**\n\n" + "\n".join(lines[2:]))
        else:
            pieces.append(piece)
    return "\n\n".join(pieces)
