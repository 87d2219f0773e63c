"""Docstrings as the site wants them: Markdown, a row for each parameter, and ``#:`` comments for constants."""

import re

import griffe

_TABLE = re.compile(r"^(?P<rule>=+(?: +=+)+)$\n.*?(?:\n(?P=rule)$)+(?!.*^(?P=rule)$)", re.M | re.S)
_PARAMETERS = re.compile(r"^Parameters\n-+\n(?P<rows>.*?)(?=^\w+\n-+$|\Z)", re.M | re.S)
_ROW = re.compile(r"^(?P<names>[\w*]+(?:, [\w*]+)*) ?:(?P<kind>[^\n]*)\n(?P<text>(?:[ \t]+[^\n]*\n|\n)*)", re.M)


class Docstrings(griffe.Extension):
    """Rewrites each docstring before it is read."""

    def on_object(self, *, obj, **_):
        """Called for each module, class, function and attribute."""
        if obj.is_attribute and not obj.docstring and is_constant(obj):
            text = comment_above(obj.lines_collection[obj.filepath], obj.lineno)
            obj.docstring = griffe.Docstring(text, parent=obj) if text else None
        if obj.docstring:
            obj.docstring.value = as_markdown(obj.docstring.value)


def is_constant(obj) -> bool:
    """Return whether an attribute is one that its module offers."""
    return obj.parent.is_module and (obj.name.isupper() or obj.name in (obj.parent.exports or ()))


def comment_above(lines: list[str], line: int) -> str:
    """Return the text of the ``#:`` comment right above a line, counted from 1; "" if there is none."""
    above = [text.strip() for text in lines[:line - 1]]
    start = len(above)
    while start and above[start - 1].startswith("#"):
        start -= 1
    comment = above[start:]
    return "\n".join(text.lstrip("#: ") for text in comment) if comment and comment[0].startswith("#:") else ""


def as_markdown(text: str) -> str:
    """Return a docstring with blocks announced by one colon, tables of Markdown, and a row for each parameter."""
    text = re.sub(r"^ *::\n", "", text, flags=re.M)
    text = re.sub(r"(\S)::$", r"\1:", text, flags=re.M)
    text = _TABLE.sub(table, text)
    return _PARAMETERS.sub(_with_rows, text)


def table(found: re.Match) -> str:
    """Return a table of Markdown for one between lines of ``====``: a row without a first cell goes on."""
    starts = [part.start() for part in re.finditer("=+", found["rule"])]
    ends = [*starts[1:], None]
    head, *rest = re.split(rf"^{re.escape(found['rule'])}\n?", found[0], flags=re.M)[1:-1]
    rows: list[list[str]] = []
    for line in (rest[0] if rest else head).splitlines():
        cells = [line[start:end].strip() for start, end in zip(starts, ends, strict=True)]
        if cells[0] or not rows:
            rows.append(cells)
        else:
            rows[-1] = [f"{before} {more}".strip() for before, more in zip(rows[-1], cells, strict=True)]
    names = [head[start:end].strip() if rest else "" for start, end in zip(starts, ends, strict=True)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (names, ["---"] * len(starts), *rows))


def _with_rows(section: re.Match) -> str:
    """Return a section of parameters in which "a, b : int" is two rows: the reader gives both the default of a."""
    def kind(row: re.Match) -> str:  # read as an expression, in which path-like would be a difference
        return row["kind"].replace("`", "").replace("path-like", "str or PathLike")

    rows = section["rows"].rstrip("\n") + "\n"
    apart = _ROW.sub(
        lambda row: "".join(f"{name} :{kind(row)}\n{row['text']}" for name in row["names"].split(", ")), rows)
    return section[0].replace(section["rows"], apart + "\n")
