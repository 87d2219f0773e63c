"""Convolutions of bfloat16 on the register tile: pairs of numbers in the lanes of vectors (`simd/pairs.py`)."""
