"""Losses with their gradients, on CUDA."""
