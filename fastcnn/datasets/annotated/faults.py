"""What is wrong with annotations: each fault by file, line and box."""

from collections.abc import Sequence
from typing import NamedTuple

from fastcnn.errors import DataError

_NAMED = 10  # faults that a message names


class Fault(NamedTuple):
    """Something wrong with a picture or a box.

    Attributes
    ----------
    file : str
        The annotation, within the data set's folder; of masks the picture.
    line : int or None
    box : int or None
        Its number within the picture, from 1; None where the whole picture is meant.
    what : str
    """

    file: str
    line: int | None
    box: int | None
    what: str

    def __str__(self) -> str:
        line = "" if self.line is None else f", line {self.line}"
        return f"{self.file}{line}{'' if self.box is None else f', box {self.box}'}: {self.what}"


def refuse(faults: Sequence[Fault], who: str) -> None:
    """Raise DataError that names faults, if there are any.

    Parameters
    ----------
    faults : sequence of Fault
    who : str
        The folder or file of the data set.
    """
    if faults:
        more = f"; and {len(faults) - _NAMED} more" if len(faults) > _NAMED else ""
        raise DataError(f"{who}: expected sound annotations, got {len(faults)} with faults: "
                        f"{'; '.join(map(str, faults[:_NAMED]))}{more}; correct them, or leave them out with "
                        f"drop_bad (--drop-bad)")


def dropped(faults: Sequence[Fault]) -> list[str]:
    """Return notes that count what was left out because of faults."""
    boxes, pictures = (sum((fault.box is None) == whole for fault in faults) for whole in (False, True))
    found = [f"{count} {what if count == 1 else f'{what}{ending}'} left out: {_told(faults, what == 'picture')}"
             for count, what, ending in ((boxes, "box", "es"), (pictures, "picture", "s")) if count]
    return found


def _told(faults: Sequence[Fault], whole: bool) -> str:
    some = [str(fault) for fault in faults if (fault.box is None) == whole]
    return "; ".join(some[:3]) + ("; ..." if len(some) > 3 else "")
