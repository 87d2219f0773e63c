"""Losses of probabilities and of rates that are sums over elements, with their gradients.

L = share sum_k f(x_k, t_k), f by a code of `fastcnn.kernels.loss_codes`; eps = 1e-7, p = clip(x, eps, 1 - eps)::

    code            f(x, t)                                            f'(x, t)
    POISSON         x - t log(x + eps)                                 1 - t / (x + eps)
    KL_DIVERGENCE   t log(t / x), both clipped to [eps, 1]             -t / x, 0 where x is clipped
    BINARY          -t log(p) - (1 - t) log(1 - p)                     (x - t) / (x (1 - x)), 0 where clipped
    BINARY_LOGITS   max(x, 0) - x t + log(1 + exp(-|x|))               sigmoid(x) - t
    FOCAL           (b + c t) u^a BINARY(x, t),  u = x + t - 2 x t     (Lin et al., 2017, equation 5)
    FOCAL_LOGITS    FOCAL(sigmoid(x), t)                               FOCAL'(p, t) p (1 - p)

The formulas, epsilon and clips are Keras 3's; where a clip takes effect nothing flows back. The walk is in `walk`.
"""

from fastcnn.kernels import loss_codes as codes
from fastcnn.kernels.cpu.compile.policy import inlined, kernel
from fastcnn.kernels.cpu.losses.formulas import clips, floor_of, focal_slope, focal_value, log_loss, logistic_loss
from fastcnn.kernels.cpu.losses.walk import array_at, element_walk, launch
from fastcnn.kernels.cpu.simd.elementary import log, sigmoid


@kernel
def binary_loss(losses, dx, x, targets, weights, code, a, b, c, share, scale, wants_gradient):
    """Write share sum_k f(x[i, k], targets[i, k]) for each row, and scale times its gradient.

    Parameters
    ----------
    losses : (N,) array
        Written.
    dx : (N, C) array
        Written: the gradient if it is wanted, else values without a meaning.
    x, targets : (N, C) arrays
        Predictions, and what they should be.
    weights : (N,), (N * C,) or (0,) array
        A factor for each row, or for each element, or none.
    code : int
        f: one of `fastcnn.kernels.loss_codes`.
    a, b, c : float
        Of the focal ones gamma, and b + c t the factor that balances the classes; the others are not read.
    share : float
        1 / C for the mean over a row, 1 for the sum.
    scale : float
        What gradients are multiplied with, 1 / N for the mean loss.
    wants_gradient : bool
    """
    launch(_apply, (losses, dx), (x, targets, weights), (code, a, b, c), (share, scale, wants_gradient))


def _binary_values(out_, x_, t_, count, formula):
    """out = f(x, t); behind a symbol, since all that call it would compile it again."""
    out, x, t = array_at(out_, (count,)), array_at(x_, (count,)), array_at(t_, (count,))
    real, code = out.dtype.type, formula.code
    a, b, c = real(formula.a), real(formula.b), real(formula.c)
    one = real(1)
    if code == codes.POISSON:
        for k in range(out.size):
            out[k] = x[k] - t[k] * log(x[k] + real(1e-7))
    elif code == codes.KL_DIVERGENCE:
        for k in range(out.size):
            wanted, got = floor_of(t[k]), floor_of(x[k])
            wanted, got = one if wanted > one else wanted, one if got > one else got
            out[k] = wanted * log(wanted / got)
    elif code == codes.BINARY:
        for k in range(out.size):
            out[k] = log_loss(x[k], t[k])
    elif code == codes.BINARY_LOGITS:
        for k in range(out.size):
            out[k] = logistic_loss(x[k], t[k])
    else:
        _probabilities(out, x, code)
        for k in range(out.size):
            out[k] = focal_value(out[k], t[k], a, b, c)


@inlined
def _probabilities(out, x, code):
    if code == codes.FOCAL_LOGITS:
        for k in range(out.size):
            out[k] = sigmoid(x[k])
    else:
        for k in range(out.size):
            out[k] = x[k]


def _binary_slopes(out_, x_, t_, count, formula):
    """out = factor f'(x, t), as `_binary_values`."""
    out, x, t = array_at(out_, (count,)), array_at(x_, (count,)), array_at(t_, (count,))
    real, code = out.dtype.type, formula.code
    a, b, c, factor = real(formula.a), real(formula.b), real(formula.c), real(formula.factor)
    zero, one = real(0), real(1)
    if code == codes.POISSON:
        for k in range(out.size):
            out[k] = factor - factor * t[k] / (x[k] + real(1e-7))
    elif code == codes.KL_DIVERGENCE:
        for k in range(out.size):
            wanted = floor_of(t[k])
            slope = -factor * (one if wanted > one else wanted) / x[k]
            out[k] = zero if x[k] < real(1e-7) or x[k] > one else slope
    elif code == codes.BINARY:
        for k in range(out.size):
            slope = factor * ((x[k] - t[k]) / (x[k] * (one - x[k])))
            out[k] = zero if clips(x[k]) else slope
    elif code == codes.BINARY_LOGITS:
        for k in range(out.size):
            out[k] = factor * (sigmoid(x[k]) - t[k])
    else:
        _probabilities(out, x, code)
        for k in range(out.size):
            out[k] = factor * focal_slope(out[k], t[k], a, b, c)
        if code == codes.FOCAL_LOGITS:
            for k in range(out.size):
                p = sigmoid(x[k])
                out[k] *= p * (one - p)


_apply = element_walk(_binary_values, _binary_slopes)
