"""Group normalization, which layer and instance normalization are cases of. ONNX: GroupNormalization,
LayerNormalization, InstanceNormalization.

    x (N, P, G, D): samples, positions, groups, channels of a group; statistics of each (n, g) over positions and D
    y  = gamma xhat + beta,   xhat = (x - mean) rstd,   rstd = 1 / sqrt(variance + epsilon);  gamma, beta (G D,)
    dx = rstd (gamma dy - mean(gamma dy) - xhat mean(gamma dy xhat))

(Wu and He, "Group normalization", 2018, equations 1 to 6; with P = G = 1 Ba, Kiros and Hinton, "Layer normalization",
2016; with D = 1 Ulyanov, Vedaldi and Lempitsky, "Instance normalization", 2016.)

With one position a group's numbers lie side by side: such rows go the way of `rows`. Else an image is what a
chunk of rows is to batch normalization: sums down its columns (`simd.columns`), folded into groups, then an affine map
with a factor a column. One task takes an image through both passes while it is in L2::

    image n   | position 0: c0 c1 | c2 c3 | .. |     sums of a column         mean, rstd       factors of a column
    (P, G D)  | position 1: c0 c1 | c2 c3 | .. | --> c0 c1 c2 c3 ..  --fold-> g0    g1   ----> c0 c1 c2 c3 ..  --> y
              |     ..                         |

A few large images are cut into slabs of positions (`slabs`): first all sums, then, each slab for itself, fold and map.
"""


from fastcnn.kernels.cpu.compile.policy import kernel, parallel
from fastcnn.kernels.cpu.normalization.rows import (
    add_rows,
    row_chunks,
    row_gradients,
    rows_backward_scratch,
    rows_forward_scratch,
    rows_normalized,
    with_defaults,
)
from fastcnn.kernels.cpu.normalization.slabs import (
    BACKWARD,
    FORWARD,
    slab_backward,
    slab_forward,
    slab_scratch,
    slabs_of,
)
from fastcnn.kernels.cpu.normalization.statistics import long_row
from fastcnn.kernels.cpu.simd.memory import accumulate
from fastcnn.kernels.cpu.simd.sums import add_pairwise


def group_norm_forward_scratch(shape, dtype):
    """Return how many elements of scratch `group_norm_forward` wants for x of `shape` (N, P, G, D)."""
    n, positions, groups, d = shape
    if positions == 1:
        return rows_forward_scratch(groups * d)
    return slab_scratch(n, positions, groups * d, FORWARD)


def group_norm_backward_scratch(shape, dtype):
    """Return how many elements of scratch `group_norm_backward` wants for x of `shape` (N, P, G, D)."""
    n, positions, groups, d = shape
    if positions == 1:
        return rows_backward_scratch(n * groups, d, groups * d)
    return slab_scratch(n, positions, groups * d, BACKWARD)


@kernel
def group_norm_forward(y, mean, rstd, scratch, x, gamma, beta, epsilon):
    """Normalize each sample's groups by their own mean and (biased) variance.

    Parameters
    ----------
    y : (N, P, G, D) array
        Written.
    mean, rstd : (N, G) arrays
        Written: saved for the backward pass.
    scratch : (group_norm_forward_scratch(shape, dtype),) array
    x : (N, P, G, D) array
    gamma, beta : (G D,) or (0,) arrays
        Scale and offset; of size 0 where there is none.
    epsilon : float
    """
    n, positions, groups, d = x.shape
    to, of = y.reshape(-1), x.reshape(-1)
    if positions == 1:
        with_defaults(scratch, gamma, beta, groups * d)
        chunks = row_chunks(n * groups, d)
        parallel(rows_normalized, chunks, (chunks, to, (mean.reshape(-1), rstd.reshape(-1)), scratch, of, (groups, d),
                                           epsilon))
    else:
        slabs, lanes = slabs_of(n, positions, groups * d), long_row(groups * d)
        parts = scratch[:FORWARD * n * slabs * lanes].reshape(FORWARD * n * slabs, lanes)
        for turn in range(1 if slabs == 1 else 3):  # one call in the code: each would be compiled
            args = (turn, slabs, to, (mean, rstd), (parts, scratch), of, (gamma, beta, positions, epsilon))
            parallel(slab_forward, n * slabs, args)


@kernel
def group_norm_backward(dx, dgamma, dbeta, scratch, dy, x, mean, rstd, gamma):
    """Write dx, and add to the gradients of scale and offset.

    Parameters
    ----------
    dx : (N, P, G, D) array
        Written.
    dgamma, dbeta : (G D,) or (0,) arrays
        Added to.
    scratch : (group_norm_backward_scratch(shape, dtype),) array
    dy, x : (N, P, G, D) arrays
    mean, rstd : (N, G) arrays
        As the forward pass wrote them.
    gamma : (G D,) or (0,) array
    """
    n, positions, groups, d = x.shape
    c = groups * d
    to, gradient, of = dx.reshape(-1), dy.reshape(-1), x.reshape(-1)
    if positions == 1:
        with_defaults(scratch, gamma, gamma[:0], c)
        chunks = row_chunks(n * groups, d)
        parallel(row_gradients, chunks, (chunks, to, scratch, gradient, of, (mean.reshape(-1), rstd.reshape(-1)),
                                         (groups, d)))
        add_rows(dgamma, dbeta, scratch, chunks, c)
    else:
        slabs, lanes = slabs_of(n, positions, c), long_row(c)
        parts = scratch[:BACKWARD * n * slabs * lanes].reshape(BACKWARD * n * slabs, lanes)
        for turn in range(1 if slabs == 1 else 2):
            parallel(slab_backward, n * slabs,
                     (turn, slabs, to, (parts, scratch), (gradient, of), (mean, rstd, gamma), positions))
        for slab in range(n * slabs):
            products = parts[BACKWARD * slab + 1]
            for k in range(c):
                products[k] *= rstd[slab // slabs, k // d]
        for which in range(2):
            add_pairwise(scratch, which * lanes, BACKWARD * lanes, n * slabs, c)
        if n > 0 and dbeta.size > 0:
            accumulate(dbeta, 0, scratch, 0, c)
        if n > 0 and dgamma.size > 0:
            accumulate(dgamma, 0, scratch, lanes, c)
