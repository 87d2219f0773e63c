"""The errors a user can cause, each a child of a built-in one, and the one sentence they are made of.

A message says who speaks, what was expected, what came, and what to do:
``Conv2D "conv2d_1": expected input (N, 28, 28, 64), got (8, 28, 28, 32); it was built for 64 channels``.
"""

import difflib
from collections.abc import Iterable


class ArgumentError(ValueError):
    """A wrong call or setting: an unknown name, or a shape that does not fit. The command line exits with 2.

    Examples
    --------
    >>> layers.Dense(0, name="dense")
    Traceback (most recent call last):
        ...
    fastcnn.errors.ArgumentError: Dense "dense": expected units to be a positive integer, got 0
    """


class StatefulCallError(ArgumentError):
    """A `call` of one's own that changes a parameter, where it is asked for a graph: no graph does.

    Examples
    --------
    >>> class Count(layers.Layer):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.total = self.add_weight(shape=(2,), initializer="zeros", trainable=False)
    ...
    ...     def call(self, x):
    ...         self.total.assign_add(fc.ops.sum(x, axis=0))
    ...         return self.total
    >>> Count()(np.ones((3, 2)))
    array([3., 3.], dtype=float32)
    >>> Count()(fc.Input((2,)))
    Traceback (most recent call last):
        ...
    fastcnn.errors.StatefulCallError: parameter "count_1/variable": expected numbers, got a symbolic tensor; ...
    """


class PathError(OSError, ArgumentError):
    """A path where no file can be written: its folder is missing, or a folder or a device has that name.

    It has the system's ``errno``, as the errors of Python have. The command line exits with 3.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((8,)), layers.Dense(1)])
    >>> model.save("nowhere/m.safetensors")
    Traceback (most recent call last):
        ...
    fastcnn.formats.files._NoFolderError: nowhere/m.safetensors: expected ... to be a folder, got nothing there; ...
    """

    def __str__(self) -> str:
        return self.strerror or super().__str__()


class DataError(ValueError):
    """Data that is missing, damaged or unfit for the model. The command line exits with 3.

    Examples
    --------
    >>> fc.Sequential([layers.Dense(1)], name="m").predict(np.array(["a"]))
    Traceback (most recent call last):
        ...
    fastcnn.errors.DataError: Sequential "m".predict: expected numbers in x, got <U1; ...
    """


class DivergedError(ArithmeticError, RuntimeError):
    """The loss of a training became NaN or infinite. The command line exits with 4."""


class NotFiniteLossError(DivergedError):
    """A loss that has parts, and is NaN or infinite: which part it is, of which sample, in which step.

    It is raised before the optimizer has taken the step, so that the weights are those that gave it.

    Parameters
    ----------
    loss : str
        The name of the loss.
    parts : str
        Those that are not finite.
    value : float
    row : int
        The sample's place in its batch, from 0.

    Attributes
    ----------
    sample, epoch, step : int or None
        From 0, once a training has told them; of batches that come as they are no number of a sample.

    Examples
    --------
    >>> print(fc.errors.NotFiniteLossError("yolo", "boxes", float("nan"), 3))
    yolo: expected a finite loss, got nan in its boxes of sample 3 of a batch; try a smaller rate, or look at it
    """

    def __init__(self, loss: str, parts: str, value: float, row: int) -> None:
        super().__init__(loss, parts, value, row)
        self.loss, self.parts, self.value, self.row = loss, parts, value, row
        self.sample: int | None = None
        self.epoch: int | None = None
        self.step: int | None = None

    def __str__(self) -> str:
        sample = f"{self.row} of a batch" if self.sample is None else f"{self.sample}"
        when = "" if self.epoch is None or self.step is None else f" in epoch {self.epoch + 1}, step {self.step + 1}"
        return (f"{self.loss}: expected a finite loss, got {self.value:g} in its {self.parts} of sample {sample}"
                f"{when}; try a smaller rate, or look at it")


class DeviceError(RuntimeError):
    """A device that is not there, cannot be used, or has no kernel for a layer. The command line exits with 2.

    Examples
    --------
    >>> fc.config.set_device("cuda:99")
    Traceback (most recent call last):
        ...
    fastcnn.errors.DeviceError: cuda:99: expected ...
    """


class DeviceMemoryError(DeviceError, MemoryError):
    """A device without room for an array, once all that nobody used was freed. The command line exits with 2.

    Parameters
    ----------
    who : str
        The device.
    what : str
        What the memory was for.
    wanted, held, free : int
        Bytes that were asked for, that this process holds on the device, and that nobody does.

    Attributes
    ----------
    batch_size : int or None
        Of the batch that was under way, where it is known.

    Examples
    --------
    >>> print(fc.errors.DeviceMemoryError("cuda:0", "an array", 3 << 30, 70 << 30, 1 << 30))
    cuda:0: expected room for an array of 3.0 GiB, got 1.0 GiB that are free; this process holds 70.0 GiB ...
    """

    def __init__(self, who: str, what: str, wanted: int, held: int, free: int) -> None:
        super().__init__(who, what, wanted, held, free)
        self.who, self.what, self.wanted, self.held, self.free = who, what, wanted, held, free
        self.batch_size: int | None = None

    def __str__(self) -> str:
        batch = "" if self.batch_size is None else f"={self.batch_size}"
        return (f"{self.who}: expected room for {self.what} of {_gibibytes(self.wanted)}, got {_gibibytes(self.free)} "
                f"that are free; this process holds {_gibibytes(self.held)} of the card's; reduce batch_size{batch}")


def _gibibytes(size: int) -> str:
    return f"{size / (1 << 30):.1f} GiB" if size >= 1 << 27 else f"{size / (1 << 20):.1f} MiB"


class ModelFileError(ValueError):
    """A file that is not a saved model, or is damaged. The command line exits with 5.

    Examples
    --------
    >>> with open("model.safetensors", "wb") as file:
    ...     written = file.write(b"no model")
    ...
    >>> fc.saving.load_model("model.safetensors")
    Traceback (most recent call last):
        ...
    fastcnn.errors.ModelFileError: model.safetensors: expected a model saved by fastcnn, got 8 bytes ...
    """


class MissingError(AttributeError):
    """A name that Keras has and fastcnn does not. The message says what to use instead.

    Examples
    --------
    >>> layers.LSTM
    Traceback (most recent call last):
        ...
    fastcnn.errors.MissingError: fastcnn.layers.LSTM is not offered; layers for sequences are Conv1D, ...
    """


class UnknownArgumentError(TypeError):
    """An argument that a call does not take. The message names the nearest one, or says what to use instead.

    Examples
    --------
    >>> layers.Dense(10, activaton="relu")
    Traceback (most recent call last):
        ...
    fastcnn.errors.UnknownArgumentError: Dense: argument: 'activaton' is not known; did you mean ...
    """


def unknown(what: str, name: object, known: Iterable[str]) -> str:
    """Return the sentence for a name that is not known, with the nearest known ones first.

    Parameters
    ----------
    what : str
        Who asks and for what: ``'optimizer'``, ``'Conv2D "conv2d_1": activation'``.
    name : object
        What was given.
    known : iterable of str
        The names that would have been understood.

    Examples
    --------
    >>> fc.errors.unknown("optimizer", "adem", ["adam", "sgd"])
    "optimizer: 'adem' is not known; did you mean 'adam'? known are adam, sgd"
    """
    known = sorted(known)
    near = difflib.get_close_matches(str(name), known, n=2, cutoff=0.6)
    hint = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
    return f"{what}: {name!r} is not known; {hint}known are {', '.join(known)}"
