"""``fastcnn export-onnx``: a model as an ONNX file."""

import click

from fastcnn.cli._values import Size, UserPath


@click.command("export-onnx", short_help="Write a model as an ONNX file.")
@click.argument("model", metavar="MODEL", type=UserPath())
@click.argument("file", metavar="FILE.onnx", type=UserPath())
@click.option("--opset", type=click.IntRange(20, 23), default=21, show_default=True, help="Version of the operators.")
@click.option("--layout", type=click.Choice(["channels_last", "channels_first"]), default="channels_last",
              show_default=True, help="Order of the dimensions of the file's inputs and outputs.")
@click.option("--suppress", is_flag=True,
              help="Of a detector: end in NonMaxSuppression, with its thresholds; else in all boxes and scores.")
@click.option("--size", type=Size(), metavar="WxH",
              help="Width and height of the pictures of a network for any size, such as a U-Net.")
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
def command(model: str, file: str, opset: int, layout: str, suppress: bool, size: tuple[int, int] | None,
            overwrite: bool) -> None:
    """Write the model of a run, or of a file (.safetensors, .keras, .h5), as FILE.onnx, for programs that read ONNX.

    The file computes what `fastcnn predict` sees after it has made the picture an input; that of a detector takes
    pictures of its size, 0 to 255, and gives boxes x1, y1, x2, y2 in pixels of them with the scores of each class;
    that of a U-Net takes pictures of --size as its run scales them, and gives the chances of each pixel.
    Needs the package onnx: pip install "fastcnn[onnx]".

    \b
    fastcnn export-onnx runs/20260101-120000-lenet lenet.onnx
    fastcnn export-onnx cells cells.onnx --suppress
    """  # noqa: D301  (click reads the backspace)
    from pathlib import Path

    from fastcnn import onnx, saving
    from fastcnn.cli._saved import find_file
    from fastcnn.cli._seeing.opened import open_seen
    from fastcnn.errors import ArgumentError

    seen = open_seen(model)
    if suppress and (seen is None or seen.task != "detection"):
        raise ArgumentError(f"--suppress: expected a detector of boxes, got {model}; leave it out")
    if (size is None) == (seen is not None and seen.task == "segmentation"):
        told = ("one for {}, which marks pictures of any size, got none" if size is None else
                "none for {}, whose pictures have one size; leave it out")
        raise ArgumentError(f"--size: expected {told.format(model)}")
    if seen is None:
        network = saving.load_model(find_file(model), compile=False)
    elif seen.task == "identity":
        network = seen.thing.model
    else:
        network = seen.thing.prediction_model(suppress if seen.task == "detection" else size)
    path = onnx.export(network, Path(file), opset=opset, layout=layout, overwrite=overwrite)
    click.echo(f"{path}: {path.stat().st_size:,} bytes, opset {opset}, {layout}, "
               f"input {_text(network.input_names, network.input_shapes)}, "
               f"output {_text(network.output_names, network.output_shapes)}")


def _text(names: list[str], shapes: list[tuple]) -> str:
    from fastcnn.layers.twins import shape_text

    return ", ".join(f"{name} {shape_text(shape)}" for name, shape in zip(names, shapes, strict=True))
