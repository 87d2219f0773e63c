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
`packed_weights`       weights as kernels packed them, kept until they change
`activation`           activations, and clamps, which kernels apply to their results
`convolution`          convolutions of images and signals, and dense layers; `convolution_transpose`, `convolution_3d`
`batched_product`      a matrix product for each sample
`inverted_residual`    three convolutions in one call; `batch_interleaved`: a run of narrow ones with poolings
`scaled_convolution`   a 1x1 convolution of channels that a normalization or a gate scales
`pooling`, `resize`    windows that become one number; images of another size
`padding`, `layout`    borders; transposed, repeated and concatenated arrays
`merge`                sums, products, maxima and minima, by `broadcasting`; `elementwise`: elementary functions
`selection`, `noise`   numbers chosen by place, size or condition; dropout and noise
`batch_normalization`  with the statistics of the batch; `normalization`: with those of each sample
`saved`, `bfloat16`    what waits for the way back; numbers rounded, and stored in 16 bits
`boxes`, `regions`     boxes compared, matched, coded, suppressed; regions and grids of feature maps
`augmentation`         pictures changed at random: what is drawn, and what it does to images, masks, boxes and labels
=====================  ===============================================================================================

The arguments that many of them take:

Parameters
----------
x : array
    float32 or float64; its shape stands with the operation. It is not changed.
arrays : sequence of arrays
    Of one floating type, that broadcast against one another.
weights, bias : Parameter
    The backward pass adds to their gradients; the bias may be None.
activation : Function, optional
    Applied to the result; None is the identity.
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
    (seed, step), of which random numbers are functions.
who : str
    Whom an error message names.
"""

from collections.abc import Callable
from typing import Any

Backward = Callable[[Any], Any]
