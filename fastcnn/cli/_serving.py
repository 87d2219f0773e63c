"""What ``fastcnn serve`` puts a page before: the network of a run or of a file, and how it is told pictures."""

from collections.abc import Callable
from typing import Any

from fastcnn.cli._answers import answers
from fastcnn.cli._data import standard_of
from fastcnn.cli._pixels import Pixels
from fastcnn.cli._saved import Saved, open_saved
from fastcnn.cli._seeing.opened import OpenedSeen, open_seen
from fastcnn.errors import ArgumentError
from fastcnn.serving.answering import Answering, ImageAnswers, SeenAnswers

_MOST_CLASSES = 10  # that are told of a picture


def answering_of(saved: str, pixels: Pixels, tell: Callable[[str], Any]) -> Answering:
    """Return what answers for a run or a file, once it has answered for the first time.

    Raises
    ------
    ArgumentError
        A network that has no pictures to answer for, or one of persons.
    ImportError
        Pillow is not installed.
    """
    try:
        import PIL  # noqa: F401
    except ImportError:
        raise ImportError('serve: reading pictures needs Pillow; pip install "fastcnn[image]"') from None
    seen = open_seen(saved)
    if seen is not None:
        if pixels.option is not None:
            raise ArgumentError(f"{pixels.option}: expected a model of classes, got {saved}; leave it out")
        return _of_seen(seen)
    return _of_images(open_saved(saved), pixels, tell)


def _of_images(opened: Saved, pixels: Pixels, tell: Callable[[str], Any]) -> Answering:
    from fastcnn.datasets.image import read_image

    shape = tuple(opened.model.input_shape[1:])
    if len(shape) != 3 or shape[-1] not in (1, 3):
        raise ArgumentError(f"serve: expected a network of pictures, grey or RGB, got {opened.path}, whose input is "
                            f"{opened.model.input_shape}; `fastcnn predict` takes tables")
    known, standard = opened.metadata, standard_of(opened, pixels, tell)
    what = {"classification": "classes", "multilabel": "labels"}.get(opened.task, "numbers")
    height, width, channels = shape
    facts = {**_facts(opened), "task": opened.task, "outputs": list(opened.classes),
             "input": {"height": height, "width": width, "channels": channels},
             "parameters": opened.model.count_params(),
             "what": f"{opened.model.name}, {opened.model.count_params():,} parameters: images of {height} x {width} x "
                     f"{channels} to {len(opened.classes)} {what}"}
    found = ImageAnswers(
        opened.model,
        lambda file: read_image(file, shape, background=known.get("background"), ink_box=known.get("ink_box"),
                                **opened.pictures),
        lambda x: standard.images(x, scale=1), lambda outputs: answers(opened, outputs, _MOST_CLASSES), facts)
    found.begin()
    return found


def _of_seen(opened: OpenedSeen) -> Answering:
    from fastcnn.cli._seeing.predicting import told_of

    if opened.task == "identity":
        raise ArgumentError(f"serve: expected a network of classes, labels, numbers, boxes or masks, got "
                            f"{opened.path}, which tells persons apart; `fastcnn identify` has a gallery of known ones")
    what = {"detection": "boxes", "segmentation": "pixels"}[opened.task]
    names = list(opened.thing.classes)
    facts = {**_facts(opened), "task": opened.task, "outputs": names,
             "what": f"{type(opened.thing).__name__}: {what} of {', '.join(names)} on pictures of any size"}
    is_grey = opened.thing.model.input_shapes[0][-1] == 1
    grey = lambda picture: picture.mean(-1, keepdims=True).astype("uint8") if is_grey else picture
    return SeenAnswers(lambda picture: told_of(opened, grey(picture)), facts)


def _facts(opened: Saved | OpenedSeen) -> dict[str, Any]:
    return {"name": opened.path.parent.name if opened.config is not None else opened.path.name}
