"""Depthwise convolution, where each channel has filters of its own, and its gradients."""
