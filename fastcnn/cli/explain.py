"""``fastcnn explain``: what a trained network sees in a picture."""

import json
from pathlib import Path
from typing import Any

import click

from fastcnn.cli._options import saved_argument
from fastcnn.cli._pixels import Pixels, pixel_options
from fastcnn.cli._values import UserPath

METHODS = ("gradcam", "saliency", "guided", "occlusion", "patches", "ascent")


@click.command("explain", short_help="Show what a trained network sees in a picture.")
@saved_argument
@click.argument("files", metavar="[IMAGES]...", nargs=-1, type=UserPath())
@click.option("--method", type=click.Choice(METHODS), default="gradcam", show_default=True,
              help="patches: the parts of IMAGES that excite a unit most; ascent: what it would like to see.")
@click.option("--layer", metavar="NAME", help="As `fastcnn summary` names it; for gradcam, patches and ascent.")
@click.option("--target", type=click.IntRange(min=0), metavar="N",
              help="The class, or the unit of --layer. Default: the network's own answer, or unit 0.")
@click.option("--window", type=click.IntRange(min=1), metavar="N",
              help="occlusion: pixels of the patch. Default: an eighth of the picture.")
@click.option("--steps", type=click.IntRange(min=1), metavar="N", help="Of ascent. Default: 100.")
@click.option("--out", type=UserPath(), metavar="FILE",
              help="The picture to write. Default: in the run, or beside the model's file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a line.")
@pixel_options
def command(saved: str, files: tuple[str, ...], method: str, out: str | None, as_json: bool, **given: Any) -> None:
    """Show what the network of a run, or of a file, sees in a picture, in a picture.

    gradcam shows where it sees a class, saliency and guided which pixels move its answer, occlusion what happens where
    a patch covers the picture. Needs Pillow: pip install "fastcnn[image]".

    \b
    fastcnn explain runs/cats photo.jpg --out seen.png
    fastcnn explain runs/cats photos/*.jpg --method patches --layer conv2d_2 --target 5
    fastcnn explain runs/cats --method ascent --layer conv2d_2 --target 5
    """  # noqa: D301  (click reads the backspace)
    from fastcnn.cli._data import standard_of
    from fastcnn.cli._saved import open_saved
    from fastcnn.cli._seeing.opened import open_seen
    from fastcnn.datasets.rgb import picture_format
    from fastcnn.errors import ArgumentError
    from fastcnn.vision import explain

    pixels = Pixels.of(given)
    if method == "ascent" and files:
        raise ArgumentError("explain: expected no picture for --method ascent, which paints one")
    if method != "ascent" and not files:
        raise ArgumentError(f"explain: expected a picture for --method {method}, got none")
    if method not in ("patches", "ascent") and len(files) > 1:
        raise ArgumentError(f"explain: expected one picture for --method {method}, got {len(files)}")
    for option, owner in (("window", "occlusion"), ("steps", "ascent")):
        if given[option] is not None and method != owner:
            raise ArgumentError(f"explain: expected --{option} with --method {owner} alone, got it with {method}")
    place = _place(saved, method) if out is None else Path(out)
    picture_format(place, "explain: --out")
    if not place.parent.is_dir():
        raise ArgumentError(f"explain: expected --out in a folder that is there, got {place}; make the folder first")
    if (seen := open_seen(saved)) is not None:
        raise ArgumentError(f"explain: expected a network that tells classes, got {saved}, which is for {seen.task}; "
                            f"`fastcnn predict` draws what it finds")
    opened = open_saved(saved)
    if len(opened.model.input_shape) != 4:
        raise ArgumentError(f"explain: expected a network of pictures, got {saved}, whose input is "
                            f"{opened.model.input_shape}")
    options: dict[str, Any] = {}
    if method == "ascent":
        options["steps"] = given["steps"] or 100
    if method == "occlusion":
        side = min(opened.model.input_shape[1:3])
        options["window"] = min(given["window"] or max(2, side // 8), side)
        options["stride"] = max(1, options["window"] // 2)
    standard = standard_of(opened, pixels, lambda note: click.echo(note, err=True)) if files else None
    x = _pictures(opened, standard, files) if files else None
    found = explain(opened.model, x, method, layer=given["layer"], target=given["target"], **options)
    found.save(place)
    told = _told(found, opened, files)
    if as_json:
        click.echo(json.dumps({"out": str(place), **told}, indent=2, ensure_ascii=False))
    else:
        click.echo(f"{place}: {method}, {_words(told)}")


def _place(saved: str, method: str) -> Path:
    """Return where the picture goes that nobody named: into the run, or beside the file."""
    path = Path(saved)
    return (path if path.is_dir() else path.parent) / f"{method}.png"


def _pictures(opened: Any, standard: Any, files: tuple[str, ...]) -> Any:
    """Return pictures (N, H, W, C) as the network of a run takes them."""
    import numpy as np

    from fastcnn.datasets.image import read_image

    known = opened.metadata
    read = [read_image(path, opened.model.input_shape[1:], background=known.get("background"),
                       ink_box=known.get("ink_box"), **opened.pictures)[0] for path in files]
    return standard.images(np.stack(read), scale=1)


def _told(found: Any, opened: Any, files: tuple[str, ...]) -> dict[str, Any]:
    """Return what an explanation says in numbers and names."""
    told: dict[str, Any] = {"method": found.method, "target": found.target}
    if found.heat is not None:
        told["class"] = opened.classes[found.target]
        told["peak"] = None if found.peak is None else {"row": found.peak[0], "column": found.peak[1]}
    if found.patches:
        told["patches"] = [{"image": files[one.picture], "value": one.value, "box": one.box} for one in found.patches]
    if found.activity:
        told["activity"] = {"first": found.activity[0], "last": found.activity[-1]}
    return told


def _words(told: dict[str, Any]) -> str:
    if "peak" in told and told["peak"] is None:
        return f"class {told['class']}, no pixel speaks for it"
    if "peak" in told:
        return f"class {told['class']}, the peak at row {told['peak']['row']}, column {told['peak']['column']}"
    if "patches" in told:
        best = told["patches"][0]
        return f"unit {told['target']}, at most {best['value']:.4g} in {best['image']}"
    return f"unit {told['target']}, from {told['activity']['first']:.4g} to {told['activity']['last']:.4g}"
