"""A trained model on disk: a run's folder or a file, and what is known about it."""

from pathlib import Path
from typing import Any, NamedTuple

from fastcnn.cli._config import Config, read_config
from fastcnn.cli._decision import Decision
from fastcnn.cli._run import MODEL, SPLIT
from fastcnn.datasets import Dataset
from fastcnn.errors import ArgumentError, DataError, ModelFileError


class Saved(NamedTuple):
    """A model that was read, its metadata, and the configuration of its run if it lies in one."""

    path: Path
    model: Any
    metadata: dict[str, Any]
    config: Config | None

    @property
    def task(self) -> str:
        """What the model does, as `Dataset.task`."""
        return str(self.metadata.get("task", "classification"))

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the outputs, of classes, labels or numbers; numbers where the file has none."""
        names = self.metadata.get("targets" if self.task == "regression" else "classes")
        number = self.model.output_shape[-1]
        return tuple(map(str, names)) if names and len(names) == number else tuple(map(str, range(number)))

    @property
    def has_names(self) -> bool:
        """Whether the file tells the names of the outputs."""
        return bool(self.metadata.get("targets" if self.task == "regression" else "classes"))

    @property
    def decision(self) -> Decision:
        """From which probability on it says yes, and how sure its probabilities are."""
        return Decision.of(self.metadata)

    @property
    def split(self) -> Path | None:
        """The file that says which image was in which part of the run's data; None outside of a run with one."""
        path = self.path.parent / SPLIT
        return path if self.config is not None and path.is_file() else None

    def split_of(self, dataset: str) -> Path | None:
        """Return `split` for the data set that the run was trained on; None for another."""
        return self.split if self.config is not None and self.config.dataset == dataset else None

    @property
    def pictures(self) -> dict[str, Any]:
        """How pictures were made into images for the training: ``fit`` and ``white`` of `fastcnn.datasets.Pictures`."""
        found = self.metadata.get("pictures")
        known = found if isinstance(found, dict) else {}
        return {"fit": known.get("fit", "crop"), "white": known.get("white")}


def open_saved(path: str, size: tuple[int, int] | None = None) -> Saved:
    """Read the model of a run's folder or of a file.

    Parameters
    ----------
    path : str
    size : (height, width), optional
        Of images, where a model takes any.

    Raises
    ------
    ArgumentError
        If nothing is there.
    ModelFileError
        If it is no model, a damaged one, or one that is not of images or features.
    """
    file = find_file(path)
    model, metadata = _read(file)
    if size is not None and isinstance(model.input_shape, tuple) and len(model.input_shape) == 4 and (
            None in model.input_shape[1:3]):
        model = model.for_shape((None, *size, model.input_shape[-1]))
    shapes = model.input_shape, model.output_shape  # lists where a model has several
    if not all(isinstance(shape, tuple) for shape in shapes) or tuple(map(len, shapes)) not in ((4, 2), (2, 2)):
        raise ModelFileError(
            f"{file}: expected a model of images (N, H, W, C), or of features (N, F), to (N, outputs), "
            f"got {model.input_shape} to {model.output_shape}; use it from Python"
        )
    if None in shapes[0][1:]:
        raise ModelFileError(
            f"{file}: expected a model of images of one size, got {model.input_shape}; save "
            f"model.for_shape((None, 224, 224, 3)), say, train from it with --size, or use it from Python"
        )
    return Saved(file, model, metadata, read_config(file.parent) if file.name == MODEL else None)


def _read(file: Path) -> tuple[Any, dict[str, Any]]:
    """Return a model and what its file tells of it; an ONNX file tells nothing."""
    from fastcnn import saving

    if file.suffix.lower() == ".onnx":
        from fastcnn import onnx

        return onnx.load(file), {}
    return saving.load_model(file, compile=False), saving.load_metadata(file)


def find_file(path: str) -> Path:
    """Return the file of the model in a run's folder, or the path itself if it is a file.

    Raises
    ------
    ArgumentError
        If nothing is there.
    ModelFileError
        If it is a folder without a model.
    """
    given = Path(path)
    if given.is_dir():
        if not (given / MODEL).is_file():
            raise ModelFileError(f"{given}: expected a run with {MODEL} in it, got a folder without; name a run")
        return given / MODEL
    runs = sorted(Path("runs").glob(f"*/{MODEL}"), key=lambda file: file.stat().st_mtime)
    require_there(given, "a run's folder or a file of a model",
                  f"the latest run here is {runs[-1].parent}" if runs else "`fastcnn train` makes one")
    return given


def require_there(path: Path, what: str, hint: str) -> None:
    """Raise unless something is at a path: in every command a model that is not there is an unknown name, code 2.

    Raises
    ------
    ArgumentError
        With what was expected, and the hint.
    """
    if not path.exists():
        raise ArgumentError(f"{path}: expected {what}, got nothing there; {hint}")


def require_fit(saved: Saved, data: Dataset, has_head: bool = True) -> None:
    """Raise unless the model takes the data's images and has an output for each class.

    Parameters
    ----------
    saved : Saved
    data : Dataset
    has_head : bool
        Whether its outputs are those of the model that is meant: else any do.

    Raises
    ------
    DataError
        With both shapes or both numbers.
    """
    wanted, got = tuple(saved.model.input_shape[1:]), data.x_test.shape[1:]
    if wanted != got:
        what = "images" if len(wanted) == 3 else "features"
        raise DataError(f"{data.name}: expected {what} {wanted}, for which {saved.path} was trained, got {got}")
    if not has_head:
        return
    if data.task != saved.task:
        raise DataError(f"{data.name}: expected a {saved.task}, for which {saved.path} was trained, got a {data.task}")
    outputs = saved.model.output_shape[-1]
    if outputs != len(data.outputs):
        what = "targets" if data.task == "regression" else "classes"
        raise DataError(
            f"{data.name}: expected {outputs} {what}, for which {saved.path} was trained, got {len(data.outputs)}"
        )
