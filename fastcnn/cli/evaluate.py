"""``fastcnn evaluate``: how good a trained model is on a data set's test images."""

import click

from fastcnn.cli._options import batch_option, data_options, saved_argument, white_option


@click.command("evaluate", short_help="Test a trained model on a data set.")
@saved_argument
@data_options("the one the run was trained on")
@batch_option
@white_option
def command(saved: str, dataset: str | None, data_dir: str | None, skip_damaged: bool, batch_size: int,
            white: float | None) -> None:
    """Test the model of a run, or of a file (.safetensors, or Keras's .keras and .h5), on a data set's test images.

    Prints precision, recall and F1 of each class, the loss (mean cross-entropy), and as its last line the accuracy.

    \b
    fastcnn evaluate runs/20260101-120000-lenet
    fastcnn evaluate model.safetensors --dataset mnist
    """  # noqa: D301  (click reads the backspace)
    from fastcnn.cli._compiling import Compiling
    from fastcnn.cli._console import make_console
    from fastcnn.cli._data import choose_dataset, load_dataset, standard_of
    from fastcnn.cli._report import as_probabilities, measure, show
    from fastcnn.cli._saved import open_saved, require_fit

    console = make_console()
    with Compiling(console, "testing"):
        opened = open_saved(saved)
        data = load_dataset(choose_dataset(dataset, data_dir, opened), opened, skip_damaged=skip_damaged)
        require_fit(opened, data)
        console.print(f"model  {opened.model.name}: {opened.model.count_params():,} parameters, from {opened.path}")
        console.print(f"data   {data.name}: {len(data.x_test):,} test images")
        for note in data.notes:
            console.print(f"note   {note}")
        if data.classes != opened.classes:
            console.print("note   the classes of the data have other names than those the model was trained on")
        x = standard_of(opened, white, console.print).images(data.x_test, data.scale)
        outputs = opened.model.predict(x, batch_size=batch_size, verbose=0)
    report = measure(as_probabilities(outputs), data.y_test)
    show(console, report, data.classes)
    console.print(f"test loss {report.loss:.4f}")
    console.print(f"test accuracy {report.accuracy:.4f}")
