"""Element by element, on CUDA."""
