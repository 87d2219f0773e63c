"""Draw the pictures of this folder: those that the scripts of examples/lessons end in, in 64 colours.

Run it where fastcnn is installed, with the extras plot and image: ``python docs/assets/lessons/draw.py [NAME ...]``.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

HERE = Path(__file__).resolve().parent
LESSONS = HERE.parents[2] / "examples" / "lessons"

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted(LESSONS.glob("*.py")):
            if sys.argv[1:] and path.stem not in sys.argv[1:]:
                continue
            drawn = Path(folder) / f"{path.stem}.png"
            subprocess.run([sys.executable, path, "--out", drawn], check=True)
            Image.open(drawn).convert("RGB").quantize(64).save(HERE / drawn.name, optimize=True)
