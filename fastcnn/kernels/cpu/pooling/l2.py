"""What L2 pooling does to single numbers; the sums over windows are average pooling's. ONNX: LpPool, p = 2.

    y = sqrt(sum of x^2 over the window)          dx = x (sum of dy / y over the windows that x lies in)

where dy / y counts as 0 for a window of zeros, at which the root has no derivative. A step writes one of::

    L2_PRODUCT  a b          L2_ROOT  sqrt(a)          L2_QUOTIENT  a / b, 0 where b is 0
"""

import numpy as np

from fastcnn.kernels.codes import L2_PRODUCT, L2_ROOT
from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.cpu.simd.memory import BLOCK, copied


@kernel(in_place=("a", "b"))
def l2_step(out, a, b, step):
    """Write one step of L2 pooling for each element; all three arrays are flat.

    Parameters
    ----------
    out, a, b : flat arrays of one size
    step : int
        L2_PRODUCT, L2_ROOT or L2_QUOTIENT.
    """
    chunks = chunks_for(out.size, 64)
    parallel(_step_range, chunks, (chunks, out, a, b, step))


@inlined
def _step_range(chunk, chunks, out, a, b, step):
    begin, end = chunk_of(chunk, chunks, out.size)
    out, a, b = out[begin:end], a[begin:end], b[begin:end]
    if step == L2_PRODUCT:
        for i in range(out.size):
            out[i] = a[i] * b[i]
    elif step == L2_ROOT:
        for first in range(0, out.size, BLOCK):
            block = copied(out, a, first, min(first + BLOCK, out.size))
            for i in range(block.size):
                block[i] = np.sqrt(block[i])
    else:
        for i in range(out.size):
            out[i] = a[i] / b[i] if b[i] != 0 else 0
