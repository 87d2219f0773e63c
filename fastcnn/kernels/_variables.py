"""Numba's environment variables, looked at before Numba reads them.

What it makes of nonsense is an exception of its own at some later time, a warning with a traceback in it, a line of
LLVM's for each kernel, or the end of the process.
"""

import os
import tempfile

from fastcnn.errors import ArgumentError, unknown

_LAYERS = ("default", "safe", "threadsafe", "forksafe", "tbb", "omp", "workqueue")
_MOST_THREADS = max(1024, os.cpu_count() or 1)


def check() -> None:
    """Raise for a variable that cannot be what its user wanted.

    Raises
    ------
    ArgumentError
        With the variable's name.
    """
    _check_number("NUMBA_NUM_THREADS", 1, _MOST_THREADS)
    _check_number("NUMBA_DISABLE_JIT", 0, 1)
    layer = os.environ.get("NUMBA_THREADING_LAYER", "default")
    if layer.lower() not in _LAYERS:
        raise ArgumentError(unknown("NUMBA_THREADING_LAYER", layer, _LAYERS))
    cpu, features = os.environ.get("NUMBA_CPU_NAME") or "", os.environ.get("NUMBA_CPU_FEATURES") or ""
    if any(feature.strip()[:1] not in ("+", "-") for feature in features.split(",") if feature.strip()):
        raise ArgumentError(f"NUMBA_CPU_FEATURES: expected names that each begin with + or -, got {features!r}; "
                            f"write +avx2,-avx512f, or unset it")
    if (cpu or features) and (said := _refused_by_llvm(cpu, features)):
        raise ArgumentError(f"NUMBA_CPU_NAME and NUMBA_CPU_FEATURES: expected names that LLVM knows, got {said}; "
                            f"unset them, or write as `llc -mcpu=help` does")


def _check_number(name: str, least: int, most: int) -> None:
    text = os.environ.get(name)
    if text is None:
        return
    try:
        fits = least <= int(text) <= most
    except ValueError:
        fits = False
    if not fits:
        raise ArgumentError(f"{name}: expected a whole number from {least} to {most}, got {text!r}; unset it")


def _refused_by_llvm(cpu: str, features: str) -> str:
    """Return what LLVM writes on standard error, its only answer, about the names of a CPU and of features."""
    from llvmlite import binding as llvm

    llvm.initialize_native_target()
    target = llvm.Target.from_triple(llvm.get_process_triple())
    try:
        before = os.dup(2)
    except OSError:
        return ""  # standard error is closed
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            target.create_target_machine(cpu=cpu, features=features)
        finally:
            os.dup2(before, 2)
            os.close(before)
        file.seek(0)
        lines = file.read().decode(errors="replace").splitlines()
    return "; ".join(dict.fromkeys(line.partition(" (ignoring")[0] for line in lines))
