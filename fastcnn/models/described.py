"""What a model tells of itself: what it costs, its layers, and what runs in their place."""

from collections.abc import Callable
from typing import Any

from fastcnn.geometry.arguments import is_integer
from fastcnn.graph import trace
from fastcnn.graph.rules.report import Fusions
from fastcnn.models import given
from fastcnn.models.summary import summary


class Described:
    """The part of `fastcnn.Model` that describes it."""

    # What the others have.
    objective: Any
    _between: Any
    _all_executables: Any
    _require_built: Any

    def multiply_adds(self) -> int:
        """Return the multiply-adds of one sample's forward pass."""
        return sum(step.node.multiply_adds() for step in trace.opened(self._between()).steps)

    def summary(self, print_fn: Callable[[str], Any] | None = None, expand_nested: bool = False,
                show_trainable: bool = False, **others: Any) -> None:
        """Print the layers with output shapes, parameters, multiply-adds and memory.

        Parameters
        ----------
        print_fn : callable, optional
            Called with the text in the place of `print`.
        expand_nested : bool
            Tell the layers of models inside, too.
        show_trainable : bool
            Tell which layers are trained.
        **others
            Keras's line_length, positions and layer_range are not offered: a line is as long as it has to be.
        """
        given.refuse(f"{self}.summary", others, {"line_length": None, "positions": None, "layer_range": None},
                     given.names_of(Described.summary))
        given.check(print_fn is None or callable(print_fn), f"{self}.summary", "print_fn to be a function", print_fn)
        self._require_built("summary")
        summary(self, print_fn, expand_nested, show_trainable)

    def fusions(self, batch_size: int = 32) -> Fusions:
        """Return what runs in the place of which layers, rule by rule, and why a rule that nearly fitted does not.

        What training with cross-entropy joins is told once the model is compiled.

        Parameters
        ----------
        batch_size : int
            Some rules want a batch that fills the lanes of vectors.

        Returns
        -------
        list of Fusion
            (mode, rule, layers, node, reason) for training, then for prediction; `print` shows it as text. Empty where
            ``fastcnn.config.set_fusion(False)``.
        """
        given.check(is_integer(batch_size) and batch_size > 0, f"{self}.fusions", "a positive batch_size", batch_size)
        which = () if self.objective is None else self.objective.after_softmax
        return self._all_executables().fusions(int(batch_size), which)
