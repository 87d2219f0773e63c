"""PyTorch beside fastcnn: a process of its own, in which nothing is set and nothing of fastcnn is loaded.

It gets each layer as words and arrays (`description`), makes PyTorch's of it, eager and channels last, and times it
when it is told to. Results are compared first: a comparison of times of different things would mean nothing.
"""

import importlib.util
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from fastcnn import geometry
from fastcnn.bench.layers import Subject, classifies

#: By how much results may differ, relative to the largest of an array: float32 sums in another order, and Winograd's.
TOLERANCE = 1e-3

_CONVOLUTIONS, _POOLS = ("Conv2D", "DepthwiseConv2D"), ("MaxPooling2D", "AveragePooling2D")


def require_torch() -> None:
    """Raise unless PyTorch is installed.

    Raises
    ------
    ImportError
        With the way to get it.
    """
    if importlib.util.find_spec("torch") is None:
        raise ImportError('bench: expected PyTorch, the peer, got nothing of that name; pip install "fastcnn[judges]"')


def description(subject: Subject) -> dict[str, Any]:
    """Return what PyTorch's side has to know of a layer, without its arrays: class, configuration, exact padding."""
    kind, config = type(subject.layer).__name__, subject.layer.get_config()
    layer: Any = subject.layer
    if kind in _CONVOLUTIONS:
        g = geometry.conv2d(subject.x.shape, layer.filters, layer.kernel_size, layer.strides, layer.padding,
                            layer.dilation_rate, layer.groups)[0]
        config |= {"window": layer.kernel_size, "filters": layer.filters, "groups": layer.groups,
                   "dilation_rate": layer.dilation_rate}
    elif kind in _POOLS:
        g = geometry.pool2d(subject.x.shape, layer.pool_size, layer.strides, layer.padding)[0]
        config |= {"window": layer.pool_size}
    if kind in _CONVOLUTIONS + _POOLS:
        config |= {"sides": [int(g[side]) for side in ("left", "right", "top", "bottom")], "strides": layer.strides}
    return {"class": kind, "config": config, "wants_dx": subject.call.wants_dx, "learns": subject.learns}


class TorchPeer:
    """The process; a context, which ends it.

    Parameters
    ----------
    model : Model
    ready : list of Subject
    seconds : float
        Of one timing.
    """

    def __init__(self, model: Any, ready: list[Subject], seconds: float) -> None:
        require_torch()
        self.ready, self.seconds = ready, seconds
        self.folder = tempfile.TemporaryDirectory()
        self.process = subprocess.Popen(
            [sys.executable, "-P", str(Path(__file__).with_name("torch_worker.py"))],
            text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.version = self._ask(about=True)
        self.known = [self._make(number, subject) for number, subject in enumerate(ready)]
        self.knows_whole = all(self.known) and self._ask(whole=[len(ready), classifies(model)])

    def __enter__(self) -> "TorchPeer":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.process.kill()
        self.process.communicate()
        self.folder.cleanup()

    def layer(self, number: int) -> tuple[float, float] | None:
        """Return the median seconds of forward and backward of a layer, or None for one that PyTorch has not."""
        return tuple(self._ask(time=number, seconds=self.seconds)) if self.known[number] else None

    def whole(self, what: str) -> float | None:
        """Return the median seconds of a training step ("step") or of the batch's "prediction"."""
        return self._ask(time=what, seconds=self.seconds)[0] if self.knows_whole else None

    def _make(self, number: int, subject: Subject) -> bool:
        """Let the other side make a layer, and compare its results; it knows none of several inputs."""
        if isinstance(subject.x, tuple):
            return False
        given, made = (Path(self.folder.name) / f"{name}.npz" for name in ("given", "made"))
        weights = {f"w{i}": p.array for i, p in enumerate(subject.layer.weights)}
        np.savez(given, x=subject.x, dy=subject.dy, **weights)
        if not self._ask(make=number, given=str(given), made=str(made), **description(subject)):
            return False
        if type(subject.layer).__name__ != "Dropout":  # whose random numbers are others
            y, backward = subject.layer.forward(subject.x, subject.call)
            own = {"y": y} | ({"dx": backward(subject.dy)} if subject.learns and subject.call.wants_dx else {})
            with np.load(made) as file:
                for name, array in own.items():
                    difference = np.abs(array - file[name]).max() / max(1e-30, np.abs(file[name]).max())
                    if not difference <= TOLERANCE:
                        raise RuntimeError(f"{subject.layer}: {name} differs from PyTorch's by {difference:.1e} of the "
                                           f"largest, where {TOLERANCE:.0e} is allowed")
        return True

    def _ask(self, **order: Any) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("PyTorch's process ended; what it said stands above")
        return json.loads(line)
