"""Normalization over a batch, groups of channels, neighbouring channels or a row, and the gradients."""
