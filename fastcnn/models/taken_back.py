"""Training of which nothing is left: what somebody tries before the training that counts."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastcnn.callbacks.kept_weights import KeptWeights


@contextmanager
def taken_back(model: Any) -> Iterator[None]:
    """Give a model and its optimizer back all that a training changes, with the bits that it had.

    Parameters
    ----------
    model : Model
        Built and compiled.
    """
    trainer, optimizer, kept = model._trainer, model.optimizer, KeptWeights()
    kept.take(model)
    before, attributes, state = dict(vars(trainer)), dict(vars(optimizer)), optimizer.get_state()
    counts = copy.deepcopy([vars(metric) for metric in model.metrics])
    trainer.orders = copy.deepcopy(trainer.orders)
    try:
        yield
    finally:
        vars(trainer).clear()
        vars(trainer).update(before)
        vars(optimizer).clear()
        vars(optimizer).update(attributes)  # one that had not been built is not built
        optimizer.set_state(state)
        for metric, count in zip(model.metrics, counts, strict=True):
            vars(metric).update(count)
        kept.give_back(model)
