"""The graph of a model, from its layers to what runs.

::

    trace          symbolic tensors --> calls --> steps over slots, models inside opened
    rules          steps --> fewer steps, in which nodes stand for several layers
    execute        forward and back, or forward alone
    replay         small predictions: the calls of kernels, captured once
    step_replay    steps of a training that are like those before: the same calls again

`fastcnn.graph.rules` is for who wants to add a fusion; ``model.fusions()`` tells what all of them did.
"""

from fastcnn.graph import rules

__all__ = ["rules"]
