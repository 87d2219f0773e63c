"""``fastcnn evaluate``: how good a trained model is on images it was not trained on."""

import click

from fastcnn.cli._options import batch_option, data_options, saved_argument, white_option


@click.command("evaluate", short_help="Test a trained model on a data set.")
@saved_argument
@data_options("the one the run was trained on")
@click.option("--part", type=click.Choice(("test", "dev", "train-dev", "train")), default="test", show_default=True,
              help="Which images; all but test need the data set of the run, whose split.csv says which those are.")
@batch_option
@white_option
def command(saved: str, dataset: str | None, data_dir: str | None, skip_damaged: bool, part: str, batch_size: int,
            white: float | None) -> None:
    """Test the model of a run, or of a file (.safetensors, or Keras's .keras and .h5), on a data set's test images.

    Prints precision, recall and F1 of each class, the loss (mean cross-entropy), and as its last line the accuracy.
    A test part tells the truth once: who decides by it what to try next fits his decisions to it. So the run counts how
    often its test images were looked at; --part dev is for decisions.

    \b
    fastcnn evaluate runs/20260101-120000-lenet
    fastcnn evaluate model.safetensors --dataset mnist
    """  # noqa: D301  (click reads the backspace)
    from fastcnn.cli._compiling import Compiling
    from fastcnn.cli._console import make_console
    from fastcnn.cli._data import choose_dataset, load_dataset, standard_of
    from fastcnn.cli._examples import part_of
    from fastcnn.cli._looks import look
    from fastcnn.cli._practice import limited
    from fastcnn.cli._saved import open_saved, require_fit
    from fastcnn.cli._table_columns import columns_asked
    from fastcnn.cli._task import task_of, told

    console, name = make_console(), part.replace("-", "_")
    with Compiling(console, "testing"):
        opened = open_saved(saved)
        chosen = choose_dataset(dataset, data_dir, opened)
        data = load_dataset(chosen, opened, skip_damaged=skip_damaged, columns=columns_asked({}, opened.metadata))
        require_fit(opened, data)
        images = part_of(data, opened.split_of(chosen[0]), name, str(opened.path))
        if name == "train" and opened.config is not None:  # what was trained on, not what --limit left out
            images = limited(images, opened.config.limit, opened.config.seed)
        console.print(f"model  {opened.model.name}: {opened.model.count_params():,} parameters, from {opened.path}")
        console.print(f"data   {data.name}: {len(images.y):,} {part} {'rows' if data.features else 'images'}")
        for note in data.notes:
            console.print(f"note   {note}")
        if data.outputs != opened.classes:
            console.print("note   the classes of the data have other names than those the model was trained on")
        x = standard_of(opened, white, console.print).images(images.x, data.scale)
        outputs = opened.model.predict(x, batch_size=batch_size, verbose=0)
    report = task_of(data).measure(outputs, images.y)
    report.show(console, data.outputs)
    if name == "test" and opened.config is not None:
        console.print(look(opened.path.parent, chosen[0], report))
    for figure, value in report.figures.items():
        console.print(f"{part} {figure} {told(figure, value)}")
