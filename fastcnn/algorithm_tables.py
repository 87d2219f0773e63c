"""AlgorithmRates of kinds of CPUs, by which algorithms are chosen, in named tables.

Another algorithm is another rounding. A table therefore belongs to a kind of CPU and not to one machine, and which one
holds is told by the instructions that the CPU has: a seed is the same model on all machines of a kind. Files of models
and checkpoints record the name (`fastcnn.config.algorithm_table`).

==================  =================================================================================================
``general``         measured on AMD EPYCs with AVX-512, and taken where nothing else was
``avx512-intel``    an Intel Xeon with AVX-512, which multiplies two: there filters that come from the outer caches
                    take longer than the products of few tiles
==================  =================================================================================================
"""

import functools
from typing import NamedTuple

from fastcnn import cpu_features


class CpuRates(NamedTuple):
    """Cycles of one core.

    Attributes
    ----------
    winograd_call : int
        By which a call of Winograd's kernel is slower than one of the direct kernel, whatever the size.
    winograd_packing : int
        To transform a vector of channels of one filter and to fetch it again, where each call does.
    winograd_fetching : int
        To fetch a vector of channels of one filter that was transformed before, 36 numbers for 9, or for 25.
    """

    winograd_call: int
    winograd_packing: int
    winograd_fetching: int


TABLES = {"general": CpuRates(5000, 250, 500), "avx512-intel": CpuRates(5000, 250, 1200)}


@functools.cache
def of_machine() -> str:
    """Return the name of the table for this machine's kind of CPU."""
    # SSE4a is in every AMD of these years and in no Intel.
    return "avx512-intel" if cpu_features.has("avx512f") and not cpu_features.has("sse4a") else "general"


def rates_of(choice: str) -> CpuRates:
    """Return the rates of a table by its name; those of this kind of CPU for any other choice.

    Parameters
    ----------
    choice : str
        As of `fastcnn.config.set_algorithm_choice`.
    """
    return TABLES.get(choice) or TABLES[of_machine()]
