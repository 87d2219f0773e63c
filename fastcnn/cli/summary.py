"""``fastcnn summary``: what a model is made of, and what it costs."""

import click

from fastcnn.cli._options import MODELS, shape_option
from fastcnn.cli._values import NameOrPath, input_shapes


@click.command("summary", short_help="Show a model's layers and their cost.")
@click.argument("model", metavar="MODEL", type=NameOrPath(MODELS))
@shape_option
@click.option("--fusions", is_flag=True, help="Tell also what runs in the place of which layers, and why not.")
@click.option("--batch-size", type=click.IntRange(min=1), default=32, show_default=True, metavar="N",
              help="For --fusions: some want a batch that fills vectors.")
def command(model: str, shapes: tuple[tuple[str, tuple[int, ...]], ...], fusions: bool, batch_size: int) -> None:
    """Show the layers of a model by its name (lenet5, mlp, ...), of a run, or of a file: .safetensors,
    .onnx, or .keras and .h5 of Keras.

    For each layer and in all: the shape of the output, parameters, multiply-adds and memory of the output for one
    image.
    """
    from pathlib import Path

    from fastcnn import applications, initializers, models, saving
    from fastcnn.cli._saved import find_file
    from fastcnn.errors import ArgumentError, unknown

    network: models.Model
    if shapes and not model.lower().endswith(".onnx"):
        raise ArgumentError(f"summary: expected an .onnx file with --input-shape, got {model!r}; leave the option away")
    if (function := applications.find(model)) is not None:
        with initializers.nothing_drawn():
            network = function()
    elif Path(model).exists():
        if model.lower().endswith(".onnx"):
            from fastcnn import onnx

            network = onnx.load(Path(model), input_shapes=input_shapes(shapes))
        else:
            network = saving.load_model(find_file(model), compile=False)
    else:
        raise ArgumentError(f"{unknown('summary: model', model, MODELS)}; no run or file has that name either")
    network.summary(click.echo)
    if fusions:
        click.echo(f"\n{network.fusions(batch_size)}")
