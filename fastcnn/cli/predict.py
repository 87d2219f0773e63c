"""``fastcnn predict``: what a trained model sees in pictures."""

import json
from typing import Any

import click

from fastcnn.cli._exit_codes import DATA
from fastcnn.cli._options import saved_argument, white_option
from fastcnn.cli._values import UserPath


@click.command("predict", short_help="Classify your own pictures.")
@saved_argument
@click.argument("images", metavar="IMAGES...", nargs=-1, required=True, type=UserPath())
@click.option("--top", type=click.IntRange(1), default=3, show_default=True, metavar="K", help="Classes per picture.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array instead of lines.")
@white_option
@click.pass_context
def command(ctx: click.Context, saved: str, images: tuple[str, ...], top: int, as_json: bool,
            white: float | None) -> None:
    """Classify pictures with the model of a run, or of a file: .safetensors, or .keras and .h5 of Keras (extra keras).

    Each picture is made like the images the model was trained on: greyed, inverted, cropped, padded, resized as
    needed; what was done stands beneath its classes. Reading pictures needs Pillow: pip install "fastcnn[image]". A
    picture that cannot be read does not stop the others; the exit code is then 3.

    \b
    fastcnn predict runs/20260101-120000-lenet seven.png photos/*.jpg
    fastcnn predict model.safetensors seven.png --json
    """  # noqa: D301  (click reads the backspace)
    from fastcnn.cli._data import standard_of
    from fastcnn.cli._saved import open_saved
    from fastcnn.errors import DataError

    opened = open_saved(saved)
    standard = standard_of(opened, white, lambda note: click.echo(note, err=True))
    results, failed = [], False
    for path in images:
        try:
            result = _classify(opened, standard, path, top)
        except DataError as error:
            failed = True
            result = {"image": path, "error": str(error)}
        if as_json:
            results.append(result)
        else:
            _show(result)
    if as_json:
        click.echo(json.dumps(results, indent=2, ensure_ascii=False))
    if failed:
        ctx.exit(DATA)


def _classify(opened: Any, standard: Any, path: str, top: int) -> dict[str, Any]:
    """Return the most probable classes of a picture, and the steps that made it an input."""
    from fastcnn.cli._report import as_probabilities
    from fastcnn.datasets.image import read_image

    known = opened.metadata
    x, steps = read_image(
        path, opened.model.input_shape[1:], background=known.get("background"), ink_box=known.get("ink_box"),
        **opened.pictures,
    )  # fmt: skip
    x = standard.images(x[None], scale=1)
    probabilities = as_probabilities(opened.model.predict(x, batch_size=1, verbose=0))[0]
    best = (-probabilities).argsort(kind="stable")[:top]
    found = [{"class": opened.classes[i], "probability": round(float(probabilities[i]), 6)} for i in best]
    return {"image": path, "predictions": found, "steps": steps}


def _show(result: dict[str, Any]) -> None:
    from fastcnn.cli._exit_codes import one_line

    if "error" in result:
        click.echo(f"fastcnn: {one_line(result['error'])}", err=True)
        return
    found = "   ".join(f"{one['class']} {one['probability']:.1%}" for one in result["predictions"])
    click.echo(f"{result['image']}   {found}")
    click.echo(f"    {', '.join(result['steps']) or 'taken as it is'}")
