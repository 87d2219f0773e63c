"""Small folders with boxes and masks, for tests."""

from pathlib import Path

import numpy as np
from PIL import Image

OBJECT = ("<object><name>{}</name><difficult>{}</difficult><bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax>"
          "<ymax>{}</ymax></bndbox></object>\n")


def picture(path: Path, size=(40, 60), channels=3, seed=0):
    """Write a picture of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3)[: 2 + (channels == 3)], dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def xml(boxes, name="a.png", size=(40, 60)):
    """Return an annotation of Pascal VOC; a box is (class, x1, y1, x2, y2), or a text as it is to stand there."""
    objects = "".join(box if isinstance(box, str) else OBJECT.format(box[0], 0, *box[1:]) for box in boxes)
    return (f"<annotation>\n<filename>{name}</filename>\n<size><width>{size[1]}</width><height>{size[0]}</height>"
            f"</size>\n{objects}</annotation>\n")


def voc(root: Path, each, sizes=None):
    """Write a folder of Pascal VOC's: a list of boxes for each picture."""
    (root / "Annotations").mkdir(parents=True)
    for k, boxes in enumerate(each):
        size = sizes[k] if sizes else (40, 60)
        picture(root / "JPEGImages" / f"p{k}.png", size, seed=k)
        (root / "Annotations" / f"p{k}.xml").write_text(xml(boxes, f"p{k}.png", size))
    return root
