"""Numba's environment variables, looked at before Numba reads them.

What it makes of nonsense is an exception of its own at some later time, a warning with a traceback in it, a line of
LLVM's for each kernel, or the end of the process.
"""

import os
import tempfile

from fastcnn.errors import ArgumentError, unknown

_LOADED = ("tbb", "omp", "workqueue")
_LAYERS = ("default", "safe", "threadsafe", "forksafe", *_LOADED)
_MOST_THREADS = max(1024, os.cpu_count() or 1)
_OPT = ("0", "1", "2", "3", "max")

#: The others that Numba reads as whole numbers, without NUMBA_ and without those of CUDA.
_NUMBERS = (
    "ALWAYS_WARN_UNINIT_VAR BOUNDSCHECK DEBUG DEBUGINFO DEBUG_ARRAY_OPT DEBUG_ARRAY_OPT_RUNTIME DEBUG_ARRAY_OPT_STATS "
    "DEBUG_CACHE DEBUG_FRONTEND DEBUG_INLINE_CLOSURE DEBUG_JIT DEBUG_NRT DEBUG_TYPEINFER DEVELOPER_MODE DIFF_IR "
    "DISABLE_INTEL_SVML DISABLE_PERFORMANCE_WARNINGS DISABLE_TYPEINFER_FAIL_CACHE DUMP_ANNOTATION DUMP_ASSEMBLY "
    "DUMP_BYTECODE DUMP_CFG DUMP_FUNC_OPT DUMP_IR DUMP_LLVM DUMP_OPTIMIZED DUMP_SSA ENABLE_AVX ENABLE_PROFILING "
    "EXTEND_VARIABLE_LIFETIMES FULL_TRACEBACKS FUNCTION_CACHE_SIZE HIGHLIGHT_DUMPS LLVM_PASS_TIMINGS "
    "LLVM_REFPRUNE_PASS LOOP_VECTORIZE NRT_STATS PARALLEL_DIAGNOSTICS PARFOR_MAX_TUPLE_SIZE SHOW_HELP SLP_VECTORIZE "
    "TRACE")


def check() -> None:
    """Raise for a variable that cannot be what its user wanted.

    Raises
    ------
    ArgumentError
        With the variable's name.
    """
    _check_number("NUMBA_NUM_THREADS", 1, _MOST_THREADS)
    _check_number("NUMBA_DISABLE_JIT", 0, 1)
    for name in _NUMBERS.split():
        _check_number(f"NUMBA_{name}")
    if (level := os.environ.get("NUMBA_OPT", "3")) not in _OPT:
        raise ArgumentError(f"NUMBA_OPT: expected one of {', '.join(_OPT)}, got {level!r}; unset it")
    layers = os.environ.get("NUMBA_THREADING_LAYER_PRIORITY", " ".join(_LOADED))
    if sorted(layers.split()) != sorted(_LOADED):
        raise ArgumentError(f"NUMBA_THREADING_LAYER_PRIORITY: expected {', '.join(_LOADED)} in some order with spaces "
                            f"between, got {layers!r}; unset it")
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


def _check_number(name: str, least: int | None = None, most: int | None = None) -> None:
    text = os.environ.get(name)
    if text is None:
        return
    try:
        number = int(text)
        fits = (least is None or least <= number) and (most is None or number <= most)
    except ValueError:
        fits = False
    if not fits:
        limits = "" if least is None else f" from {least} to {most}"
        raise ArgumentError(f"{name}: expected a whole number{limits}, got {text!r}; unset it")


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
