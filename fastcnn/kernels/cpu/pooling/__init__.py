"""Maxima and means of windows, and their gradients."""
