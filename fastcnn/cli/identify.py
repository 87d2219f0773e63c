"""``fastcnn identify``: who is in a picture, among known persons, or nobody."""

import json
from typing import Any

import click

from fastcnn.cli._exit_codes import DATA
from fastcnn.cli._options import saved_argument
from fastcnn.cli._values import Factor, UserPath


@click.command("identify", short_help="Tell who, or which character, is in a picture.")
@saved_argument
@click.argument("files", metavar="IMAGES...", nargs=-1, required=True, type=UserPath())
@click.option("--gallery", type=UserPath(), metavar="DIR", required=True,
              help="Known persons: a folder of pictures for each, or pictures named by person, ann.png, ann_2.png.")
@click.option("--threshold", type=Factor(), metavar="X",
              help="The largest squared distance at which somebody is recognized. Default: the run's own.")
@click.option("--out", type=UserPath(), metavar="FILE",
              help="Draw each picture beside the nearest known one: .png, .jpg, ...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array instead of lines.")
@click.pass_context
def command(ctx: click.Context, saved: str, files: tuple[str, ...], gallery: str, threshold: float | None,
            out: str | None, as_json: bool) -> None:
    """Tell who is in pictures: the name of the nearest known person with the distance, or "not recognized".

    The run is one of embeddings, which `fastcnn train --model siamese` makes. Nobody is trained anew: one picture of a
    person is enough. A picture of another size is brought to that of the run. Reading pictures needs Pillow: pip
    install "fastcnn[image]". A picture that cannot be read does not stop the others; the exit code is then 3.

    \b
    fastcnn identify runs/letters --gallery known/ new.png
    fastcnn identify runs/letters --gallery known/ new/*.png --out answers.png --json
    """  # noqa: D301  (click reads the backspace)
    from pathlib import Path

    from fastcnn.cli._saved import find_file
    from fastcnn.datasets.rgb import picture_format
    from fastcnn.errors import ArgumentError
    from fastcnn.vision import identity

    if out is not None:
        picture_format(out, "identify: --out")
        if not Path(out).parent.is_dir():
            raise ArgumentError(f"identify: expected --out in a folder that is there, got {out}; make the folder first")
    persons = identity.known_persons(gallery)
    recognizer = identity.Recognizer.load(find_file(saved))
    known = identity.Gallery(recognizer, threshold)
    known.enroll(persons)
    if not as_json:
        click.echo(f"{len(persons)} persons known by {len(known)} pictures; recognized up to a distance of "
                   f"{known.threshold:.4g}", err=True)
    results, pictures = _identified(known, files)
    if not as_json:
        _show(results)
    if out is not None and pictures:
        known.draw(pictures, out)
    if as_json:
        click.echo(json.dumps(results, indent=2, ensure_ascii=False))
    elif out is not None and pictures:
        click.echo(f"drawn in {out}")
    if any("error" in one for one in results):
        ctx.exit(DATA)


def _identified(known: Any, files: tuple[str, ...]) -> tuple[list[dict[str, Any]], list[Any]]:
    """Return an answer or an error for each file, and the pictures of those that were read."""
    from fastcnn.datasets.rgb import read_rgb
    from fastcnn.errors import DataError
    from fastcnn.vision.identity import NOT_RECOGNIZED

    channels = known.model.model.input_shape[-1]
    results, pictures = list[dict[str, Any]](), list[Any]()
    for file in files:
        try:
            picture = read_rgb(file)
        except DataError as error:
            results.append({"image": file, "error": str(error)})
            continue
        pictures.append(picture if channels == 3 else picture.mean(-1, keepdims=True).astype("uint8"))
        (answer,) = known.identify(pictures[-1])
        is_known = answer.name != NOT_RECOGNIZED
        results.append({"image": file, "name": answer.name if is_known else None, "recognized": is_known,
                        "distance": round(answer.distance, 6), "nearest": answer.nearest,
                        "threshold": known.threshold})
    return results, pictures


def _show(results: list[dict[str, Any]]) -> None:
    from fastcnn.cli._exit_codes import one_line
    from fastcnn.vision.identity import NOT_RECOGNIZED

    for one in results:
        if "error" in one:
            click.echo(f"fastcnn: {one_line(one['error'])}", err=True)
        elif one["recognized"]:
            click.echo(f"{one['image']}   {one['name']}   distance {one['distance']:.4f}")
        else:
            click.echo(f"{one['image']}   {NOT_RECOGNIZED}   distance {one['distance']:.4f} to {one['nearest']}")
