"""Draw docs/assets/train.svg: the last lines of a real `fastcnn train`, as a terminal of 100 columns shows them.

Run it where fastcnn is installed: ``python docs/assets/picture.py``.
"""

import io
import os
import pty
import re
import subprocess
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

COMMAND = "fastcnn train --seed 3"
LINES, WIDTH = 26, 100


def terminal_output(command: list[str], folder: str) -> str:
    """Return what a command writes to a terminal."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "COLUMNS": str(WIDTH), "TERM": "xterm-256color"}
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, cwd=folder, env=env) as running:
        os.close(theirs)
        pieces = []
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # Linux's way to say that the other end is closed
                break
            pieces.append(piece)
            if not piece:
                break
    os.close(ours)
    if running.returncode:
        raise SystemExit(f"{command} ended with {running.returncode}")
    return b"".join(pieces).decode()


def last_frames(output: str) -> list[str]:
    """Return the lines as they finally stand: what was overwritten in place, or gone back over, is gone."""
    lines: list[str] = []
    for line in output.replace("\r\n", "\n").split("\n"):
        for _ in range(line.count("\x1b[1A")):
            lines.pop()
        lines.append(line.rsplit("\r", 1)[-1])
    return lines


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        output = terminal_output(COMMAND.split(), folder)
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    for line in [f"$ {COMMAND}", *last_frames(output)[-LINES:]]:
        console.print(Text.from_ansi(line))
    picture = console.export_svg(title="fastcnn")
    without_fonts = re.sub(r"\s*@font-face \{.*?\}\n", "\n", picture, flags=re.S)  # which a reader would fetch
    Path(__file__).with_name("train.svg").write_text(without_fonts)
