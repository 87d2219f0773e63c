"""One step of the optimizers that adapt the rate to each parameter, over flat arrays, as branches of one kernel.

g is the gradient, w the parameter, r the learning rate, e epsilon; s, q and p are the three arrays of state::

    ADAGRAD     s <- s + g^2;   w <- w - r g / sqrt(s + e)                                   (Duchi et al., 2011)
    ADADELTA    s <- a s + (1 - a) g^2;   u = g sqrt(q + e) / sqrt(s + e)                    (Zeiler, 2012)
                q <- a q + (1 - a) u^2;   w <- w - r u
    RMSPROP     s <- a s + (1 - a) g^2;   p <- a p + (1 - a) g, if centered                  (Tieleman, Hinton, 2012)
                u = r g / sqrt(s - p^2 + e);   q <- b q + u, with a momentum;   w <- w - q
    NADAM       s <- s + (g - s) a;   q <- q + (g^2 - q) b                                   (Dozat, 2016)
                w <- w - r (c s + d g) / (sqrt(q) + e)
    ADAMAX      s <- s + (g - s) a;   q <- max(b q, |g|);   w <- w - r s / (q + e)           (Kingma, Ba, 2015)
    LION        w <- w - r sign(a s + (1 - a) g);   s <- b s + (1 - b) g                     (Chen et al., 2023)
    FTRL        n = s + g^2;   q <- q + g + 2 d w - (n^a - s^a) w / r;   s <- n              (McMahan et al., 2013)
                w <- (clip(q, -b, b) - q) / (n^a / r + 2 c)
    LAMB        s <- s + (g - s) a;   q <- q + (g^2 - q) b;   p <- c s / (sqrt(d q) + e)     (You et al., 2020)
                w follows p later, each parameter at its own length

    SCHEDULE_FREE  q <- q + (g^2 - q) b;   z = s;   s <- s - r g / (sqrt(q / d) + e)         (Defazio et al., 2024)
                w <- (1 - a) s + a ((1 - c) (w - (1 - a) z) / a + c s)

The formulas, and where epsilon stands in them, are Keras's. Before them w <- w - decay w. Arrays are read and written
once, side by side, a block of L1 at a time, as in `optimizer`.
"""

import math

from fastcnn.kernels import optimizer_codes as codes
from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.cpu.optimizers.descent import decayed
from fastcnn.kernels.cpu.simd.elementary import power

_BLOCK = 1024  # elements that stay in L1 between the step and the clearing of their gradients


@kernel
def adaptive_step(values, s, q, p, gradients, code, learning_rate, a, b, c, d, epsilon, decay, clear):
    """Take one step of the optimizer that `code` says.

    Parameters
    ----------
    values : (size,) array
        The parameters w, changed.
    s, q, p : (size,) or (0,) arrays
        State, changed; of size 0 what the optimizer has not.
    gradients : (size,) array
        Read, and with `clear` set to zero.
    code : int
        One of `fastcnn.kernels.optimizer_codes`.
    learning_rate, a, b, c, d, epsilon : float
        Of the formulas at the head of this file.
    decay : float
        First of all w <- w - decay w.
    clear : bool
    """
    chunks = chunks_for(values.size, 64)
    parallel(_adaptive_chunk, chunks, (chunks, (values, s, q, p, gradients), code,
                                       (learning_rate, a, b, c, d, epsilon), decay, clear))


@inlined(exact=True)
def _adaptive_chunk(chunk, chunks, arrays, code, numbers, decay, clear):
    (values, s, q, p, gradients), (learning_rate, a, b, c, d, epsilon) = arrays, numbers
    first, last = chunk_of(chunk, chunks, values.size)
    real = values.dtype.type
    for begin in range(first, last, _BLOCK):
        end = min(begin + _BLOCK, last)
        w, g = values[begin:end], gradients[begin:end]
        decayed(w, decay)
        _adaptive_block(w, (s[begin:end], q[begin:end], p[begin:end]), g, code,
                        (real(learning_rate), real(a), real(b), real(c), real(d), real(epsilon)))
        if clear:
            for i in range(g.size):
                g[i] = 0


@inlined(exact=True)
def _adaptive_block(w, state, g, code, numbers):
    (s, q, p), (rate, a, b, c, d, small), real = state, numbers, w.dtype.type
    zero, one = real(0), real(1)
    if code == codes.ADAGRAD:
        for i in range(w.size):
            s[i] = s[i] + g[i] * g[i]
            w[i] = w[i] - rate * g[i] / real(math.sqrt(s[i] + small))
    elif code == codes.ADADELTA:
        for i in range(w.size):
            square = a * s[i] + (one - a) * (g[i] * g[i])
            change = g[i] * real(math.sqrt(q[i] + small)) / real(math.sqrt(square + small))
            s[i], q[i] = square, a * q[i] + (one - a) * (change * change)
            w[i] = w[i] - rate * change
    elif code == codes.RMSPROP:
        _rmsprop(w, state, g, numbers)
    elif code == codes.NADAM:
        for i in range(w.size):
            mean = s[i] + (g[i] - s[i]) * a
            square = q[i] + (g[i] * g[i] - q[i]) * b
            s[i], q[i] = mean, square
            w[i] = w[i] - rate * (c * mean + d * g[i]) / (real(math.sqrt(square)) + small)
    elif code == codes.ADAMAX:
        for i in range(w.size):
            mean, old, size = s[i] + (g[i] - s[i]) * a, b * q[i], abs(g[i])
            most = old if old > size else size
            s[i], q[i] = mean, most
            w[i] = w[i] - rate * mean / (most + small)
    elif code == codes.LION:
        for i in range(w.size):
            along = a * s[i] + (one - a) * g[i]
            step = rate if along > zero else (-rate if along < zero else along)
            w[i] = w[i] - step
            s[i] = b * s[i] + (one - b) * g[i]
    elif code == codes.FTRL:
        _ftrl(w, state, g, numbers)
    elif code == codes.SCHEDULE_FREE:
        _schedule_free(w, state, g, numbers)
    else:
        for i in range(w.size):
            mean = s[i] + (g[i] - s[i]) * a
            square = q[i] + (g[i] * g[i] - q[i]) * b
            s[i], q[i] = mean, square
            p[i] = c * mean / (real(math.sqrt(d * square)) + small)


@inlined(exact=True)
def _ftrl(w, state, g, numbers):
    (s, q, _), (rate, a, b, c, d, _), two = state, numbers, w.dtype.type(2)
    for i in range(w.size):
        new = s[i] + g[i] * g[i]
        raised = power(new, a)
        linear = q[i] + (g[i] + two * d * w[i]) - (raised - power(s[i], a)) / rate * w[i]
        inside = b if linear > b else (-b if linear < -b else linear)
        s[i], q[i] = new, linear
        w[i] = (inside - linear) / (raised / rate + two * c)


@inlined(exact=True)
def _schedule_free(w, state, g, numbers):
    (s, q, _), (rate, a, b, c, d, small), real = state, numbers, w.dtype.type
    one = real(1)
    for i in range(w.size):
        square = q[i] + (g[i] * g[i] - q[i]) * b
        old, new = s[i], s[i] - rate * g[i] / (real(math.sqrt(square / d)) + small)
        s[i], q[i] = new, square
        average = (one - c) * ((w[i] - (one - a) * old) / a) + c * new
        w[i] = (one - a) * new + a * average


@inlined(exact=True)
def _rmsprop(w, state, g, numbers):
    (s, q, p), (rate, a, b, _, _, small), real = state, numbers, w.dtype.type
    one = real(1)
    for i in range(w.size):
        s[i] = a * s[i] + (one - a) * (g[i] * g[i])
    for i in range(p.size):
        p[i] = a * p[i] + (one - a) * g[i]
    if q.size > 0 and p.size > 0:
        for i in range(w.size):
            q[i] = b * q[i] + rate * g[i] / real(math.sqrt(s[i] - p[i] * p[i] + small))
            w[i] = w[i] - q[i]
    elif q.size > 0:
        for i in range(w.size):
            q[i] = b * q[i] + rate * g[i] / real(math.sqrt(s[i] + small))
            w[i] = w[i] - q[i]
    elif p.size > 0:
        for i in range(w.size):
            w[i] = w[i] - rate * g[i] / real(math.sqrt(s[i] - p[i] * p[i] + small))
    else:
        for i in range(w.size):
            w[i] = w[i] - rate * g[i] / real(math.sqrt(s[i] + small))
