"""Pictures with what was found on them, in the folder of a run."""

from pathlib import Path
from typing import Any

import numpy as np

_PICTURES = 12


def drawn(task: str, thing: Any, part: Any, path: Path) -> list[str]:
    """Draw what is found on the first pictures of a part; return lines that tell where, or why not, and what counts.

    Parameters
    ----------
    task : str
    thing : Detector, Segmenter or Recognizer
    part : BoxedImages, MaskedImages or IdentityImages
    path : Path
        Of a PNG.
    """
    from fastcnn.cli._annotated_page import page
    from fastcnn.formats.files import write_atomically

    told = [f"boxes with a score above {thing.score_threshold:.3f} are told"] if task == "detection" else []
    try:
        if task == "identity":
            thing.draw(part, path)
        else:
            some = part.take(range(min(_PICTURES, len(part))))
            found = _boxed(thing, some) if task == "detection" else _masked(thing, some)
            write_atomically(path, page(found, getattr(part, "names", ()), _PICTURES))
    except (ImportError, OSError) as error:  # the figure is worth more than its picture
        return [*told, f"note   {path} could not be drawn: {error}"]
    return [*told, f"drawn in {path}"]


def _boxed(thing: Any, part: Any) -> Any:
    """Return pictures with the boxes that a detector finds in place of their own."""
    from fastcnn.datasets import BoxedImages

    found = thing.detect(list(part.images))
    boxes = [np.zeros((0, 4), np.float32), *(one.boxes for one in found)]
    classes = [np.zeros(0, np.int64), *(one.classes for one in found)]
    return BoxedImages(part.images, np.concatenate(boxes), np.append(0, np.cumsum([len(one) for one in found])),
                       np.concatenate(classes), part.names, part.files, part.sizes)


def _masked(thing: Any, part: Any) -> Any:
    """Return pictures with the objects that a segmenter marks in place of their masks."""
    from fastcnn.datasets import MaskedImages

    masks = [found.objects if part.kind == "instances" else found.classes for found in thing.segment(list(part.images))]
    return MaskedImages(part.images, masks, part.files, part.sizes, part.kind)
