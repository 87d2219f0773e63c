"""The record of data sets whose targets are boxes, masks, or who is shown."""

from dataclasses import dataclass, field
from typing import Any, Literal

from fastcnn.datasets.annotated.faults import Fault


@dataclass(frozen=True, eq=False)
class AnnotatedDataset:
    """Pictures with boxes, with masks, or of persons, in parts for training and testing.

    Parameters
    ----------
    name : str
        ``"bccd"``, or the name of the folder it was read from.
    task : {"detection", "segmentation", "identity"}
    train, test : BoxedImages, MaskedImages or IdentityImages
        By the task.
    classes : tuple of str
        Names of the classes of boxes; of masks what their numbers above 0 mean; of persons their names in `train`.
    source : str
        One line that says where the data came from.
    dev : as `train`, or None
        Pictures to decide on, where the data come with them.
    notes : tuple of str
        What a person should know of how the data was read.
    faults : tuple of Fault
        What is wrong with annotations that were left out.
    runs : tuple of OneShotRun
        Of Omniglot: trials in which each of 20 drawings is to be named by one example of each of 20 characters.
    """

    name: str
    task: Literal["detection", "segmentation", "identity"]
    train: Any = field(repr=False)
    test: Any = field(repr=False)
    classes: tuple[str, ...]
    source: str
    dev: Any = field(default=None, repr=False)
    notes: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = field(default=(), repr=False)
    runs: tuple[Any, ...] = field(default=(), repr=False)

    @property
    def parts(self) -> dict[str, Any]:
        """The parts that there are, by name: "train", "dev", "test"."""
        every = {"train": self.train, "dev": self.dev, "test": self.test}
        return {name: part for name, part in every.items() if part is not None}
