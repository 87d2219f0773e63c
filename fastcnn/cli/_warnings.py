"""What will make fastcnn slow on this machine, in sentences that say what to do; `doctor` and `bench` print them."""

import os
from pathlib import Path
from typing import Any

_INTERVAL = 0.5  # seconds for which doctor looks at other processes


def of_threads(layer: str) -> list[str]:
    """Return warnings of settings that hurt the threading layer in use.

    Parameters
    ----------
    layer : str
        tbb, omp or workqueue.
    """
    import numba

    from fastcnn.kernels.cpu.compile import cpus

    found = _of_openmp() if layer == "omp" else []
    if layer == "workqueue":
        found.append("Numba's own work queue takes about 50 microseconds to start threads, ten times as long as TBB: "
                     "unset NUMBA_THREADING_LAYER or install tbb")
    usable, threads = cpus.usable(), numba.get_num_threads()
    if threads > usable.threads:
        found.append(f"{threads} threads share {usable.cpus:g} CPU{'s' if usable.cpus > 1 else ''} "
                     f"({usable.limit}) and wait for one another: set NUMBA_NUM_THREADS={usable.threads}")
    return found


def _of_openmp() -> list[str]:
    """Return warnings of variables by which OpenMP's idle threads spin; each runtime has its own."""
    runtime = "Intel" if _is_loaded("libiomp") or _is_loaded("libomp") else "GNU"
    variables = {"OMP_WAIT_POLICY": lambda value: value.lower() == "active"}
    if runtime == "GNU":
        variables["GOMP_SPINCOUNT"] = lambda value: value != "0"
    else:
        variables["KMP_BLOCKTIME"] = lambda value: value not in ("0", "0ms", "0us")
    return [f"{name}={os.environ[name]} lets idle threads of OpenMP spin, so that starting threads takes up to "
            f"milliseconds beside any other work: unset {name}"
            for name, hurts in variables.items() if name in os.environ and hurts(os.environ[name].strip())]


def _is_loaded(library: str) -> bool:
    try:
        return library in Path("/proc/self/maps").read_text()
    except OSError:
        return False


def of_load(load: Any) -> list[str]:
    """Return a warning if other processes take more than a trifle.

    Parameters
    ----------
    load : fastcnn.bench.load.Load
    """
    from fastcnn.bench.load import QUIET

    if load.cpus <= QUIET:
        return []
    name = f", most of it {load.name}" if load.name else ""
    return [f"other processes take {load.cpus:.1f} of {os.cpu_count()} CPUs{name}: training is slower and timings mean "
            f"little until they end; set NUMBA_NUM_THREADS to what they leave"]


def all_now(layer: str) -> list[str]:
    """Return all warnings there are, after looking at other processes for half a second."""
    from fastcnn.bench import load

    return of_threads(layer) + of_load(load.others(_INTERVAL))
