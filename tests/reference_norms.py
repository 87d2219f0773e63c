"""Twins of the kernels of normalization within a sample, of random numbers, and of axes in another order."""

import numpy as np


def _double(*arrays):
    return tuple(np.asarray(a, dtype=np.float64) for a in arrays)


# --- groupnorm.py -----------------------------------------------------------------------------------------------------


def _by_group(values, like, default):
    """Return a number a channel as (G, D), the default where there is none."""
    _, _, groups, d = like.shape
    return np.asarray(values, np.float64).reshape(groups, d) if values.size else np.full((groups, d), float(default))


def group_norm_forward(x, gamma, beta, epsilon):
    """Return y, mean and rstd."""
    (x,) = _double(x)
    mean, variance = x.mean(axis=(1, 3), keepdims=True), x.var(axis=(1, 3), keepdims=True)
    rstd = 1 / np.sqrt(variance + epsilon)
    y = _by_group(gamma, x, 1) * (x - mean) * rstd + _by_group(beta, x, 0)
    return y, mean[:, 0, :, 0], rstd[:, 0, :, 0]


def group_norm_backward(dy, x, mean, rstd, gamma):
    """Return dx, and what is to be added to the gradients of gamma and beta."""
    dy, x, mean, rstd = _double(dy, x, mean, rstd)
    mean, rstd = mean[:, None, :, None], rstd[:, None, :, None]
    normalized, dnormalized = (x - mean) * rstd, _by_group(gamma, x, 1) * dy
    along = (dnormalized * normalized).mean(axis=(1, 3), keepdims=True)
    dx = rstd * (dnormalized - dnormalized.mean(axis=(1, 3), keepdims=True) - normalized * along)
    return dx, (dy * normalized).sum(axis=(0, 1)).reshape(-1), dy.sum(axis=(0, 1)).reshape(-1)


# --- lrn.py -----------------------------------------------------------------------------------------------------------


def _window(i, before, after, channels):
    return range(max(0, i - before), min(channels - 1, i + after) + 1)


def _scales(x, before, after, alpha, k):
    channels = x.shape[1]
    return np.stack([k + alpha * sum(x[:, j] ** 2 for j in _window(i, before, after, channels))
                     for i in range(channels)], axis=1)


def local_response_norm_forward(x, before, after, alpha, beta, k):
    (x,) = _double(x)
    return x / _scales(x, before, after, alpha, k) ** beta


def local_response_norm_backward(dy, x, before, after, alpha, beta, k):
    dy, x = _double(dy, x)
    s = _scales(x, before, after, alpha, k)
    dx = dy / s**beta
    by_s = -dy * x * beta * s ** (-beta - 1)
    for i in range(x.shape[1]):  # y_i depends on the x_j of its window through s_i
        for j in _window(i, before, after, x.shape[1]):
            dx[:, j] += by_s[:, i] * 2 * alpha * x[:, j]
    return dx


# --- dropout.py -------------------------------------------------------------------------------------------------------


def mix(x):
    x = (x ^ (x >> 16)) * 0x21F0AAAD % 2**32
    x = (x ^ (x >> 15)) * 0x735A2D97 % 2**32
    return x ^ (x >> 15)


def keys(seed, step):
    """Return the two words that stand for (seed, step)."""
    low = 2**32 - 1
    left = (seed & low) ^ mix(seed >> 32 & low)
    right = (step & low) ^ mix(step >> 32 & low)
    left ^= mix(right ^ 0x9E3779B9)
    right ^= mix(left)
    left ^= mix(right)
    return left, right


def dropout(x, rate, seed, step):
    """Return x with some elements zero and the others larger: the random numbers in Python's own integers."""
    (x,) = _double(x)
    left, right = keys(seed, step)
    share = [mix(mix(i ^ left) ^ right) / 2**32 for i in range(x.size)]
    return np.where([s >= rate for s in share], x / (1 - rate), 0)


# --- noise.py ---------------------------------------------------------------------------------------------------------


def gaussian_noise(x, stddev, multiplied, seed, step):
    """Return x with noise added or multiplied by one plus noise: Box and Muller's normal numbers, by their formula."""
    (x,) = _double(x)
    key, second = keys(seed, step)
    bits = [mix(mix(i ^ key) ^ second) for i in range(x.size)]
    u = np.array([(b // 2**8 + 1) / 2**24 for b in bits])
    t = np.array([mix(b ^ key) // 2**8 / 2**24 for b in bits])
    z = np.sqrt(-2 * np.log(u)) * np.cos(2 * np.pi * t)
    return x * (1 + stddev * z) if multiplied else x + stddev * z


def uniform_numbers(y, low, high, seed, step):
    """Return low + (high - low) r for as many numbers as y has."""
    key, second = keys(seed, step)
    return np.array([low + (high - low) * (mix(mix(i ^ key) ^ second) // 2**8 / 2**24) for i in range(y.size)])


# --- permute.py -------------------------------------------------------------------------------------------------------


def permute(x, geometry):
    """Return the elements of x in the order that the geometry tells: by its strides, one number at a time."""
    g = {name: int(geometry[0][name]) for name in geometry.dtype.names}
    y = np.full(x.size, np.nan)
    outer = [g[f"n{i}"] for i in range(5)]
    for place in np.ndindex(*outer, g["a"], g["b"]):
        *places, i, j = place
        of = sum(p * g[f"s{k}"] for k, p in enumerate(places)) + i * g["sa"] + j
        to = sum(p * g[f"t{k}"] for k, p in enumerate(places)) + i + j * g["tb"]
        y[to] = x[of]
    return y
