"""As the CPU's `adaptive`, on CUDA: one step of the optimizers that its table tells, a thread an element."""

import math

from fastcnn.kernels import optimizer_codes as codes
from fastcnn.kernels.cuda.compile.kernel import THREADS, blocks_for, kernel, launcher
from fastcnn.kernels.cuda.compile.pointers import floats
from fastcnn.kernels.cuda.compile.shim import cuda, f32, i32, inlined, load1
from fastcnn.kernels.cuda.elementwise.elementary import power

_ZERO, _ONE, _TWO = map(f32, (0, 1, 2))


@launcher
def adaptive_step(values, s, q, p, gradients, code, learning_rate, a, b, c, d, epsilon, decay, clear):
    """Take one step of the optimizer that `code` says, as the CPU's."""
    step[blocks_for(values.size), THREADS](values, s, q, p, gradients, values.size, code, q.size, p.size, int(clear),
                                           learning_rate, a, b, c, d, epsilon, decay)


@kernel
def step(values: floats, s: floats, q: floats, p: floats, gradients: floats, size: i32, code: i32, has_q: i32,
         has_p: i32, clear: i32, rate: f32, a: f32, b: f32, c: f32, d: f32, epsilon: f32, decay: f32):
    """A thread an element."""
    for i in range(cuda.grid(1), size, cuda.gridsize(1)):
        w, g, numbers = load1(values, i), load1(gradients, i), (rate, a, b, c, d, epsilon)
        w -= decay * w
        if code == codes.ADAGRAD:
            w = _adagrad(w, g, s, i, numbers)
        elif code == codes.ADADELTA:
            w = _adadelta(w, g, s, q, i, numbers)
        elif code == codes.RMSPROP:
            w = _rmsprop(w, g, s, q, p, i, has_q, has_p, numbers)
        elif code == codes.ADAMAX:
            w = _adamax(w, g, s, q, i, numbers)
        elif code == codes.LION:
            w = _lion(w, g, s, i, numbers)
        elif code == codes.FTRL:
            w = _ftrl(w, g, s, q, i, numbers)
        elif code == codes.SCHEDULE_FREE:
            w = _schedule_free(w, g, s, q, i, numbers)
        else:
            w = _two_moments(w, g, s, q, p, i, code, numbers)
        values[i] = w
        if clear != 0:
            gradients[i] = _ZERO


@inlined
def _root(x):
    return f32(math.sqrt(x))


@inlined
def _adagrad(w, g, s, i, numbers):
    total = load1(s, i) + g * g
    s[i] = total
    return w - numbers[0] * g / _root(total + numbers[5])


@inlined
def _adadelta(w, g, s, q, i, numbers):
    rate, a, _, _, _, epsilon = numbers
    moved = load1(q, i)
    square = a * load1(s, i) + (_ONE - a) * (g * g)
    change = g * _root(moved + epsilon) / _root(square + epsilon)
    s[i], q[i] = square, a * moved + (_ONE - a) * (change * change)
    return w - rate * change


@inlined
def _rmsprop(w, g, s, q, p, i, has_q, has_p, numbers):
    rate, a, b, _, _, epsilon = numbers
    square = a * load1(s, i) + (_ONE - a) * (g * g)
    s[i] = square
    if has_p != 0:
        mean = a * load1(p, i) + (_ONE - a) * g
        p[i] = mean
        square -= mean * mean
    change = rate * g / _root(square + epsilon)
    if has_q != 0:
        change += b * load1(q, i)
        q[i] = change
    return w - change


@inlined
def _adamax(w, g, s, q, i, numbers):
    rate, a, b, _, _, epsilon = numbers
    mean, old, size = load1(s, i) + (g - load1(s, i)) * a, b * load1(q, i), abs(g)
    most = old if old > size else size
    s[i], q[i] = mean, most
    return w - rate * mean / (most + epsilon)


@inlined
def _lion(w, g, s, i, numbers):
    rate, a, b, _, _, _ = numbers
    mean = load1(s, i)
    along = a * mean + (_ONE - a) * g
    s[i] = b * mean + (_ONE - b) * g
    return w - (rate if along > _ZERO else (-rate if along < _ZERO else along))


@inlined
def _ftrl(w, g, s, q, i, numbers):
    rate, a, b, c, d, _ = numbers
    old = load1(s, i)
    new = old + g * g
    raised = power(new, a)
    linear = load1(q, i) + (g + _TWO * d * w) - (raised - power(old, a)) / rate * w
    inside = b if linear > b else (-b if linear < -b else linear)
    s[i], q[i] = new, linear
    return (inside - linear) / (raised / rate + _TWO * c)


@inlined
def _schedule_free(w, g, s, q, i, numbers):
    rate, a, b, c, d, epsilon = numbers
    old, square = load1(s, i), load1(q, i)
    square += (g * g - square) * b
    new = old - rate * g / (_root(square / d) + epsilon)
    s[i], q[i] = new, square
    average = (_ONE - c) * ((w - (_ONE - a) * old) / a) + c * new
    return (_ONE - a) * new + a * average


@inlined
def _two_moments(w, g, s, q, p, i, code, numbers):
    """NADAM and LAMB, whose step waits in p."""
    rate, a, b, c, d, epsilon = numbers
    mean, square = load1(s, i), load1(q, i)
    mean += (g - mean) * a
    square += (g * g - square) * b
    s[i], q[i] = mean, square
    if code == codes.NADAM:
        return w - rate * (c * mean + d * g) / (_root(square) + epsilon)
    p[i] = c * mean / (_root(d * square) + epsilon)
    return w
