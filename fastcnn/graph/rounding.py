"""Where numbers of bfloat16 lie in a graph: between the layers that compute in it.

::

    x --round--> Conv2D --round--> ReLU --round--> Dense (float32) --> y        mixed_bfloat16 but for the last layer
"""

from dataclasses import replace

from fastcnn.graph.nodes.rounding import Rounding, predicts_short
from fastcnn.graph.steps import Graph


def rounded(graph: Graph, short: bool = False) -> Graph:
    """Return a graph whose steps round what they hand on, where their layers compute in bfloat16; itself if none does.

    Parameters
    ----------
    graph : Graph
        As it was rewritten by rules, or of layers as they are.
    short : bool
        Whether convolutions and normalizations read and write 16 bits: then predictions, too, store so what lies
        between such layers, and gradients go back in 16 bits to outputs that several read.
    """
    if not any(step.rounds for step in graph.steps):
        return graph
    read = {slot for step in graph.steps for slot in step.inputs}
    narrow = {slot for step in graph.steps if step.rounds for slot in step.outputs}
    # Whoever else reads them takes arrays of float32, and so does what a penalty is of.
    wide = {slot for step in graph.steps if not step.rounds for slot in step.inputs}.union(
        graph.outputs, *(step.outputs for step in graph.steps if step.regularizer is not None))
    readers, steps = graph.readers(), []
    alone = {step.outputs[0] for step in graph.steps if len(step.outputs) == 1}
    # To others 16 bits are a copy to make and one to undo, where rounding in place is one pass.
    served = {slot for step in graph.steps if predicts_short(step.node) for slot in (*step.inputs, *step.outputs)}
    for step in graph.steps:
        if step.rounds:
            node = Rounding(step.node, [slot not in narrow for slot in step.inputs],
                            [slot in read for slot in step.outputs],
                            [slot in read and slot not in wide for slot in step.outputs],
                            [slot in narrow & alone - wide and (short or readers[slot] == 1)
                             for slot in step.inputs],
                            [slot in served for slot in step.outputs] if short else ())
            steps.append(replace(step, node=node))
        else:
            steps.append(replace(step))
    return Graph(graph.inputs, graph.outputs, steps, graph.slots)
