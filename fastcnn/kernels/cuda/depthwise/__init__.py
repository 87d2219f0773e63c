"""Convolution with one filter a channel, and its gradients, on CUDA."""
