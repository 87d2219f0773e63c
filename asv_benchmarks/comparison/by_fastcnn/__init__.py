"""fastcnn's side: a kind of work is a function of this package. Imported in fastcnn's process alone."""

# ruff: noqa: F401, F403
from asv_benchmarks.comparison.by_fastcnn.bf16 import *
from asv_benchmarks.comparison.by_fastcnn.layers import *
from asv_benchmarks.comparison.by_fastcnn.networks import *
from asv_benchmarks.comparison.by_fastcnn.published import *
from asv_benchmarks.comparison.by_fastcnn.seeing import *
from asv_benchmarks.comparison.int8 import by_fastcnn as quantized_prediction


def about() -> str:
    """Return versions and threads, in words."""
    import numba

    import fastcnn
    from fastcnn.kernels.cpu.compile import threads

    return (f"fastcnn {fastcnn.__version__} (Numba {numba.__version__}, {threads.layer()}), "
            f"{numba.get_num_threads()} threads")


def use_one_thread() -> None:
    """Run what follows on one thread."""
    import numba

    from fastcnn.kernels.cpu.compile import threads

    threads.start()  # chooses the threading layer, which Numba would do otherwise
    numba.set_num_threads(1)


def no_bf16() -> str | None:
    """Return why this machine has no unit for bfloat16, in words; None if it has one."""
    from fastcnn.kernels.cpu.amx import unit

    back_end, reason = unit.chosen()
    return None if back_end in ("amx", "avx512_bf16") else reason
