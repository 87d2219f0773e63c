"""Vectors: how wide they are, the code that Numba cannot write for them, and sums, copies, windows made of them."""
"""Vectors: how wide they are, the code that Numba cannot write for them, and sums, copies, windows made of them."""
