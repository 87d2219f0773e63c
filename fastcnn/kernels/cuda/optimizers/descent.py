"""As the CPU's `descent`, on CUDA: one step over flat arrays, all read and written once."""

import math

from fastcnn.kernels.cuda.compile.kernel import THREADS, blocks_for, kernel, launcher
from fastcnn.kernels.cuda.compile.pointers import floats
from fastcnn.kernels.cuda.compile.shim import cuda, f32, i32, load1


@launcher
def sgd(values, velocity, gradients, learning_rate, momentum, nesterov, decay, clear):
    """Descend along the gradient, with momentum where there is a velocity, as the CPU's."""
    descend[blocks_for(values.size), THREADS](values, velocity, gradients, values.size, velocity.size, int(nesterov),
                                              int(clear), learning_rate, momentum, decay)


@kernel
def descend(values: floats, velocity: floats, gradients: floats, size: i32, moves: i32, nesterov: i32, clear: i32,
            rate: f32, keep: f32, decay: f32):
    """A thread an element."""
    for i in range(cuda.grid(1), size, cuda.gridsize(1)):
        w, g = load1(values, i), load1(gradients, i)
        w -= decay * w
        change = -rate * g
        if moves != 0:
            speed = keep * load1(velocity, i) - rate * g
            velocity[i] = speed
            change = keep * speed - rate * g if nesterov != 0 else speed
        values[i] = w + change
        if clear != 0:
            gradients[i] = f32(0)


@launcher
def adam(values, m, v, largest, gradients, learning_rate, beta_1, beta_2, epsilon, step, decay, clear):
    """Descend along the mean gradient over its root mean square, as the CPU's."""
    alpha = learning_rate * math.sqrt(1.0 - beta_2**step) / (1.0 - beta_1**step)
    descend_adam[blocks_for(values.size), THREADS](values, m, v, largest, gradients, values.size, largest.size,
                                                   int(clear), alpha, 1.0 - beta_1, 1.0 - beta_2, epsilon, decay)


@kernel
def descend_adam(values: floats, m: floats, v: floats, largest: floats, gradients: floats, size: i32, keeps: i32,
                 clear: i32, alpha: f32, share_1: f32, share_2: f32, epsilon: f32, decay: f32):
    """A thread an element."""
    for i in range(cuda.grid(1), size, cuda.gridsize(1)):
        w, g, mean, square = load1(values, i), load1(gradients, i), load1(m, i), load1(v, i)
        w -= decay * w
        mean += (g - mean) * share_1
        square += (g * g - square) * share_2
        m[i], v[i] = mean, square
        if keeps != 0:
            top = load1(largest, i)
            square = top if top > square else square
            largest[i] = square
        values[i] = w - mean * alpha / (f32(math.sqrt(square)) + epsilon)
        if clear != 0:
            gradients[i] = f32(0)
