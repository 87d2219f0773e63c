"""How kernels are compiled, kept on disk and spread over threads: the only place that spells Numba's flags."""
