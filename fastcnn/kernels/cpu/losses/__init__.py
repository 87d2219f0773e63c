"""Losses with their gradients, in one pass."""
