"""Kernels: plain compiled functions on arrays. This page is their contract.

``kernels.cpu`` is a namespace of them, with a room for each operation: its forward and its backward stand side by side.
Another device would be one with the same names and signatures. A kernel knows nothing of layers.

- **Order of arguments**: outputs, what is saved for the backward pass, scratch, inputs, parameters, scalars, geometry.
- A kernel never allocates, validates, changes an input or returns an array. Arrays are C-contiguous and of one
  floating type (float32 or float64) unless the kernel says otherwise.
- **In place**: ``kernel.in_place`` has the positions of the inputs over which a kernel may write its output, the first
  argument: each of them where it has the output's size and no other argument lies there.
- **Every element of an output is written**, whatever was there. Gradients of parameters alone are *added to*.
- **Scratch**: ``x_scratch(geometry, dtype)`` beside kernel ``x`` tells how many elements it wants; what lies in it
  before and after has no meaning.
- **Packed weights**: a forward kernel that packs its parameters does so into ``packed``, of which
  ``x_packed(geometry, dtype)`` tells the size, and takes ``ready``: with 1 it reads what an earlier call with the same
  parameters left there, so that whoever predicts many times packs once (packing is half the time of a deep
  convolution of one image). Where Winograd's kernels take ``kept=False`` they may want a ``packed`` of size 0.
- **Geometry** is one structured array of one element, made by ``fastcnn.geometry``; read it as ``geometry[0]["oh"]``.
- **The same bits from any number of threads**: partial sums are cut into chunks by shapes alone and added in the order
  of the chunks. The number of threads may decide how work is cut only where each number is computed in the same way
  whatever the cut. Random numbers are counters: (seed, step, index) -> value.
- Images are (N, H, W, C), filter banks (KH, KW, C // groups, K).
- Absent parameters (a convolution without bias) are arrays of size 0.

The arguments of what stands beside kernels and tells sizes (`x_scratch`, `x_packed`, `x_saved`, `x_suits`):

Parameters
----------
geometry : array of one element
    The kernel's own.
shape : tuple of int
    Of its first input, where it takes no geometry.
dtype : dtype
    float32 or float64: that of its arrays.
kept : bool
    Whether ``packed`` is kept from call to call, so that packing costs nothing in the long run.
"""

from fastcnn.kernels import _numba_environment

_numba_environment.check()  # before anything imports Numba
