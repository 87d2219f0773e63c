"""``fastcnn predict``: what a trained model says of pictures, or of rows of features; what it finds on pictures."""

import json
from typing import Any

import click

from fastcnn.cli._exit_codes import DATA
from fastcnn.cli._options import saved_argument
from fastcnn.cli._pixels import Pixels, pixel_options
from fastcnn.cli._values import Share, UserPath


@click.command("predict", short_help="Classify your own pictures, or find what is on them.")
@saved_argument
@click.argument("files", metavar="IMAGES...", nargs=-1, required=True, type=UserPath())
@click.option("--top", type=click.IntRange(1), default=3, show_default=True, metavar="K", help="Classes per picture.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array instead of lines.")
@click.option("--out", type=UserPath(), metavar="FILE|DIR",
              help="Where the picture goes with what was found; for several pictures a folder. Default: the run.")
@click.option("--threshold", type=Share(), metavar="SCORE",
              help="Of a detector: boxes whose score is not above it are none. Default: its own, 0.25.")
@click.option("--quiet", is_flag=True, help="Print a line for each picture, and nothing else.")
@pixel_options
@click.pass_context
def command(ctx: click.Context, saved: str, files: tuple[str, ...], **given: Any) -> None:
    """Tell what the model of a run, or of a file, sees in pictures: .safetensors, or .keras and .h5 of Keras.

    A model of features takes tables, .csv files with the columns it was trained on, and tells a line for each row.

    Each picture is made like the images the model was trained on: greyed, inverted, cropped, padded, resized as
    needed; what was done stands beneath its classes. Reading pictures needs Pillow: pip install "fastcnn[image]". A
    picture that cannot be read does not stop the others; the exit code is then 3.

    A run that sees takes pictures of any size, and draws on them what it finds: boxes, or pixels of objects. One of
    persons or characters tells which of the pictures show whom the first one shows.

    \b
    fastcnn predict runs/20260101-120000-lenet seven.png photos/*.jpg
    fastcnn predict model.safetensors seven.png --json
    fastcnn predict cells photo.jpg --out found.png
    """  # noqa: D301  (click reads the backspace)
    from fastcnn.cli._seeing.opened import open_seen

    seen = open_seen(saved)
    results = _answers(ctx, saved, files, given) if seen is None else _found(ctx, seen, files, given)
    if given["as_json"]:
        told = [{name: value for name, value in one.items() if name != "words"} for one in results]
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    if any("error" in result for result in results):
        ctx.exit(DATA)


def _found(ctx: click.Context, seen: Any, files: tuple[str, ...], given: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what a run that sees finds, and tell it."""
    from fastcnn.cli._exit_codes import one_line
    from fastcnn.cli._seeing.predicting import predict_seen
    from fastcnn.errors import ArgumentError

    for option in ("top", "white", "mean", "std"):
        if ctx.get_parameter_source(option) is click.core.ParameterSource.COMMANDLINE:
            raise ArgumentError(f"--{option}: expected a model of classes, got {seen.path}; leave it out")
    results = predict_seen(seen, files, given["out"], given["threshold"])
    for one in () if given["as_json"] else results:
        if "error" in one:
            click.echo(f"fastcnn: {one_line(one['error'])}", err=True)
            continue
        if "drawn" in one and not given["quiet"]:
            click.echo(f"note   {one['note']}" if "note" in one else f"drawn in {one['drawn']}")
        click.echo(f"{one['image']}   {one['words']}")
    return results


def _answers(ctx: click.Context, saved: str, files: tuple[str, ...], given: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what a model says of pictures or rows, and tell it."""
    from fastcnn.cli._data import standard_of
    from fastcnn.cli._saved import open_saved
    from fastcnn.errors import ArgumentError, DataError

    for option in ("out", "threshold"):
        if given[option] is not None:
            raise ArgumentError(f"--{option}: expected a run that finds things on pictures, got {saved}; leave it out")
    pixels, top = Pixels.of(given), given["top"]
    opened = open_saved(saved)
    standard = standard_of(opened, pixels, lambda note: click.echo(note, err=True))
    results: list[dict[str, Any]] = []
    for path in files:
        try:
            if len(opened.model.input_shape) == 2:
                found = _of_rows(opened, path, top)
            else:
                found = [_of_picture(opened, standard, path, top)]
        except DataError as error:
            found = [{"image" if len(opened.model.input_shape) == 4 else "table": path, "error": str(error)}]
        results += found
        for result in () if given["as_json"] else found:
            _show(result, given["quiet"])
    return results


def _of_picture(opened: Any, standard: Any, path: str, top: int) -> dict[str, Any]:
    """Return what the model says of a picture, and the steps that made it an input."""
    from fastcnn.cli._answers import answers
    from fastcnn.datasets.image import read_image

    known = opened.metadata
    x, steps = read_image(
        path, opened.model.input_shape[1:], background=known.get("background"), ink_box=known.get("ink_box"),
        **opened.pictures,
    )  # fmt: skip
    outputs = opened.model.predict(standard.images(x[None], scale=1), batch_size=1, verbose=0)[0]
    return {"image": path, "predictions": answers(opened, outputs, top), "steps": steps}


def _of_rows(opened: Any, path: str, top: int) -> list[dict[str, Any]]:
    """Return what the model says of each row of a table."""
    from fastcnn.cli._answers import answers
    from fastcnn.cli._predict_rows import rows_of

    lines, x = rows_of(opened, path)
    outputs = opened.model.predict(x, batch_size=256, verbose=0)
    return [{"table": path, "line": line, "predictions": answers(opened, one, top)}
            for line, one in zip(lines, outputs, strict=True)]  # fmt: skip


def _show(result: dict[str, Any], quiet: bool) -> None:
    from fastcnn.cli._answers import in_words
    from fastcnn.cli._exit_codes import one_line

    if "error" in result:
        click.echo(f"fastcnn: {one_line(result['error'])}", err=True)
        return
    place = result["image"] if "image" in result else f"{result['table']}, line {result['line']}"
    click.echo(f"{place}   {in_words(result['predictions'])}")
    if "steps" in result and not quiet:
        click.echo(f"    {', '.join(result['steps']) or 'taken as it is'}")
