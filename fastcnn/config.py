"""Choices for the whole process.

``fastcnn.config.set_winograd(False)``, or FASTCNN_WINOGRAD=0 in the environment, computes every convolution as the
direct sum of its products. Winograd's algorithm, which convolutions of 3x3 in float32 take otherwise where it is
faster, rounds otherwise: its largest error is about three times that of the direct sum. In float64 it is never used.
"""

import os

_winograd = os.environ.get("FASTCNN_WINOGRAD", "1") != "0"


def winograd() -> bool:
    """Return whether 3x3 convolutions may use Winograd's algorithm."""
    return _winograd


def set_winograd(use: bool) -> None:
    """Choose whether 3x3 convolutions may use Winograd's algorithm, from the next call of a layer on.

    Parameters
    ----------
    use : bool
    """
    global _winograd
    _winograd = bool(use)
