"""Which instructions the CPU has that kernels are compiled for."""

import functools


@functools.cache
def _target() -> frozenset[str]:
    # Imported here, since whoever only asks for help or a version does without.
    import llvmlite.binding as llvm
    from numba.core import config

    if config.CPU_NAME or config.CPU_FEATURES:
        given = [f.strip() for f in (config.CPU_FEATURES or "").split(",")]
        return frozenset(f.lstrip("+") for f in given if not f.startswith("-"))
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
