"""What each layer of a network costs: time of a prediction, and memory."""

import statistics
import time
from typing import Any, NamedTuple

from fastcnn.bench.layers import subjects
from fastcnn.callbacks.kept_weights import KeptWeights


class LayerCost(NamedTuple):
    """A layer's part in the costs.

    Attributes
    ----------
    layer, kind : str
        Its name and class.
    output_shape : tuple of int
        Without the batch.
    parameters : int
    seconds : float
        Of its forward pass over the batch, timed alone.
    bytes : int
        Of its outputs and parameters.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((4,)), layers.Dense(3, name="d")])
    >>> fc.report.layer_costs(model, batch=2, rounds=1)[0].parameters
    15
    """

    layer: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    seconds: float
    bytes: int


def layer_costs(model: Any, batch: int = 32, rounds: int = 3) -> list[LayerCost]:
    """Time each layer of a network alone, on random numbers; what fastcnn fuses runs faster together.

    Parameters
    ----------
    model : Model
        Built, of one size, with one input and one output. Its weights and statistics stay as they are.
    batch : int
        Examples.
    rounds : int
        Of which the median is taken, after one that is not counted.

    Raises
    ------
    ArgumentError
        If it has several inputs or outputs, or sizes left open.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((4,)), layers.Dense(3, name="d")])
    >>> [one.layer for one in fc.report.layer_costs(model, batch=2, rounds=1)]
    ['d']
    """
    kept = KeptWeights()
    kept.take(model)
    try:
        found = []
        for one in subjects(model, batch):
            took = []
            for _ in range(rounds + 1):
                start = time.perf_counter()
                one.layer.forward(one.x, one.call)
                took.append(time.perf_counter() - start)
            held = sum(p.array.nbytes for p in one.layer.parameters)
            found.append(LayerCost(one.layer.name, type(one.layer).__name__, one.y.shape[1:],
                                   sum(p.size for p in one.layer.parameters), statistics.median(took[1:]),
                                   one.y.nbytes + held))
        return found
    finally:
        kept.give_back(model)  # forward passes of training move statistics
