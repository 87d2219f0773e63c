"""Losses of regression and margins that are sums over elements, L = share sum_k f(x_k, t_k), with their gradients.

Which f is said by a code of `fastcnn.kernels.loss_codes`; with e = x - t and eps = 1e-7::

    code                  f(x, t)                                                f'(x, t)
    SQUARED               e^2                                                    2 e
    ABSOLUTE              |e|                                                    sign(e)
    PERCENTAGE            100 |e| / max(|t|, eps)                                100 sign(e) / max(|t|, eps)
    SQUARED_LOGARITHMIC   l^2, l = log(1 + max(x, eps)) - log(1 + max(t, eps))   2 l / (1 + x), 0 where x < eps
    HUBER                 e^2 / 2 for |e| <= a, else a |e| - a^2 / 2             e, else a sign(e)   (Huber, 1964)
    LOG_COSH              log(cosh(e))                                           tanh(e)
    HINGE                 h = max(1 - t x, 0)                                    -t where h > 0
    SQUARED_HINGE         h^2                                                    -2 t h

The formulas, epsilon and the clip are Keras 3's. Those of probabilities are in `binary`, the walk in `walk`.
"""

from fastcnn.kernels import loss_codes as codes
from fastcnn.kernels.cpu.compile.policy import kernel
from fastcnn.kernels.cpu.losses.formulas import floor_of, sign
from fastcnn.kernels.cpu.losses.walk import array_at, element_walk, launch
from fastcnn.kernels.cpu.simd.elementary import exp_nonpositive, log, log1p, tanh


@kernel
def elementwise_loss(losses, dx, x, targets, weights, code, a, b, c, share, scale, wants_gradient):
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
        Of HUBER a; the others are not read.
    share : float
        1 / C for the mean over a row, 1 for the sum.
    scale : float
        What gradients are multiplied with, 1 / N for the mean loss.
    wants_gradient : bool
    """
    launch(_apply, (losses, dx), (x, targets, weights), (code, a, b, c), (share, scale, wants_gradient))


def _elementwise_values(out_, x_, t_, count, formula):
    """out = f(x, t); behind a symbol, since all that call it would compile it again."""
    out, x, t = array_at(out_, (count,)), array_at(x_, (count,)), array_at(t_, (count,))
    real, code = out.dtype.type, formula.code
    a = real(formula.a)
    zero, half, one, ln2 = real(0), real(0.5), real(1), real(0.6931471805599453)
    if code == codes.SQUARED:
        for k in range(out.size):
            out[k] = (x[k] - t[k]) * (x[k] - t[k])
    elif code == codes.ABSOLUTE:
        for k in range(out.size):
            out[k] = abs(x[k] - t[k])
    elif code == codes.PERCENTAGE:
        for k in range(out.size):
            out[k] = real(100) * abs(x[k] - t[k]) / floor_of(abs(t[k]))
    elif code == codes.SQUARED_LOGARITHMIC:
        for k in range(out.size):
            e = log(floor_of(x[k]) + one) - log(floor_of(t[k]) + one)
            out[k] = e * e
    elif code == codes.HUBER:
        for k in range(out.size):
            e = abs(x[k] - t[k])
            out[k] = half * e * e if e <= a else a * e - half * a * a
    elif code == codes.LOG_COSH:
        for k in range(out.size):
            e = abs(x[k] - t[k])
            out[k] = e + (log1p(exp_nonpositive(-(e + e))) - ln2)
    else:
        squared = code == codes.SQUARED_HINGE
        for k in range(out.size):
            h = one - t[k] * x[k]
            h = zero if h < zero else h
            out[k] = h * h if squared else h


def _elementwise_slopes(out_, x_, t_, count, formula):
    """out = factor f'(x, t), as `_elementwise_values`."""
    out, x, t = array_at(out_, (count,)), array_at(x_, (count,)), array_at(t_, (count,))
    real, code = out.dtype.type, formula.code
    a, factor = real(formula.a), real(formula.factor)
    zero, one, two = real(0), real(1), real(2)
    if code == codes.SQUARED:
        for k in range(out.size):
            out[k] = two * factor * (x[k] - t[k])
    elif code == codes.ABSOLUTE:
        for k in range(out.size):
            out[k] = factor * sign(x[k] - t[k])
    elif code == codes.PERCENTAGE:
        for k in range(out.size):
            out[k] = real(100) * factor * sign(x[k] - t[k]) / floor_of(abs(t[k]))
    elif code == codes.SQUARED_LOGARITHMIC:
        for k in range(out.size):
            inside = floor_of(x[k]) + one
            slope = two * factor * (log(inside) - log(floor_of(t[k]) + one)) / inside
            out[k] = zero if x[k] < real(1e-7) else slope
    elif code == codes.HUBER:
        for k in range(out.size):
            e = x[k] - t[k]
            out[k] = factor * (a if e > a else (-a if e < -a else e))
    elif code == codes.LOG_COSH:
        for k in range(out.size):
            out[k] = factor * tanh(x[k] - t[k])
    else:
        squared = code == codes.SQUARED_HINGE
        for k in range(out.size):
            h = one - t[k] * x[k]
            slope = -factor * t[k] * (two * h if squared else one)
            out[k] = zero if h < zero else slope


_apply = element_walk(_elementwise_values, _elementwise_slopes)
