"""What rules did to a model, as a list and as text."""

from collections.abc import Iterator
from itertools import groupby

from fastcnn.auto_names import shortened
from fastcnn.graph.rules.rule import Fusion


class Fusions(list[Fusion]):
    """What each rule did, and where it nearly fitted, why it did not. `print` shows it rule by rule.

    Parameters
    ----------
    records : list of Fusion
    batch_size : int
    """

    def __init__(self, records: list[Fusion], batch_size: int) -> None:
        super().__init__(records)
        self.batch_size = batch_size

    def __str__(self) -> str:
        return "\n".join(self._lines()) or "no rule of fusion fits"

    def _lines(self) -> Iterator[str]:
        for mode, records in groupby(self, lambda one: one.mode):
            yield f"{mode}, in batches of {self.batch_size}"
            for (rule, node), same in groupby(records, lambda one: (one.rule, one.node)):
                found = list(same)
                yield f"  {rule} -> {node} ({len(found)})" if node else f"  {rule}: not here"
                yield from (f"    {' + '.join(map(shortened, one.layers))}" + (f": {one.reason}" if one.reason else "")
                            for one in found)
