"""What NVIDIA's compilers tell of the kernels of CUDA: registers, shared memory, the share of FFMA in the main loop.

It needs no card, but ``pip install '.[cuda-gate]'``; without it these figures are left out. The compile gate
(``python -m tests.cuda.compile_gate``) prints them for three architectures, and fails on stack and on spills.
"""

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

_ARCHITECTURE = "sm_90"
_KERNELS = ("conv.forward.forward", "conv.forward.forward_narrow", "conv.forward.forward_wide",
            "conv.forward.forward_tf32", "conv.backward_input.backward_input",
            "conv.backward_input.backward_input_wide", "conv.backward_weights.backward_weights",
            "conv.backward_weights.backward_weights_wide", "depthwise.forward.forward",
            "normalization.batch.normalize", "losses.softmax.sparse", "optimizers.descent.descend_adam")


@cache
def _row(name: str) -> dict[str, int]:
    import fastcnn.kernels.cuda  # noqa: F401  # lists all kernels
    from fastcnn.kernels.cuda.compile.kernel import registry
    from tests.cuda import compile_gate

    with tempfile.TemporaryDirectory() as folder:
        row: Any = compile_gate.measured(registry[name], registry[name].variants()[0], _ARCHITECTURE, Path(folder))
    return dict(row)


class Cubin:
    """One kernel, compiled for a card of compute capability 9.0."""

    params = (_KERNELS,)
    param_names = ("kernel",)

    def setup(self, name: str) -> None:
        """Compile it, where the compilers are installed."""
        from tests.cuda import compile_gate

        try:
            for tool in ("ptxas", "nvdisasm"):
                compile_gate.tool(tool)
            _row(name)
        except (ImportError, SystemExit) as error:  # asv leaves out what is not implemented
            raise NotImplementedError(str(error)) from error

    def track_registers(self, name: str) -> int:
        """Return how many registers a thread has."""
        return _row(name)["registers"]

    def track_shared(self, name: str) -> int:
        """Return the bytes of shared memory that a block has."""
        return _row(name)["shared"]

    def track_ffma(self, name: str) -> float:
        """Return the share of multiply-adds among the instructions of the main loop."""
        return _row(name)["ffma"] / max(1, _row(name)["loop"])

    track_registers.unit = "registers"  # type: ignore[attr-defined]
    track_shared.unit = "bytes"  # type: ignore[attr-defined]
    track_ffma.unit = "share"  # type: ignore[attr-defined]
