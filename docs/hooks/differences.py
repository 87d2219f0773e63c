"""The table of differences from Keras, in the guide "Coming from Keras", written from `differences.toml`.

    python docs/hooks/differences.py

writes it anew; tests/docs/test_differences.py compares, and runs what each row says of fastcnn.
"""

import tomllib
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".toml")
PAGE = Path(__file__).resolve().parents[1] / "guides" / "coming-from-keras.md"
BEGIN, END = "<!-- differences: written by docs/hooks/differences.py -->\n", "<!-- end of differences -->\n"


def rows() -> list[dict[str, str]]:
    """Return the differences: what, Keras's, fastcnn's, and code that shows it, where code can."""
    return tomllib.loads(SOURCE.read_text())["difference"]


def table() -> str:
    """Return the table as Markdown."""
    lines = ["| | Keras 3.15 | fastcnn |", "|---|---|---|"]
    return "\n".join(lines + [f"| {one['what']} | {one['keras']} | {one['fastcnn']} |" for one in rows()]) + "\n"


def page() -> str:
    """Return the page with the table in its place."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page())
