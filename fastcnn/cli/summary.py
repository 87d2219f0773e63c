"""``fastcnn summary``: what a model is made of, and what it costs."""

import click

from fastcnn.cli._options import MODELS, NameOrPath


@click.command("summary", short_help="Show a model's layers and their cost.")
@click.argument("model", metavar="MODEL", type=NameOrPath(MODELS))
def command(model: str) -> None:
    """Show the layers of a model by its name (lenet, lenet5, convnet, mlp, ...), or of a run or a .safetensors file.

    For each layer and in all: the shape of the output, parameters, multiply-adds and bytes of the output for one image.
    """
    from pathlib import Path

    from fastcnn import applications, models, saving
    from fastcnn.cli._console import make_console
    from fastcnn.cli._saved import find_file
    from fastcnn.errors import ArgumentError, unknown
    from fastcnn.models.summary import rows, table

    network: models.Model
    if model in applications.by_name:
        network = applications.by_name[model]()
    elif Path(model).expanduser().exists():
        network = saving.load_model(find_file(model))
    else:
        raise ArgumentError(f"{unknown('summary: model', model, MODELS)}; no run or file has that name either")
    console = make_console()
    console.print(table(network), soft_wrap=False)
    size = network.dtype.itemsize
    console.print(f"parameters  {network.count_params() * size:,} bytes of {network.dtype.name}")
    console.print(f"outputs     {sum(row.output_bytes for row in rows(network)):,} bytes an image")
