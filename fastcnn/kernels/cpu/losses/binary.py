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

from numba import config
from numba.extending import intrinsic

from fastcnn.kernels import loss_codes as codes
from fastcnn.kernels.cpu.compile.policy import chunks_for, inlined, kernel, parallel
from fastcnn.kernels.cpu.compile.shared import Shared
from fastcnn.kernels.cpu.losses.formulas import clips, floor_of, focal_slope, focal_value, log_loss, logistic_loss
from fastcnn.kernels.cpu.losses.walk import array_at, bits, element_arguments, element_rows, number
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
    chunks = min(x.shape[0], chunks_for(x.size, 64))
    parallel(element_rows, chunks, (chunks, _apply, losses, dx, x, targets, weights, code, a, b, c, share,
                                    scale, wants_gradient))


def _binary_values(out_, x_, t_, count, code, a_, b_, c_, factor_):
    """out = f(x, t); behind a symbol, since all that call it would compile it again."""
    out, x, t = array_at(out_, (count,)), array_at(x_, (count,)), array_at(t_, (count,))
    real = out.dtype.type
    a, b, c = real(number(a_)), real(number(b_)), real(number(c_))
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


def _binary_slopes(out_, x_, t_, count, code, a_, b_, c_, factor_):
    """out = factor f'(x, t), as `_binary_values`."""
    out, x, t = array_at(out_, (count,)), array_at(x_, (count,)), array_at(t_, (count,))
    real = out.dtype.type
    a, b, c, factor = real(number(a_)), real(number(b_)), real(number(c_)), real(number(factor_))
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


_value_symbol = Shared(_binary_values, element_arguments)
_slope_symbol = Shared(_binary_slopes, element_arguments)


@intrinsic
def _values_into(typingctx, out, out_at, x, x_at, t, t_at, count, code, a, b, c, factor):
    return _value_symbol.intrinsic(out, out_at, x, x_at, t, t_at, count, code, a, b, c, factor)


@intrinsic
def _slopes_into(typingctx, out, out_at, x, x_at, t, t_at, count, code, a, b, c, factor):
    return _slope_symbol.intrinsic(out, out_at, x, x_at, t, t_at, count, code, a, b, c, factor)


@inlined
def _apply_compiled(out, x, t, at, count, code, wants_slopes, a, b, c, factor):
    if wants_slopes:
        _slopes_into(out, at, x, at, t, at, count, code, bits(a), bits(b), bits(c), bits(factor))
    else:
        _values_into(out, at, x, at, t, at, count, code, bits(a), bits(b), bits(c), bits(factor))


def _apply_in_python(out, x, t, at, count, code, wants_slopes, a, b, c, factor):
    part, function = slice(at, at + count), _binary_slopes if wants_slopes else _binary_values
    function(out[part], x[part], t[part], count, code, bits(a), bits(b), bits(c), bits(factor))


_apply = _apply_in_python if config.DISABLE_JIT else _apply_compiled
