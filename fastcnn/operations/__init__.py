"""Operations on arrays: what stands between layers and kernels.

An operation takes arrays, parameters and a geometry, never a layer. It chooses the algorithm, asks the device for
memory, calls kernels, and returns y and the backward pass, or y alone for prediction::

    Conv2D.forward  ->  convolution(x, weights, bias, activation, geometry, ..)  ->  ProductCall.run  ->  kernel
    arguments,          y, backward                                                  the kernel's arguments,
    shapes,                                                                          spelled once
    parameters

=====================  ===============================================================================================
`kernel_call`          a kernel as a function object, its memory, and the one place where it is called
`algorithms`           which kernels compute a convolution: chosen here alone
`packed_weights`       what kernels packed of weights, and for how long it holds
`activation`           functions of numbers, and clamps, which products end in
`convolution`          convolutions of images and signals, and dense layers; `convolution_transpose`, `convolution_3d`
`batched_product`      a matrix product for each sample
`inverted_residual`    three convolutions in one call; `batch_interleaved`: a run of narrow ones and of poolings
`pooling`, `resize`    windows that become one number; images of other sizes
`padding`, `layout`    borders; numbers that move; arrays side by side
`merge`                sums, products and extremes, on `broadcasting`; `elementwise`: elementary functions
`selection`, `noise`   numbers by their place or size; dropout
`batch_normalization`  and `normalization`: with the statistics of the batch, of a sample
=====================  ===============================================================================================

The arguments that many of them take:

Parameters
----------
x : array
    float32 or float64, of any shape that the operation says. It is not changed.
arrays : sequence of arrays
    Of one floating type, that broadcast against one another.
weights, bias : Parameter
    The backward pass adds to their gradients; the bias may be None.
activation : Function, optional
    Of the result; none if it is None.
clamp : (float, float)
    The bounds of the result, which may be infinite.
g : array of one element
    The geometry, made by `fastcnn.geometry`.
shape : tuple of int
    Of y.
learns, wants_dx : bool
    Whether the backward pass makes the gradients of the parameters, and that of x.
d : Device
    That of the arrays.
key : (int, int)
    What random numbers count from: (seed, step).
who : str
    Who asks, for the message of an error.
"""

from collections.abc import Callable
from typing import Any

Backward = Callable[[Any], Any]
