"""The moving statistics of normalization, for weights that no step of training was taken with: averages of weights."""

from collections.abc import Callable, Iterable

from fastcnn._warnings import warn
from fastcnn.array_data import Batch
from fastcnn.graph import trace
from fastcnn.layers import BatchNormalization
from fastcnn.models.network import Network


def estimate(model: Network, batches: Iterable[Batch], forward: Callable[[Batch, int], object]) -> None:
    """Set the moving statistics to the means of what some batches have, with the weights as they are.

    A moving mean whose momentum is k / (k + 1) at the k-th batch, from 0, is the mean of all. Where no layer has such
    statistics nothing is done; where no batch comes, a warning says that they stay.

    Parameters
    ----------
    model : Network
    batches : iterable of Batch
    forward : callable
        (batch, k): runs the model forward, as training does.

    References
    ----------
    Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization", 2018, section 3.2.
    """
    layers, k = normalizations(model), -1
    before = {id(layer.original): layer.momentum for layer in layers}
    try:
        for k, batch in enumerate(batches if layers else ()):
            for layer in normalizations(model):  # a batch of another size has made others
                layer.momentum = k / (k + 1)
            forward(batch, k)
    finally:
        for layer in normalizations(model):
            layer.momentum = before[id(layer.original)]
    if layers and k < 0:
        warn(f"{model}.fit: averages of weights keep the statistics of normalization that training had, since an "
             f"iterator gives no batch twice; give an iterable that begins again, or batches by number")


def normalizations(model: Network) -> list[BatchNormalization]:
    """Return the layers whose statistics follow training, and their twins for other shapes."""
    graphs = [model.layer_graph(), *(one.whole for one in model.executables.made())]
    found = [*trace.leaves(model.layers), *(step.node for graph in graphs for step in graph.steps)]
    return [one for one in {id(one): one for one in found}.values()
            if isinstance(one, BatchNormalization) and one.trainable]
