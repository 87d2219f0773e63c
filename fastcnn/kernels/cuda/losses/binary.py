"""As the CPU's losses of `binary`, on CUDA: probabilities and rates, whose formulas its table tells."""

from fastcnn.kernels import loss_codes as codes
from fastcnn.kernels.cuda.compile.kernel import kernel, launcher
from fastcnn.kernels.cuda.compile.pointers import floats
from fastcnn.kernels.cuda.compile.shim import f32, i32, inlined
from fastcnn.kernels.cuda.elementwise.elementary import log, sigmoid
from fastcnn.kernels.cuda.losses.formulas import (
    EPSILON,
    clips,
    floor_of,
    focal_slope,
    focal_value,
    log_loss,
    logistic_loss,
)
from fastcnn.kernels.cuda.losses.walk import launch, row_walk

_ZERO, _ONE = f32(0), f32(1)


@launcher
def binary_loss(losses, dx, x, targets, weights, code, a, b, c, share, scale, wants_gradient):
    """Write share sum_k f(x[i, k], targets[i, k]) for each row, and scale times its gradient, as the CPU's."""
    launch(binary, losses, dx, x, targets, weights, code, (a, b, c), share, scale, wants_gradient)


@inlined
def _value(x, t, code, a, b, c):
    """f(x, t)."""
    if code == codes.POISSON:
        return x - t * log(x + EPSILON)
    if code == codes.KL_DIVERGENCE:
        wanted, got = floor_of(t), floor_of(x)
        wanted, got = _ONE if wanted > _ONE else wanted, _ONE if got > _ONE else got
        return wanted * log(wanted / got)
    if code == codes.BINARY:
        return log_loss(x, t)
    if code == codes.BINARY_LOGITS:
        return logistic_loss(x, t)
    return focal_value(sigmoid(x) if code == codes.FOCAL_LOGITS else x, t, a, b, c)


@inlined
def _slope(x, t, code, a, b, c):
    """f'(x, t)."""
    if code == codes.POISSON:
        return _ONE - t / (x + EPSILON)
    if code == codes.KL_DIVERGENCE:
        wanted = floor_of(t)
        slope = -(_ONE if wanted > _ONE else wanted) / x
        return _ZERO if x < EPSILON or x > _ONE else slope
    if code == codes.BINARY:
        return _ZERO if clips(x) else (x - t) / (x * (_ONE - x))
    if code == codes.BINARY_LOGITS:
        return sigmoid(x) - t
    if code == codes.FOCAL_LOGITS:
        p = sigmoid(x)
        return focal_slope(p, t, a, b, c) * (p * (_ONE - p))
    return focal_slope(x, t, a, b, c)


_walk = row_walk(_value, _slope)


@kernel
def binary(losses: floats, dx: floats, x: floats, targets: floats, weights: floats, rows: i32, columns: i32, lanes: i32,
           code: i32, weighted: i32, wants_gradient: i32, a: f32, b: f32, c: f32, share: f32, scale: f32):
    """Some lanes a row."""
    _walk(losses, dx, x, targets, weights, (rows, columns), lanes, code, weighted, wants_gradient, (a, b, c),
          (share, scale))
