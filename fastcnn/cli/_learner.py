"""What is trained on classes, labels or numbers: a model, compiled, and how images and labels are made its own."""

from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np

from fastcnn.cli._data import Standard, standard_of
from fastcnn.cli._decision import Decision, chosen, keep, measured
from fastcnn.cli._pixels import Pixels
from fastcnn.cli._practice import images_of_step, weights_of
from fastcnn.cli._table_columns import columns_known
from fastcnn.cli._task import Score, Task, task_of

SEEN_BY_INITIALIZERS = 5000  # training images: statistics of patches do not change with more


class ExamplesLearner(NamedTuple):
    """A model of examples with classes, labels or numbers before its first step: a `Learner`.

    Attributes
    ----------
    model : Model
        Compiled. What is trained: all of it, or what lies behind frozen layers whose outputs are kept.
    standard : Standard
        Of the training part.
    augmentation : Pipeline or None
        What changes training images, and standardizes all.
    scale : float
        The images' largest value.
    task : Task
        What it learns, and how good it is at that.
    names : tuple of str
        Of its outputs.
    known : dict
        What is saved with it.
    notes : tuple of str
    callbacks : tuple of Callback
    frozen : Frozen or None
        The layers that are not trained.
    features : Model or None
        What gives the inputs of `model`, once, where they are kept; `whole` is both together then.
    whole : Model or None
    """

    model: Any
    standard: Standard
    augmentation: Any
    scale: float
    task: Task
    names: tuple[str, ...]
    known: dict[str, Any]
    notes: tuple[str, ...] = ()
    callbacks: tuple[Any, ...] = ()
    frozen: Any = None
    features: Any = None
    whole: Any = None

    @property
    def network(self) -> Any:
        """All of the model."""
        return self.model if self.whole is None else self.whole

    def fitted(self, parts: dict[str, Any], config: Any) -> dict[str, Any]:
        """As `Learner.fitted`."""
        train, dev = parts["train"], parts.get("dev")
        return {
            "x": self.images(train.x), "y": self.task.targets(train.y),
            "sample_weight": weights_of(train, config.class_weight), "batch_size": images_of_step(config, train),
            "validation_data": None if dev is None else (self.images(dev.x), self.task.targets(dev.y)),
            "validation_batch_size": 256, "augmentation": self.augmentation,
        }  # fmt: skip

    def called(self, sample: int, parts: dict[str, Any]) -> str:
        """As `Learner.called`."""
        return str(parts["train"].names[sample])

    def save(self, path: Path, known: bool = True) -> None:
        """As `Learner.save`: outputs are probabilities, or in the unit of the targets."""
        from fastcnn import saving
        from fastcnn.cli._transfer import thawed

        with thawed(self.frozen):
            saving.save_model(self.task.finished(self.network), path, metadata=self.known if known else {})

    def trained_in(self, path: Path) -> "ExamplesLearner":
        """As `Learner.trained_in`."""
        from fastcnn import saving

        known = self.known | Decision.of(saving.load_metadata(path)).metadata()
        return self._replace(model=self.task.trained(saving.load_model(path, compile=False)), known=known,
                             features=None, whole=None)

    def measure(self, part: Any) -> Score:
        """As `Learner.measure`."""
        return measured(self.task, self.known.get("task", "classification"), self.names, self._outputs(part), part.y,
                        Decision.of(self.known))  # fmt: skip

    def decide(self, parts: dict[str, Any], config: Any, path: Path) -> None:
        """As `Learner.decide`."""
        if config.threshold is None:
            return
        dev = parts["dev"]
        found = chosen(self.known.get("task", "classification"), self.names, self._outputs(dev), dev.y, Decision(),
                       rule=config.threshold, positive=config.positive, is_calibrated=False)  # fmt: skip
        keep(path, found)
        self.known.update(found.metadata())

    def _outputs(self, part: Any) -> Any:
        return self.task.finished(self.network).predict(self.standard.images(part.x, self.scale), batch_size=256,
                                                        verbose=0)  # fmt: skip

    def draw(self, part: Any, folder: Path) -> list[str]:
        """As `Learner.draw`: nothing."""
        return []

    def images(self, x: Any) -> Any:
        """Return images as `fit` takes them: standardized, or as they are where a pipeline does that; or features."""
        if self.augmentation is not None:
            return x
        images = self.standard.images(x, self.scale)
        if self.features is None:
            return images
        from fastcnn.models import cached_features

        return cached_features(self.features, images)


def make_learner(prepared: Any, config: Any) -> ExamplesLearner:
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
    from fastcnn.cli._transfer import NEW, Adapted, planned, scale_rates, with_new_head
    from fastcnn.dtype_policies import as_written
    from fastcnn.models.retyped import PRECISIONS, in_precision
    from fastcnn.random import set_random_seed
    from fastcnn.utils import clear_session

    data, x, begun = prepared.data, prepared.parts["train"].x, prepared.begun
    set_random_seed(config.seed)
    if begun is not None:
        begun = begun._replace(model=in_precision(begun.model, config.precision, "--precision"))
    task = task_of(data, config, prepared.parts["train"], None if begun is None or config.head == NEW else begun.model)
    head, notes = None, tuple[str, ...]()
    if begun is not None:
        mean, std = (None if one is None else tuple(one) for one in (config.mean, config.std))
        pixels = Pixels(mean, std, config.white)
        standard = standard_of(begun, pixels, lambda note: click.echo(note, err=True))
    else:
        standard = Standard.of(x, data.scale)
        clear_session(free_memory=False)  # the layers of every fold have the same names
        require_model(data, config.model)
    with as_written(PRECISIONS[config.precision]):
        if begun is None:
            model = make_network(config, x.shape[1:], len(data.outputs), lambda: np.asarray(
                standard.images(x[:SEEN_BY_INITIALIZERS], data.scale)), task.activation)
            if data.features:
                model = with_normalization(model, x)
        elif config.head == NEW:
            model, head, notes = with_new_head(begun, data, task.activation)
        else:
            model, head, notes = Adapted(task.trained(begun.model))
        if config.dropout is not None:
            model = with_dropout(model, config.dropout)
        if config.l2:
            model = with_l2(model, config.l2)
    plan = planned(Adapted(model, head, notes), config)
    optimizer = make_optimizer(config)
    if config.rate_factor:
        scale_rates(optimizer, Adapted(model, head), config.rate_factor)
    plan.trained.compile(optimizer=optimizer, **task.compiled())
    pipeline = make_pipeline(config.augment, x.shape[1:], standard, data.scale, config.seed)
    return ExamplesLearner(plan.trained, standard, pipeline, data.scale, task, data.outputs,
                           _known(data, standard, config), plan.notes, plan.callbacks, plan.frozen, plan.features,
                           None if plan.features is None else model)


def _known(data: Any, standard: Standard, config: Any) -> dict[str, Any]:
    """Return what is saved with the model, so that others can be made images as those it was trained on were."""
    known = {"dataset": data.name, "classes": list(data.classes), "scale": data.scale,
             **standard._asdict(), "background": data.background, "ink_box": data.ink_box,
             **columns_known(data, config.label)}
    if data.task != "classification":
        known |= {"task": data.task, "targets": list(data.targets)}
    if data.pictures is not None:
        known["pictures"] = {"fit": data.pictures.fit, "white": data.pictures.white}
    return known
