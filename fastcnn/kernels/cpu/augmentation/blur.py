"""Images blurred by products with a window along columns and then along rows, each image with windows of its own.

    y[i, j] = sum_r v[r] sum_s h[s] x[i + r - R / 2, j + s - S / 2],     zero outside

Of windows that are their own mirror images this is its own gradient, too.
"""

import numpy as np

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.cpu.simd.memory import clear


@kernel
def blur(y, scratch, x, vertical, horizontal):
    """Blur images.

    Parameters
    ----------
    y : (N, H, W, C) array
        Written.
    scratch : (N, H, W, C) array
    x : (N, H, W, C) array
    vertical, horizontal : (N, R), (N, S) arrays
        v and h; R and S are odd.
    """
    chunks = min(max(1, y.shape[0]), chunks_for(vertical.shape[1] * y.size, 64))
    parallel(_blur_images, chunks, (chunks, y, scratch, x, vertical, horizontal))


@inlined
def _blur_images(chunk, chunks, y, scratch, x, vertical, horizontal):
    n, h, w, c = y.shape
    to, between, of = y.reshape(-1), scratch.reshape(-1), x.reshape(-1)
    first, last = chunk_of(chunk, chunks, n)
    for image in range(first, last):
        begin = image * h * w * c
        for i in range(h):
            clear(between, begin + i * w * c, w * c)
            for s in range(horizontal.shape[1]):
                shift = s - horizontal.shape[1] // 2
                left, right = max(0, -shift), min(w, w - shift)
                row = begin + i * w * c
                _add(between, row + left * c, of, row + (left + shift) * c, (max(0, right - left) * c,
                                                                            horizontal[image, s]))
        for i in range(h):
            clear(to, begin + i * w * c, w * c)
            for r in range(vertical.shape[1]):
                row = i + r - vertical.shape[1] // 2
                if 0 <= row < h:
                    _add(to, begin + i * w * c, between, begin + row * w * c, (w * c, vertical[image, r]))


@inlined
def _add(to, at, of, source, many):
    """to[at:] += factor of[source:], for (count, factor)."""
    out, place, factor = np.uintp(at), np.uintp(source), many[1]
    if factor != 0:
        for k in range(np.uintp(many[0])):
            to[out + k] += factor * of[place + k]
