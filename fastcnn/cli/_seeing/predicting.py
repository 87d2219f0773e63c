"""``fastcnn predict`` of a run that sees: what is found on pictures, drawn on them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fastcnn.cli._seeing.opened import OpenedSeen
from fastcnn.errors import ArgumentError, DataError


class Answer(NamedTuple):
    """What was found on a picture.

    Attributes
    ----------
    told : dict
        For programs.
    words : str
        For people.
    draw : callable
        Of a path: writes the picture with it drawn, and returns it; of None: returns it alone.
    """

    told: dict[str, Any]
    words: str
    draw: Callable[[Path | None], Any]


def predict_seen(opened: OpenedSeen, files: Sequence[str], out: str | None, threshold: float | None
                 ) -> list[dict[str, Any]]:
    """Return what is found on each picture, for programs; ``words`` are for people.

    A picture that cannot be read has ``error`` in place of what is found.

    Parameters
    ----------
    opened : OpenedSeen
    files : sequence of str
    out : str or None
        A file for one picture, a folder for several. None: they go into the run, or beside the file of the model.
    threshold : float or None
        In place of the detector's own.

    Raises
    ------
    ArgumentError
        A threshold where there is none; a place that is none.
    """
    if threshold is not None and opened.task != "detection":
        raise ArgumentError(f"--threshold: expected a detector of boxes, got {opened.path}; leave it out")
    if opened.task == "identity":
        return compare_seen(opened, files, out)
    places = _places(opened, files, out)
    found = list[dict[str, Any]]()
    for file, place in zip(files, places, strict=True):
        try:
            answer = _ANSWERS[opened.task](opened.thing, file, threshold)
        except DataError as error:
            found.append({"image": file, "error": str(error)})
            continue
        entry = {"image": file, **answer.told, "words": answer.words}
        try:
            answer.draw(place)
            entry["drawn"] = str(place)
        except OSError as error:
            if out is not None:
                raise
            entry["drawn"] = None  # the answer is worth more than its picture
            entry["note"] = f"{place} could not be written: {error.strerror}"
        found.append(entry)
    return found


def told_of(opened: OpenedSeen, picture: Any) -> tuple[dict[str, Any], Callable[[Any], Any]]:
    """Return what is found on a picture (H, W, 3) of 8 bits, for programs, and what draws it on the picture."""
    answer = _ANSWERS[opened.task](opened.thing, picture, None)
    return answer.told, lambda picture: answer.draw(None)


def _places(opened: OpenedSeen, files: Sequence[str], out: str | None) -> list[Path]:
    """Return where the picture of each file goes; no two have one place."""
    from fastcnn.datasets.rgb import picture_format
    from fastcnn.formats.files import expanded

    if out is not None and len(files) == 1 and not expanded(out).is_dir():
        place = expanded(out)
        picture_format(place, "predict: --out")
        if not place.parent.is_dir():
            raise ArgumentError(f"predict: expected --out in a folder that is there, got {out}; make the folder first")
        return [place]
    folder = opened.path.parent if out is None else expanded(out)
    if folder.is_file() or (out is not None and folder.suffix):
        raise ArgumentError(f"predict: expected a folder as --out for {len(files)} pictures, got {out}")
    folder.mkdir(parents=True, exist_ok=True)
    names = dict[str, int]()
    places = []
    for file in files:
        stem = f"found-{Path(file).stem}" if out is None else Path(file).stem
        names[stem] = count = names.get(stem, 0) + 1
        places.append(folder / (f"{stem}.png" if count == 1 else f"{stem}-{count}.png"))
    return places


def _boxes(detector: Any, file: Any, threshold: float | None) -> Answer:
    """Return the boxes that a detector finds."""
    from fastcnn.vision import detect

    found = detect(detector, file, score_threshold=threshold)
    told = [{"class": label, "score": round(score, 4), "box": [round(float(side), 2) for side in box]}
            for box, score, label in found]  # fmt: skip
    labels = found.labels()
    counts = ", ".join(f"{name} {labels.count(name)}" for name in found.names if name in labels)
    return Answer({"boxes": told}, counts or "nothing", lambda place: found.draw(file, place))


def _pixels(segmenter: Any, file: Any, threshold: float | None) -> Answer:
    """Return the objects that a segmenter marks, and how much of the picture they are."""
    found = segmenter.segment(file)
    labels = found.labels()
    told = [{"class": label, "pixels": area} for label, area in zip(labels, found.areas().tolist(), strict=True)]
    share = float((found.objects > 0).mean())
    counts = ", ".join(f"{name} {labels.count(name)}" for name in found.names if name in labels)
    words = f"{counts}: {share:.1%} of the pixels" if counts else "nothing"
    return Answer({"objects": told, "share": round(share, 6)}, words, lambda place: found.draw(file, place))


def compare_seen(opened: OpenedSeen, files: Sequence[str], out: str | None) -> list[dict[str, Any]]:
    """Return whether each picture shows the person of the first one, for programs; ``words`` are for people.

    Parameters
    ----------
    opened : OpenedSeen
        Of a recognizer.
    files : sequence of str
        At least two.
    out : str or None
        Nothing is drawn, so that none may be given.

    Raises
    ------
    ArgumentError
        One picture, or a place for drawn ones.
    """
    if len(files) < 2 or out is not None:
        raise ArgumentError(f"predict: expected two pictures or more for {opened.path}, of which the others are "
                            f"compared with the first, and no --out, got {len(files)}{' and --out' if out else ''}")
    known, found = opened.thing.embed(files[0]), list[dict[str, Any]]()
    for file in files[1:]:
        try:
            distance = float(((opened.thing.embed(file) - known) ** 2).sum())
        except DataError as error:
            found.append({"image": file, "error": str(error)})
            continue
        same = distance <= opened.thing.threshold
        words = f"{'the same' if same else 'another'} as in {files[0]}: distance {distance:.4f}, threshold " \
                f"{opened.thing.threshold:.4f}"
        found.append({"image": file, "with": files[0], "same": same, "distance": round(distance, 6), "words": words})
    return found


_ANSWERS: dict[str, Callable[[Any, Any, float | None], Answer]] = {"detection": _boxes, "segmentation": _pixels}
