"""What is trained: a model, compiled, and how images and labels are made its own."""

from typing import Any, NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

from fastcnn.cli._data import Standard, standard_of
from fastcnn.cli._table_columns import columns_known
from fastcnn.cli._task import Task, task_of

SEEN_BY_INITIALIZERS = 5000  # training images: statistics of patches do not change with more


class Learner(NamedTuple):
    """A model before its first step, and what it takes.

    Attributes
    ----------
    model : Model
        Compiled.
    standard : Standard
        Of the training part.
    augmentation : Pipeline or None
        What changes training images, and standardizes all.
    scale : float
        The images' largest value.
    task : Task
        What it learns, and how good it is at that.
    """

    model: Any
    standard: Standard
    augmentation: Any
    scale: float
    task: Task

    def images(self, x: Any) -> Any:
        """Return images as `fit` takes them: standardized, or as they are where a pipeline does that."""
        return self.standard.images(x, self.scale) if self.augmentation is None else x

    def targets(self, y: NDArray[Any]) -> NDArray[Any]:
        """Return targets as the loss takes them."""
        return self.task.targets(y)

    @property
    def finished(self) -> Any:
        """The model that is saved, and measured: its outputs are probabilities, or in the unit of the targets."""
        return self.task.finished(self.model)


def make_learner(prepared: Any, config: Any) -> Learner:
    """Return a fresh model, or that of the run to train on from, with all that a configuration asks of it.

    Parameters
    ----------
    prepared : Prepared
    config : Config
    """
    from fastcnn.cli._augmentation import make_pipeline
    from fastcnn.cli._feature_network import require_model, with_normalization
    from fastcnn.cli._network import make_network
    from fastcnn.cli._optimizer import make_optimizer
    from fastcnn.cli._regularization import with_dropout, with_l2
    from fastcnn.random import set_random_seed
    from fastcnn.utils import clear_session

    data, x = prepared.data, prepared.parts["train"].x
    set_random_seed(config.seed)
    begun = None if prepared.begun is None else prepared.begun.model
    task = task_of(data, config, prepared.parts["train"], begun)
    if begun is not None:
        model = task.trained(begun)
        standard = standard_of(prepared.begun, config.white, lambda note: click.echo(note, err=True))
    else:
        standard = Standard.of(x, data.scale)
        clear_session(free_memory=False)  # the layers of every fold have the same names
        require_model(data, config.model)
        model = make_network(config, x.shape[1:], len(data.outputs),
                             lambda: np.asarray(standard.images(x[:SEEN_BY_INITIALIZERS], data.scale)), task.activation)
        if data.features:
            model = with_normalization(model, x)
    if config.dropout is not None:
        model = with_dropout(model, config.dropout)
    if config.l2:
        model = with_l2(model, config.l2)
    model.compile(optimizer=make_optimizer(config), **task.compiled())
    pipeline = make_pipeline(config.augment, x.shape[1:], standard, data.scale, config.seed)
    return Learner(model, standard, pipeline, data.scale, task)


def known_of(data: Any, learner: Learner, config: Any) -> dict[str, Any]:
    """Return what is saved with the model, so that others can be made images as those it was trained on were."""
    known = {"dataset": data.name, "classes": list(data.classes), "scale": data.scale,
             **learner.standard._asdict(), "background": data.background, "ink_box": data.ink_box,
             **columns_known(data, config.label)}
    if data.task != "classification":
        known |= {"task": data.task, "targets": list(data.targets)}
    if data.pictures is not None:
        known["pictures"] = {"fit": data.pictures.fit, "white": data.pictures.white}
    return known
