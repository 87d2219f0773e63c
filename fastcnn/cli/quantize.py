"""``fastcnn quantize``: a model whose predictions run in 8 bits, from a trained one."""

from typing import Any

import click

from fastcnn.cli._options import data_options, saved_argument
from fastcnn.cli._pixels import Pixels, pixel_options
from fastcnn.cli._values import Share, UserPath

_IMAGES = 500


@click.command("quantize", short_help="Make a model that predicts in 8 bits.")
@saved_argument
@click.option("--out", required=True, type=UserPath(), metavar="FILE",
              help="Where the model goes: .safetensors, or .onnx for other runtimes.")
@click.option("--images", type=click.IntRange(1), default=_IMAGES, show_default=True, metavar="N",
              help="How many training images tell the ranges of numbers; drawn at random, always the same.")
@click.option("--method", type=click.Choice(["entropy", "minmax", "mse"]), default="entropy", show_default=True,
              help="entropy leaves out tails that cost more than they tell, mse those that err less clipped; minmax "
                   "covers every number seen.")
@click.option("--equalize", is_flag=True, help="Make channels more alike before, without another output.")
@click.option("--keep", multiple=True, metavar="LAYER", help="Name of a layer that stays in float32; may be repeated.")
@click.option("--tolerance", type=Share(), metavar="SHARE",
              help="How much accuracy on these images may be lost; if it is more, layers that cost most stay in "
                   "float32.")
@click.option("--table", is_flag=True, help="Tell what each layer costs, quantized alone.")
@data_options("the one the run was trained on")
@pixel_options
def command(saved: str, out: str, images: int, method: str, keep: tuple[str, ...], tolerance: float | None, table: bool,
            equalize: bool, **given: Any) -> None:
    """Write a model that predicts in 8 bits what that of a run, or of a file, does in float32.

    Batch normalization is folded into the filters, each filter gets a scale of its own, and bytes cover what the
    network computes of some training images. The file is evaluated and predicts as any other; with .onnx it is written
    as other runtimes look for it. Tells how many of the images get another class.

    \b
    fastcnn quantize runs/20260101-120000-lenet --out lenet-int8.safetensors
    fastcnn evaluate lenet-int8.safetensors --dataset digits
    """  # noqa: D301  (click reads the backspace)
    from pathlib import Path

    import numpy as np

    from fastcnn import onnx, quantization, saving
    from fastcnn.cli._compiling import Compiling
    from fastcnn.cli._console import make_console
    from fastcnn.cli._data import choose_dataset, load_dataset, standard_of
    from fastcnn.cli._examples import part_of
    from fastcnn.cli._saved import open_saved, require_fit
    from fastcnn.cli._seeing.opened import open_seen
    from fastcnn.errors import ArgumentError

    file, asked = Path(out), Pixels.of(given)
    if file.suffix not in (".safetensors", ".onnx"):
        raise ArgumentError(f"--out: expected a path that ends in .safetensors or .onnx, got {out}")
    if open_seen(saved) is not None:
        raise ArgumentError(f"{saved}: expected a model of classes, labels or numbers, got one that sees; quantize its "
                            f"network in Python, with fc.quantize")
    opened, console = open_saved(saved), make_console(quiet=False)
    chosen = choose_dataset(given["dataset"], given["data_dir"], opened)
    with Compiling(console, "quantizing"):
        data = load_dataset(chosen, opened, skip_damaged=given["skip_damaged"])
        require_fit(opened, data)
        split = opened.split_of(chosen[0])
        part = None if split is None else part_of(data, split, "train", str(opened.path))
        pixels, classes = (data.x_train, data.y_train) if part is None else (part.x, part.y)
        some = np.sort(np.random.default_rng(0).permutation(len(classes))[:images])
        x = standard_of(opened, asked, console.print).images(np.asarray(pixels[some]), data.scale)
        is_classes = data.task == "classification"
        told: dict[str, Any] = {"method": method, "equalize": equalize, "keep": keep,
                                "labels": classes[some] if is_classes else None}
        if tolerance is not None and not is_classes:
            raise ArgumentError(f"--tolerance: expected a model of classes, got one of {data.task}; name layers with "
                                "--keep")
        if table:
            console.print(str(quantization.layer_losses(opened.model, x, **told)))
        made = quantization.quantize(opened.model, x, tolerance=tolerance, **told)
        before, now = (one.predict(x, batch_size=64, verbose=0) for one in (opened.model, made))
    if file.suffix == ".onnx":
        onnx.export(made, file)
    else:
        saving.save_model(made, file, metadata=opened.metadata)
    if is_classes:
        console.print(f"same class of {np.mean(before.argmax(-1) == now.argmax(-1)):.2%} of {len(x):,} images")
    console.print(f"saved  {file}: {file.stat().st_size:,} bytes, of {opened.path.stat().st_size:,} before")
