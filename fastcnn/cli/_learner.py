"""What is trained: a model, compiled, and how images and labels are made its own."""

from typing import Any, NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

from fastcnn.cli._data import Standard, standard_of

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
    classes : int
    has_rows : bool
        Whether targets are distributions over the classes, since labels are smoothed or mixed.
    """

    model: Any
    standard: Standard
    augmentation: Any
    scale: float
    classes: int
    has_rows: bool

    def images(self, x: Any) -> Any:
        """Return images as `fit` takes them: standardized, or as they are where a pipeline does that."""
        return self.standard.images(x, self.scale) if self.augmentation is None else x

    def targets(self, y: NDArray[Any]) -> NDArray[Any]:
        """Return labels (N,) as the loss takes them."""
        from fastcnn.utils import to_categorical

        return to_categorical(y, self.classes) if self.has_rows else y


def make_learner(prepared: Any, config: Any) -> Learner:
    """Return a fresh model, or that of the run to train on from, with all that a configuration asks of it.

    Parameters
    ----------
    prepared : Prepared
    config : Config
    """
    from fastcnn.cli._augmentation import make_pipeline, mixes
    from fastcnn.cli._network import make_network
    from fastcnn.cli._optimizer import make_optimizer
    from fastcnn.cli._regularization import with_dropout, with_l2
    from fastcnn.losses import CategoricalCrossentropy
    from fastcnn.random import set_random_seed
    from fastcnn.utils import clear_session

    data, x = prepared.data, prepared.parts["train"].x
    set_random_seed(config.seed)
    if prepared.begun is not None:
        model = prepared.begun.model
        standard = standard_of(prepared.begun, config.white, lambda note: click.echo(note, err=True))
    else:
        standard = Standard.of(x, data.scale)
        clear_session(free_memory=False)  # the layers of every fold have the same names
        model = make_network(config, x.shape[1:], len(data.classes),
                             lambda: np.asarray(standard.images(x[:SEEN_BY_INITIALIZERS], data.scale)))
    if config.dropout is not None:
        model = with_dropout(model, config.dropout)
    if config.l2:
        model = with_l2(model, config.l2)
    has_rows = config.label_smoothing > 0 or mixes(config.augment)
    model.compile(
        optimizer=make_optimizer(config),
        loss=CategoricalCrossentropy(label_smoothing=config.label_smoothing) if has_rows else
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )  # fmt: skip
    pipeline = make_pipeline(config.augment, x.shape[1:], standard, data.scale, config.seed)
    return Learner(model, standard, pipeline, data.scale, len(data.classes), has_rows)


def known_of(data: Any, learner: Learner) -> dict[str, Any]:
    """Return what is saved with the model, so that others can be made images as those it was trained on were."""
    known = {"dataset": data.name, "classes": list(data.classes), "scale": data.scale,
             **learner.standard._asdict(), "background": data.background, "ink_box": data.ink_box}
    if data.pictures is not None:
        known["pictures"] = {"fit": data.pictures.fit, "white": data.pictures.white}
    return known
