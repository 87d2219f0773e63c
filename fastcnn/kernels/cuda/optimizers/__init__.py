"""Steps of optimizers over flat arrays, on CUDA."""
