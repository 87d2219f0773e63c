"""TrainableNetwork: a network with a trainer: `compile`, `fit`, `evaluate`, `predict`, with Keras's arguments."""

from collections.abc import Container, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastcnn import device
from fastcnn.augmentation import Pipeline
from fastcnn.callbacks import History
from fastcnn.layers.base import Call
from fastcnn.models import arguments
from fastcnn.models.batching import batch_of, may_share
from fastcnn.models.own_steps import OwnSteps
from fastcnn.models.retyped import Retyped
from fastcnn.models.structure import Structure
from fastcnn.models.trainer import Trainer
from fastcnn.training import ForwardResult

Pipelines = Pipeline | dict[str, Pipeline]  # of the only picture, or by the names of inputs


def _of_trainer(name: str) -> Any:
    """Return an attribute of a model that its trainer has."""
    def get(model: Any) -> Any:
        return getattr(model._trainer, name)

    def put(model: Any, value: Any) -> None:
        setattr(model._trainer, name, value)

    return property(get, put)


class TrainableNetwork(OwnSteps):
    """What trains and predicts, for users; the trainer holds what training knows, and does it.

    Attributes
    ----------
    optimizer, loss
        As given to `compile`, as objects; a word that the data explains stays a word.
    stop_training, stop_evaluating, stop_predicting : bool
        Set by a callback to end `fit`, `evaluate` or `predict` after the current batch.
    history : History or None
        What the last `fit` has returned, or has so far where it was interrupted; None before.
    objective : Objective or None
        The loss and the metrics of all outputs; known once the model is built and compiled.
    trained, penalized : list of Parameter
        What training changes, and what of it has a regularizer; known once training begins.
    seed : int
        Where the random numbers of a training start.
    orders : Orders
        The orders in which samples are shuffled.
    """

    def _new(self, name: str, policy: Any) -> None:
        super()._new(name, policy)
        self._trainer, self._retyped = Trainer(self), Retyped(self)

    def _connect(self, structure: Structure) -> None:
        super()._connect(structure)
        self._trainer.objective = None  # it looks at names and shapes of outputs
        self._retyped = Retyped(self)

    def replaced(self, **attributes: Any) -> Any:
        """As `Layer.replaced`; the copy is compiled as this model is."""
        copy = super().replaced(**attributes)
        copy._trainer, copy._retyped = self._trainer.of(copy), Retyped(copy)
        return copy

    loss = _of_trainer("loss")
    optimizer = _of_trainer("optimizer")
    objective = _of_trainer("objective")
    trained = _of_trainer("trained")
    penalized = _of_trainer("penalized")
    seed = _of_trainer("seed")
    orders = _of_trainer("orders")
    stop_training = _of_trainer("stop_training")
    stop_evaluating = _of_trainer("stop_evaluating")
    stop_predicting = _of_trainer("stop_predicting")
    history = _of_trainer("history")

    @property
    def metrics(self) -> list[Any]:
        """Of all outputs, known once training begins; where the model takes steps of its own, the mean loss before them
        and those in its attributes after them.
        """
        found = [] if self.objective is None else self.objective.metrics
        if self.own_step("train") is None and self.own_step("test") is None:
            return found
        first = [] if self.loss is None else [self._loss_tracker]
        return list({id(one): one for one in (*first, *found, *self.own_metrics()) if one is not None}.values())

    @property
    def metrics_names(self) -> list[str]:
        """The names of what `evaluate` returns: loss, then metrics; known once training begins."""
        return [] if self.objective is None else ["loss", *(metric.name for metric in self.metrics)]

    def reset_metrics(self) -> None:
        """Start all metrics anew; `fit` and `evaluate` do so themselves."""
        for metric in self.metrics:
            metric.reset_state()

    def compile(self, optimizer: Any = "rmsprop", loss: Any = None, loss_weights: Any = None, metrics: Any = None,
                weighted_metrics: Any = None, **others: Any) -> None:
        """Choose optimizer, losses and metrics; what fails changes nothing.

        Parameters
        ----------
        optimizer : str or Optimizer
            One for each model. It trains what is trainable when training begins: layers may be frozen later, and be
            trained again, but what was frozen then asks for a new one.
        loss : str or Loss, or a list or dict (by output name) of them, optional
            None for an output without one; without any, what `add_loss` and regularizers add is trained for. A
            `fastcnn.losses.JointLoss` takes all outputs and all targets at once, and stands alone.
            "crossentropy" ("ce") suits the shapes of outputs and targets: binary, sparse or categorical.
        loss_weights : float, list or dict, optional
            Factors of the losses of several outputs.
        metrics, weighted_metrics : list of str or Metric, or a list or dict of such lists, optional
            "accuracy" is the one that suits the shapes. Weighted ones see the samples' weights. Those of one name are
            told apart as mae, mae_1, and weighted_mae.
        **others
            Keras's run_eagerly, steps_per_execution, jit_compile and auto_scale_loss tell how Keras is to compute:
            they are taken, and change nothing.

        Raises
        ------
        ArgumentError
            If a name is not known, or one metric is given twice.
        """
        self._trainer.compile(optimizer, loss, loss_weights, metrics, weighted_metrics, others)

    def fit(self, x: Any = None, y: Any = None, batch_size: int | None = None, epochs: int = 1,
            verbose: int | str = "auto", callbacks: Any = None, validation_split: float = 0.0,
            validation_data: Any = None, shuffle: bool = True, class_weight: dict[int, float] | None = None,
            sample_weight: Any = None, initial_epoch: int = 0, steps_per_epoch: int | None = None,
            validation_steps: int | None = None, validation_batch_size: int | None = None,
            validation_freq: int | Container[int] = 1, augmentation: Pipelines | None = None, **others: Any) -> History:
        """Train for `epochs` passes over the data.

        Parameters
        ----------
        x : (N, ...) array of any integer or floating type, or a list or dict (by input name) of them; or batches
            Batches are tuples (x, y) or (x, y, sample_weight) of an iterable, such as a generator or a list of tuples,
            or of an object with ``__getitem__`` and ``__len__``, such as Keras's ``PyDataset``, whose
            ``on_epoch_begin`` and ``on_epoch_end`` are called. They may differ in size. Each is checked before its
            step, the first one before training.
        y : (N, ...) array, or a list or dict (by output name) of them
        batch_size : int, optional
            32 if absent, or what `steps_per_epoch` asks for; not for batches.
        epochs, initial_epoch : int
        verbose : int or "auto"
            0 nothing, 1 a moving line, 2 a line an epoch; "auto" is 1 on a terminal or in a
            notebook, which has a table, else 2.
        callbacks : Callback or list of them, optional
        validation_split : float
            This part of the data, the last of it, is not trained on but evaluated after each epoch, without the
            weights of classes; for arrays alone.
        validation_data : (x, y) or (x, y, sample_weight), or batches, optional
            Evaluated after each epoch.
        shuffle : bool
            Draw another order for each epoch that the model begins, in this call or a later one: one seed
            (`fastcnn.utils.set_random_seed`) gives one sequence of orders, which two calls of ``fit(epochs=1)`` see as
            one of ``fit(epochs=2)`` does. Batches that are asked for by number come in such an order, others as they
            come.
        class_weight : dict, optional
            A factor of the loss for each class; classes that are not named have 1.
        sample_weight : (N,) array, or a list or dict (by output name) of them, optional
            A factor of the loss for each sample.
        steps_per_epoch : int, optional
            Batches of an epoch, if it is no pass over the data: the next epoch goes on where this one ended. Where
            data ends within an epoch, so does the epoch, with a warning; training ends too if they come from an
            iterator.
        validation_steps : int, optional
            Batches of a validation, if it is no pass: the first ones, but for an iterator, which goes on.
        validation_batch_size : int, optional
            `batch_size` if absent.
        validation_freq : int, or a container of them
            Validate after every so many epochs, or after these, counted from 1.
        augmentation : Pipeline, or dict of str to Pipeline, optional
            What the images of `x`, (N, H, W, C), go through on their way into a batch, changed anew in each epoch: what
            is drawn is a function of the pipeline's seed, the epoch and the image's number (in batches by number, the
            batch's and its place there). Of several inputs the only one of images is meant, or those that a dict names;
            equal seeds draw the same for them. Validation data go through it at rest; give it to `evaluate` and
            `predict`, too. Targets and weights of the images' height and width are masks, which follow the pixels, of
            one pipeline. Mixing (`MixUp`, `CutMix`) wants one-hot targets, and one input.

        Returns
        -------
        History
            ``history.history["loss"]`` and the like: one entry an epoch.

        Raises
        ------
        ArgumentError, DataError
            If an argument or the data does not fit, or numbers are not finite, before anything is trained; for a later
            batch of an iterable, and for numbers of a memory map, before its step. Inputs may be NaN where the model
            has layers of your own, or operations such as ``ops.isnan``, which may be for them.
        """
        arguments.refuse(f"{self}.fit", others, {}, arguments.names_of(TrainableNetwork.fit))
        return self._trainer.fit(
            x, y, batch_size=batch_size, epochs=epochs, verbose=verbose, callbacks=callbacks,
            validation_split=validation_split, validation_data=validation_data, shuffle=shuffle,
            class_weight=class_weight, sample_weight=sample_weight, initial_epoch=initial_epoch,
            steps_per_epoch=steps_per_epoch, validation_steps=validation_steps,
            validation_batch_size=validation_batch_size, validation_freq=validation_freq, augmentation=augmentation)

    def evaluate(self, x: Any = None, y: Any = None, batch_size: int | None = None, verbose: int | str = 0,
                 sample_weight: Any = None, steps: int | None = None, callbacks: Any = None,
                 return_dict: bool = False, augmentation: Pipelines | None = None, **others: Any) -> Any:
        """Return the mean loss, or [loss, *metrics], or both by name in a dict.

        Parameters
        ----------
        x, y : arrays, or lists or dicts of them, or x alone: batches, as in `fit`
        batch_size : int, optional
            32 if absent, or what `steps` asks for; not for batches.
        verbose : int
            0 prints nothing.
        sample_weight : array, optional
        steps : int, optional
            Look at the first batches alone, so many.
        callbacks : Callback or list of them, optional
        return_dict : bool
        augmentation : Pipeline, or dict of str to Pipeline, optional
            That of `fit`; here it is at rest: images are resized, cropped in the middle and standardized as in
            training, and nothing is drawn.
        """
        arguments.refuse(f"{self}.evaluate", others, {}, arguments.names_of(TrainableNetwork.evaluate))
        return self._trainer.evaluate(x, y, batch_size=batch_size, verbose=verbose, sample_weight=sample_weight,
                                      steps=steps, callbacks=callbacks, return_dict=return_dict,
                                      augmentation=augmentation)

    def predict(self, x: Any, batch_size: int | None = None, verbose: int | str = 0, steps: int | None = None,
                callbacks: Any = None, augmentation: Pipelines | None = None, precision: str | None = None,
                **others: Any) -> NDArray[Any]:
        """Return the outputs for all samples, as a new array, or a list or dict of them as the model was told.

        Type checkers are told of an array, which is what models of one output return.

        Parameters
        ----------
        x : (N, ...) array of any integer or floating type, or a list or dict (by input name) of them; or batches
            As in `fit`, or of inputs alone: x or (x,).
        batch_size : int, optional
            32 if absent, or what `steps` asks for; not for batches.
        verbose : int
            Nothing is printed in any case.
        steps : int, optional
            Look at the first batches alone, so many.
        callbacks : Callback or list of them, optional
        augmentation : Pipeline, or dict of str to Pipeline, optional
            As in `evaluate`.
        precision : str, optional
            "bf16" predicts by a copy of the model under "mixed_bfloat16", "float32" by one without: copies are kept,
            and follow the weights. None: as the layers are. The outputs are float32.
        """
        if precision is not None:
            model = self._retyped.get(precision, f"{self}.predict")
            if model is not self:
                narrow: NDArray[Any] = model.predict(x, batch_size, verbose, steps, callbacks, augmentation, **others)
                return narrow
        known, structure = self._executables, self._structure
        if known is not None and structure is not None and structure.is_plain \
                and type(x) is np.ndarray and x.dtype == self.array_dtype and x.ndim and not others \
                and steps is None and callbacks is None and augmentation is None \
                and 0 < len(x) <= batch_of(batch_size) and (executable := known.ready(x)) is not None:
            (y,) = executable.predict([x])  # one batch of the model's own type: nothing to gather
            y = y if type(y) is np.ndarray else device.get(y)
            return y.copy() if may_share(x, y) else y
        arguments.refuse(f"{self}.predict", others, {}, arguments.names_of(TrainableNetwork.predict))
        found: NDArray[Any] = self._trainer.predict(x, batch_size=batch_size, steps=steps, callbacks=callbacks,
                                                    augmentation=augmentation)
        return found

    def train_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None,
                       return_dict: bool = False) -> Any:
        """Take one step on one batch; return as `evaluate`."""
        return self._trainer.train_on_batch(x, y, sample_weight, class_weight, return_dict)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """Evaluate one batch; return as `evaluate`."""
        return self._trainer.test_on_batch(x, y, sample_weight, return_dict)

    def predict_on_batch(self, x: Any) -> NDArray[Any]:
        """Return the outputs for one batch."""
        found: NDArray[Any] = self._trainer.predict_on_batch(x)
        return found

    def forward_with_loss(self, xs: Sequence[np.ndarray], ys: Sequence[Any], weights: Sequence[Any] | None, call: Call
                          ) -> ForwardResult:
        """Return losses, outputs and the way back: what `fastcnn.training.train_step` asks of a compiled model."""
        return self._trainer.forward_with_loss(xs, ys, weights, call)

    def penalty(self, adds_gradients: bool) -> float:
        """Return what the regularizers of the weights add to the loss; add its gradients if told so."""
        return self._trainer.penalty(adds_gradients)
