"""``fastcnn stylize``: a picture with the brush of another."""

import json
from typing import Any

import click
from click.core import ParameterSource

from fastcnn.cli._exit_codes import INTERRUPTED
from fastcnn.cli._values import Factor, LongestSides, Rate, UserPath

NETWORKS = ("squeezenet1.1", "vgg16", "vgg19")


@click.command("stylize", short_help="Paint a picture in the style of another.")
@click.argument("content", metavar="CONTENT", type=UserPath())
@click.argument("style", metavar="[STYLE]", required=False, type=UserPath())
@click.option("--out", type=UserPath(), metavar="FILE", required=True, help="The picture to write: .png, .jpg, ...")
@click.option("--network", type=click.Choice(NETWORKS), default="squeezenet1.1", show_default=True,
              help="Whose features tell content and style.")
@click.option("--weights", type=UserPath(), metavar="FILE",
              help="Its weights. Without it, squeezenet1.1.safetensors in the folder of FASTCNN_DATA.")
@click.option("--painter", type=UserPath(), metavar="FILE",
              help="The weights of a feed-forward network that knows its style: one pass, in the place of STYLE.")
@click.option("--size", type=click.IntRange(min=32), metavar="N", help="Pixels of the longer side. Default: 255.")
@click.option("--sizes", type=LongestSides(), metavar="N,N,...",
              help="Several, from small to large, each with --steps steps.")
@click.option("--steps", type=click.IntRange(min=1), default=300, show_default=True, metavar="N")
@click.option("--content-weight", type=Factor(), default=0.05, show_default=True, metavar="X")
@click.option("--style-weight", type=Factor(), default=1.0, show_default=True, metavar="X")
@click.option("--variation-weight", type=Factor(), default=1.0, show_default=True, metavar="X",
              help="Of the roughness of the picture.")
@click.option("--lr", type=Rate(), default=0.02, show_default=True, metavar="X",
              help="The learning rate, for pixels from 0 to 1.")
@click.option("--init", type=click.Choice(("content", "noise")), default="content", show_default=True,
              help="What the picture begins with.")
@click.option("--keep-colors", is_flag=True, help="Take the brightness alone from the style.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, metavar="N",
              help="Of the noise.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
@click.pass_context
def command(ctx: click.Context, content: str, style: str | None, out: str, painter: str | None, as_json: bool,
            **given: Any) -> None:
    """Paint the picture CONTENT as the picture STYLE is painted.

    The pixels are trained so that a trained network's features stay those of CONTENT, and their Gram matrices become
    those of STYLE. Ctrl-C saves the picture as it stands. Reading and writing pictures needs Pillow:
    pip install "fastcnn[image]".

    \b
    fastcnn stylize cat.png starry_night.jpg --out painted.png
    fastcnn stylize cat.png starry_night.jpg --out painted.png --sizes 128,255,400 --keep-colors
    fastcnn stylize cat.png --painter scream.safetensors --out screaming.png
    """  # noqa: D301  (click reads the backspace)
    from pathlib import Path

    from fastcnn.datasets.rgb import picture_format
    from fastcnn.errors import ArgumentError

    picture_format(out, "stylize: --out")
    if not Path(out).parent.is_dir():
        raise ArgumentError(f"stylize: expected --out in a folder that is there, got {out}; make the folder first")
    if (style is None) == (painter is None):
        raise ArgumentError("stylize: expected STYLE, a picture, or --painter, a network that knows its style, got "
                            + ("neither" if style is None else "both"))
    unread = [name for name in given if style is None and name != "size"
              and ctx.get_parameter_source(name) is not ParameterSource.DEFAULT]
    if unread:
        raise ArgumentError(f"stylize: expected --size alone beside --painter, which knows its style, got "
                            f"--{unread[0].replace('_', '-')}; leave it away")
    told = _painted(content, str(painter), out, given) if style is None else _descended(
        content, style, out, given, as_json)
    if as_json:
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    if told.get("stopped") == "interrupted":
        ctx.exit(INTERRUPTED)


def _painted(content: str, painter: str, out: str, given: dict[str, Any]) -> dict[str, Any]:
    """Write the picture of a feed-forward network, and return what was done."""
    import time

    from fastcnn.datasets.rgb import write_picture
    from fastcnn.vision import style

    network = style.StyleNet(weights=painter)
    began = time.perf_counter()
    picture = style.paint(content, network, given["size"])
    seconds = time.perf_counter() - began
    write_picture(out, picture)
    click.echo(f"{out}: {picture.shape[1]} x {picture.shape[0]} in {seconds:.2f} s", err=True)
    return {"out": out, "width": picture.shape[1], "height": picture.shape[0], "seconds": seconds}


def _descended(content: str, style: str, out: str, given: dict[str, Any], as_json: bool) -> dict[str, Any]:
    """Write the picture that the descent finds, and return what was done."""
    from fastcnn.cli._console import make_console
    from fastcnn.vision.style import stylize

    console = make_console(quiet=as_json)
    steps = given["steps"] * len(given["sizes"] or (0,))

    def tell(step: int, costs: dict[str, float]) -> None:
        if step == 1 or step % max(1, steps // 10) == 0 or step == steps:
            console.print(f"step {step:>{len(str(steps))}} of {steps}: cost {costs['cost']:.4g}, content "
                          f"{costs['content']:.3g}, style {costs['style']:.3g}, variation {costs['variation']:.3g}")

    found = stylize(
        content, style, given["network"], weights=given["weights"], size=given["size"] or 255, sizes=given["sizes"],
        steps=given["steps"], content_weight=given["content_weight"], style_weight=given["style_weight"],
        variation_weight=given["variation_weight"], learning_rate=given["lr"], init=given["init"],
        keep_colors=given["keep_colors"], seed=given["seed"], on_step=tell)
    found.save(out)
    if found.stopped:
        click.echo(f"stylize: ended early, {found.stopped}; the picture is as it stood", err=True)
    console.print(f"{out}: {found.picture.shape[1]} x {found.picture.shape[0]}, the cost fell to "
                  f"{100 * found.share:.1f} % in {found.seconds:.1f} s")
    last = found.costs[-1] if found.costs else {}
    return {"out": out, "width": found.picture.shape[1], "height": found.picture.shape[0], "steps": len(found.costs),
            "share": found.share, "seconds": found.seconds, "stopped": found.stopped, **last}
