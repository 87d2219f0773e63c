"""As the CPU's losses of `elementwise`, on CUDA: regression and margins, whose formulas its table tells."""

from fastcnn.kernels import loss_codes as codes
from fastcnn.kernels.cuda.compile.kernel import kernel, launcher
from fastcnn.kernels.cuda.compile.pointers import floats
from fastcnn.kernels.cuda.compile.shim import f32, i32, inlined
from fastcnn.kernels.cuda.elementwise.elementary import exp_nonpositive, log, log1p, tanh
from fastcnn.kernels.cuda.losses.formulas import EPSILON, floor_of, sign
from fastcnn.kernels.cuda.losses.walk import launch, row_walk

_ZERO, _HALF, _ONE, _TWO, _HUNDRED, _LN2 = map(f32, (0, 0.5, 1, 2, 100, 0.6931471805599453))


@launcher
def elementwise_loss(losses, dx, x, targets, weights, code, a, b, c, share, scale, wants_gradient):
    """Write share sum_k f(x[i, k], targets[i, k]) for each row, and scale times its gradient, as the CPU's."""
    launch(elementwise, losses, dx, x, targets, weights, code, (a, b, c), share, scale, wants_gradient)


@inlined
def _value(x, t, code, a, b, c):
    """f(x, t)."""
    e = abs(x - t)
    if code == codes.SQUARED:
        return e * e
    if code == codes.ABSOLUTE:
        return e
    if code == codes.PERCENTAGE:
        return _HUNDRED * e / floor_of(abs(t))
    if code == codes.SQUARED_LOGARITHMIC:
        apart = log(floor_of(x) + _ONE) - log(floor_of(t) + _ONE)
        return apart * apart
    if code == codes.HUBER:
        return _HALF * e * e if e <= a else a * e - _HALF * a * a
    if code == codes.LOG_COSH:
        return e + (log1p(exp_nonpositive(-(e + e))) - _LN2)
    h = _ONE - t * x
    h = _ZERO if h < _ZERO else h
    return h * h if code == codes.SQUARED_HINGE else h


@inlined
def _slope(x, t, code, a, b, c):
    """f'(x, t)."""
    e = x - t
    if code == codes.SQUARED:
        return _TWO * e
    if code == codes.ABSOLUTE:
        return sign(e)
    if code == codes.PERCENTAGE:
        return _HUNDRED * sign(e) / floor_of(abs(t))
    if code == codes.SQUARED_LOGARITHMIC:
        inside = floor_of(x) + _ONE
        return _ZERO if x < EPSILON else _TWO * (log(inside) - log(floor_of(t) + _ONE)) / inside
    if code == codes.HUBER:
        return a if e > a else (-a if e < -a else e)
    if code == codes.LOG_COSH:
        return tanh(e)
    h = _ONE - t * x
    slope = -t * (_TWO * h if code == codes.SQUARED_HINGE else _ONE)
    return _ZERO if h < _ZERO else slope


_walk = row_walk(_value, _slope)


@kernel
def elementwise(losses: floats, dx: floats, x: floats, targets: floats, weights: floats, rows: i32, columns: i32,
                lanes: i32, code: i32, weighted: i32, wants_gradient: i32, a: f32, b: f32, c: f32, share: f32,
                scale: f32):
    """Some lanes a row."""
    _walk(losses, dx, x, targets, weights, (rows, columns), lanes, code, weighted, wants_gradient, (a, b, c),
          (share, scale))
