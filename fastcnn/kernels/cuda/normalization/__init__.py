"""Normalization and its gradients, on CUDA."""
