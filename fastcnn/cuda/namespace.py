"""The kernels of CUDA as a device offers them, with one sentence for each that is not there."""

from collections.abc import Callable
from typing import Any

from fastcnn.host_device import MissingKernelError
from fastcnn.kernels import cuda

#: More images than any batch has: none are interleaved in the lanes of vectors.
_NEVER = 1 << 40


class CudaKernels:
    """A namespace of launchers; what tells whether a kernel of the CPU alone suits says no.

    Parameters
    ----------
    who : str
        The device's name, for errors.
    """

    def __init__(self, who: str) -> None:
        self._who = who

    def __getattr__(self, name: str) -> Any:
        found: Any = getattr(cuda, name, None)
        if found is None:
            found = self._instead(name)
        setattr(self, name, found)
        return found

    def _instead(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)
        if name.endswith(("_suits", "_possible")):
            return lambda *_: False
        if name == "lanes_of_block":
            return lambda dtype: _NEVER
        raise MissingKernelError(self._who, name)
