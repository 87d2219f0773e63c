"""Windows and their gradients, on CUDA."""
