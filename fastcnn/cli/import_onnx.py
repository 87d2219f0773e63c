"""``fastcnn import-onnx``: an ONNX file as a model of fastcnn."""

import click

from fastcnn.cli._options import shape_option
from fastcnn.cli._values import UserPath, input_shapes


@click.command("import-onnx", short_help="Read an ONNX file and save it as a model.")
@click.argument("file", metavar="FILE.onnx", type=UserPath())
@click.argument("model", metavar="MODEL.safetensors", type=UserPath())
@shape_option
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
def command(file: str, model: str, shapes: tuple[tuple[str, tuple[int, ...]], ...], overwrite: bool) -> None:
    """Read FILE.onnx and save it as MODEL.safetensors, which takes channels-last images and can be trained further.

    Needs the package onnx: pip install "fastcnn[onnx]".

    \b
    fastcnn import-onnx resnet50.onnx resnet50.safetensors
    fastcnn summary resnet50.safetensors
    fastcnn import-onnx net.onnx net.safetensors --input-shape 3,224,224
    """  # noqa: D301  (click reads the backspace)
    from pathlib import Path

    from fastcnn import onnx
    from fastcnn.cli._saved import require_there
    from fastcnn.cli.export_onnx import _text

    require_there(Path(file), "an ONNX file", "the first path is of the file, the second of the model")
    network = onnx.load(Path(file), input_shapes=input_shapes(shapes))
    path = Path(model)
    network.save(path, overwrite=overwrite)
    click.echo(f"{path}: {len(network.layers)} layers, {network.count_params():,} parameters, "
               f"input {_text(network.input_names, network.input_shapes)}, "
               f"output {_text(network.output_names, network.output_shapes)}")
