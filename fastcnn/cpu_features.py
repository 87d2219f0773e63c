"""Which instructions the CPU has that kernels are compiled for."""

import functools
import os


@functools.cache
def _target() -> frozenset[str]:
    # Numba is not asked for its own variables: whoever writes a file of a model may do without importing it.
    features = os.environ.get("NUMBA_CPU_FEATURES") or ""
    if features or os.environ.get("NUMBA_CPU_NAME"):
        given = [f.strip() for f in features.split(",")]
        return frozenset(f.lstrip("+") for f in given if not f.startswith("-"))
    import llvmlite.binding as llvm  # here, since whoever only asks for help or a version does without

    return frozenset(name for name, there in llvm.get_host_cpu_features().items() if there)


def has(feature: str) -> bool:
    """Return whether code may use instructions of a kind.

    NUMBA_CPU_NAME and NUMBA_CPU_FEATURES choose another target, as for all of Numba. A CPU named without features is
    taken to have none beyond what every one of its kind has.

    Parameters
    ----------
    feature : str
        LLVM's name: ``avx512f``, ``avx2``, ...
    """
    return feature in _target()
