"""Moving numbers about, on CUDA."""
