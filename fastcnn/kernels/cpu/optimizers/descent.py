"""Gradient descent and Adam: one step over flat arrays. The formulas, and the order of their parts, are Keras's.

The other optimizers are in `adaptive`, norms and factors of parameters in `parts`.

Nothing is used twice, so memory decides: all arrays are read and written once, in vectors, side by side::

    gradients | g0 .. g15 |   m | m0 .. m15 |   v | v0 .. v15 |   values | w0 .. w15 |     one vector of each in
              +----------------> m', v' ----------------------------> w'                   registers, from L3 or memory

With `clear` the gradients are zero afterwards, which the pass that has just read them does for a quarter of what a pass
of its own would move.
"""

import math

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel

_BLOCK = 1024  # elements that stay in L1 between the step and the clearing of their gradients


@kernel
def sgd(values, velocity, gradients, learning_rate, momentum, nesterov, decay, clear):
    """Descend along the gradient, with momentum where there is a velocity (Sutskever et al., 2013, equations 1 to 4).

        without velocity   w <- w - lr g
        with one           v <- momentum v - lr g;   w <- w + v,  or with nesterov  w <- w + momentum v - lr g

    Parameters
    ----------
    values : (size,) array
        The parameters w, changed.
    velocity : (size,) or (0,) array
        v, changed; of size 0 if momentum is 0.
    gradients : (size,) array
        Read, and with `clear` set to zero.
    learning_rate, momentum : float
    nesterov : bool
    decay : float
        First of all w <- w - decay w.
    clear : bool
    """
    chunks = chunks_for(values.size, 64)
    parallel(_sgd_chunk, chunks, (chunks, (values, velocity, gradients), learning_rate, momentum, nesterov, decay,
                                  clear))


@inlined(exact=True)
def _sgd_chunk(chunk, chunks, arrays, learning_rate, momentum, nesterov, decay, clear):
    values, velocity, gradients = arrays
    first, last = chunk_of(chunk, chunks, values.size)
    for begin in range(first, last, _BLOCK):
        end = min(begin + _BLOCK, last)
        decayed(values[begin:end], decay)
        _sgd_block(values[begin:end], velocity[begin:end], gradients[begin:end], learning_rate, momentum, nesterov)
        if clear:
            g = gradients[begin:end]
            for i in range(g.size):
                g[i] = 0


@inlined(exact=True)
def decayed(w, decay):
    """w <- w - decay w, in a block that stays in L1."""
    if decay != 0:
        less = w.dtype.type(decay)
        for i in range(w.size):
            w[i] = w[i] - less * w[i]


@inlined(exact=True)
def _sgd_block(w, v, g, learning_rate, momentum, nesterov):
    real = w.dtype.type
    rate, keep = real(learning_rate), real(momentum)
    if v.size == 0:
        for i in range(w.size):
            w[i] = w[i] - rate * g[i]
    elif nesterov:
        for i in range(w.size):
            speed = keep * v[i] - rate * g[i]
            v[i] = speed
            w[i] = w[i] + (keep * speed - rate * g[i])
    else:
        for i in range(w.size):
            speed = keep * v[i] - rate * g[i]
            v[i] = speed
            w[i] = w[i] + speed


@kernel
def adam(values, m, v, largest, gradients, learning_rate, beta_1, beta_2, epsilon, step, decay, clear):
    """Descend along the mean gradient over its root mean square (Kingma and Ba, 2015, the form before section 2.1).

        m <- m + (g - m) (1 - beta_1);   v <- v + (g^2 - v) (1 - beta_2)
        w <- w - alpha m / (sqrt(v) + epsilon),   alpha = lr sqrt(1 - beta_2^t) / (1 - beta_1^t)

    With `largest`, the largest v so far stands for v in the second line: AMSGrad (Reddi et al., 2018).

    Parameters
    ----------
    values : (size,) array
        The parameters w, changed.
    m, v : (size,) arrays
        The two moments, changed; zero before the first step.
    largest : (size,) or (0,) array
        The largest v so far, changed; of size 0 without AMSGrad.
    gradients : (size,) array
        Read, and with `clear` set to zero.
    learning_rate, beta_1, beta_2, epsilon : float
    step : int
        t, which counts from 1.
    decay : float
        First of all w <- w - decay w.
    clear : bool
    """
    chunks = chunks_for(values.size, 64)
    alpha = learning_rate * math.sqrt(1.0 - beta_2**step) / (1.0 - beta_1**step)
    parallel(_adam_chunk, chunks, (chunks, (values, m, v, largest, gradients),
                                   (alpha, 1.0 - beta_1, 1.0 - beta_2, epsilon), decay, clear))


@inlined(exact=True)
def _adam_chunk(chunk, chunks, arrays, rates, decay, clear):
    (values, means, squares, largest, gradients), (alpha, new_1, new_2, epsilon) = arrays, rates
    first, last = chunk_of(chunk, chunks, values.size)
    real = values.dtype.type
    alpha_, share_1, share_2, small = real(alpha), real(new_1), real(new_2), real(epsilon)
    for begin in range(first, last, _BLOCK):
        end = min(begin + _BLOCK, last)
        w, m, v, g = values[begin:end], means[begin:end], squares[begin:end], gradients[begin:end]
        decayed(w, decay)
        if largest.size > 0:
            top = largest[begin:end]
            for i in range(w.size):
                mean = m[i] + (g[i] - m[i]) * share_1
                square = v[i] + (g[i] * g[i] - v[i]) * share_2
                most = top[i] if top[i] > square else square
                m[i], v[i], top[i] = mean, square, most
                w[i] = w[i] - mean * alpha_ / (real(math.sqrt(most)) + small)
        else:
            for i in range(w.size):
                mean = m[i] + (g[i] - m[i]) * share_1
                square = v[i] + (g[i] * g[i] - v[i]) * share_2
                m[i], v[i] = mean, square
                w[i] = w[i] - mean * alpha_ / (real(math.sqrt(square)) + small)
        if clear:
            for i in range(g.size):
                g[i] = 0
