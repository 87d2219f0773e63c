"""How kernels are written, compiled and launched on CUDA: the only place that knows Numba's target and the driver."""
