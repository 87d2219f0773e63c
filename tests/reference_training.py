"""Twins of the kernels of losses, optimizers and penalties: see `tests.reference`, where they are found."""

from itertools import pairwise

import numpy as np


def _double(*arrays):
    return tuple(np.asarray(a, dtype=np.float64) for a in arrays)


def _sigmoid(x):
    return np.where(x >= 0, 1 / (1 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x))))


# --- loss.py ----------------------------------------------------------------------------------------------------------


def _bounds(like):
    """Return eps and 1 - eps as the type of `like` knows them."""
    return float(like.dtype.type(1e-7)), float(like.dtype.type(1 - 1e-7))


def _clip(p, like):
    """Return p within [eps, 1 - eps], and where it was outside."""
    low, high = _bounds(like)
    return np.minimum(np.maximum(p, low), high), (p < low) | (p > high)


def _binary(x, t, like):
    p, clipped = _clip(x, like)
    return -(t * np.log(p) + (1 - t) * np.log(1 - p)), np.where(clipped, 0, (1 - t) / (1 - p) - t / p)


def _focal(x, t, like, gamma, b, c):
    loss, slope = _binary(x, t, like)
    u = x + t - 2 * x * t
    balance = b + c * t
    return balance * u**gamma * loss, balance * (gamma * u ** (gamma - 1) * (1 - 2 * t) * loss + u**gamma * slope)


def _focal_logits(x, t, like, gamma, b, c):
    p = _sigmoid(x)
    loss, slope = _focal(p, t, like, gamma, b, c)
    return loss, slope * p * (1 - p)


def _squared_logarithmic(x, t, low):
    gap = np.log(np.maximum(x, low) + 1) - np.log(np.maximum(t, low) + 1)
    return gap**2, np.where(x < low, 0, 2 * gap / (1 + np.maximum(x, low)))


def _divergence(x, t, low):
    t, p = np.clip(t, low, 1), np.clip(x, low, 1)
    return t * np.log(t / p), np.where(x == p, -t / p, 0)


def _huber(e, delta):
    near = np.abs(e) <= delta
    return np.where(near, e**2 / 2, delta * np.abs(e) - delta**2 / 2), np.where(near, e, delta * np.sign(e))


def _regression(x, t, code, a, b, c, like):
    """Return f(x, t) and f'(x, t), the codes in their order."""
    low, e, hinge = _bounds(like)[0], x - t, np.maximum(1 - t * x, 0)
    return [
        lambda: (e**2, 2 * e),
        lambda: (np.abs(e), np.sign(e)),
        lambda: (100 * np.abs(e) / np.maximum(np.abs(t), low), 100 * np.sign(e) / np.maximum(np.abs(t), low)),
        lambda: _squared_logarithmic(x, t, low),
        lambda: _huber(e, a),
        lambda: (np.log(np.cosh(e)), np.tanh(e)),
        lambda: (hinge, np.where(1 - t * x > 0, -t, 0)),
        lambda: (hinge**2, -2 * t * hinge),
    ][code]()


def _of_probabilities(x, t, code, a, b, c, like):
    low = _bounds(like)[0]
    return [
        lambda: (x - t * np.log(x + 1e-7), 1 - t / (x + 1e-7)),
        lambda: _divergence(x, t, low),
        lambda: _binary(x, t, like),
        lambda: (np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.abs(x))), _sigmoid(x) - t),
        lambda: _focal(x, t, like, a, b, c),
        lambda: _focal_logits(x, t, like, a, b, c),
    ][code]()


def elementwise_loss(x, targets, weights, code, a, b, c, share, scale):
    """Return the losses, and scale times their gradients."""
    return _summed(_regression, x, targets, weights, code, a, b, c, share, scale)


def binary_loss(x, targets, weights, code, a, b, c, share, scale):
    """Return the losses, and scale times their gradients."""
    return _summed(_of_probabilities, x, targets, weights, code, a, b, c, share, scale)


def _summed(formulas, x, targets, weights, code, a, b, c, share, scale):
    like = x
    x, targets, weights = _double(x, targets, weights)
    values, slopes = formulas(x, targets, code, a, b, c, like)
    if weights.size:
        weights = weights.reshape(x.shape if weights.size == x.size else (-1, 1))
        values, slopes = weights * values, weights * slopes
    return share * values.sum(axis=1), scale * share * slopes


# --- loss_categorical.py ----------------------------------------------------------------------------------------------


def _rows_of(weights, x):
    return np.asarray(weights, np.float64)[:, None] if weights.size else np.ones((len(x), 1))


def _one_hot(x, labels, weights):
    """Return targets with a one at the label: NaN where there is no such class, unless the row counts for nothing."""
    targets = np.zeros(x.shape, x.dtype)
    for i, label in enumerate(labels):
        counts = not weights.size or weights[i] != 0
        if 0 <= label < x.shape[1]:
            targets[i, label] = 1
        elif counts:
            targets[i] = np.nan
    return targets


def sparse_categorical_crossentropy(x, labels, weights, scale):
    """Return the losses and scale times their gradients."""
    return categorical_crossentropy(x, _one_hot(x, labels, weights), weights, 0.0, scale)


def categorical_crossentropy(x, targets, weights, gamma, scale):
    like, rows = x, _rows_of(weights, x)
    x, targets = _double(x, targets)
    total = x.sum(axis=1, keepdims=True)
    q = x / total
    p, clipped = _clip(q, like)
    losses = -(targets * (1 - p) ** gamma * np.log(p)).sum(axis=1)
    dq = np.where(clipped, 0, targets * (gamma * (1 - p) ** (gamma - 1) * np.log(p) - (1 - p) ** gamma / p))
    dx = (dq - (dq * q).sum(axis=1, keepdims=True)) / total
    return rows[:, 0] * losses, rows * scale * dx


# --- loss_softmax.py --------------------------------------------------------------------------------------------------


def softmax_sparse_categorical_crossentropy(x, labels, weights, scale):
    """Return the losses, scale times their gradients with respect to the logits, and the probabilities."""
    return softmax_categorical_crossentropy(x, _one_hot(x, labels, weights), weights, scale)


def softmax_categorical_crossentropy(x, targets, weights, scale):
    rows = _rows_of(weights, x)
    x, targets = _double(x, targets)
    shifted = x - x.max(axis=1, keepdims=True)
    logarithms = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    dx = np.exp(logarithms) * targets.sum(axis=1, keepdims=True) - targets
    return -rows[:, 0] * (targets * logarithms).sum(axis=1), rows * scale * dx, np.exp(logarithms)


# --- loss_rows.py -----------------------------------------------------------------------------------------------------


def _cosine(x, t, a, b, c):
    lengths = max(np.linalg.norm(t), 1e-12), max(np.linalg.norm(x), 1e-12)
    unit, turned = t / lengths[0], x / lengths[1]
    along = unit @ turned
    return -along, -(unit - turned * along) / lengths[1] if lengths[1] > 1e-12 else -unit / lengths[1]


def _categorical_hinge(x, t, a, b, c):
    wrong = (1 - t) * x
    loss = wrong.max() - t @ x + 1
    slope = -t + (1 - t) * (np.arange(x.size) == wrong.argmax())
    return max(loss, 0), slope if loss > 0 else 0 * slope


def _tversky(x, t, a, b, c):
    both = t @ x
    whole = both + a * ((1 - x) @ t) + b * (x @ (1 - t)) + c
    return 1 - both / whole, -(t * whole - both * (t - a * t + b * (1 - t))) / whole**2


def row_loss(x, targets, weights, code, a, b, c, scale):
    """Return the losses and scale times their gradients."""
    rows = _rows_of(weights, x)
    x, targets = _double(x, targets)
    each = [(_cosine, _categorical_hinge, _tversky)[code](*pair, a, b, c) for pair in zip(x, targets, strict=True)]
    losses, dx = np.array([loss for loss, _ in each]), np.array([slope for _, slope in each])
    return rows[:, 0] * losses, rows * scale * dx.reshape(x.shape)


def triplet_loss(x, labels, mining, margin):
    """Return the losses of the anchors and the gradient of their mean, a triplet at a time; mining by its number."""
    (x,) = _double(x)
    n = len(x)
    distance = ((x[:, None] - x) ** 2).sum(-1)
    losses, slopes, count = np.zeros(n), np.zeros((n, n)), 0
    for a in range(n):
        positives = [j for j in range(n) if j != a and labels[j] == labels[a]]
        negatives = [j for j in range(n) if labels[j] != labels[a]]
        if not positives or not negatives:
            continue
        if mining == 0:
            triplets = [(p, k) for p in positives for k in negatives if distance[a, p] - distance[a, k] + margin > 0]
        elif mining == 1:
            triplets = []
            for p in positives:
                further = [k for k in negatives if distance[a, k] > distance[a, p]]
                triplets.append((p, min(further, key=lambda k: distance[a, k]) if further
                                 else max(negatives, key=lambda k: distance[a, k])))
        else:
            triplets = [(max(positives, key=lambda k: distance[a, k]), min(negatives, key=lambda k: distance[a, k]))]
        count += len(triplets)
        for p, k in triplets:
            value = distance[a, p] - distance[a, k] + margin
            if value > 0:
                losses[a] += value
                slopes[a, p] += 1
                slopes[a, k] -= 1
    share = 1 / count if count else 0.0
    both = slopes + slopes.T
    return losses * share * n, 2 * share * (both.sum(1)[:, None] * x - both @ x)


def fold_losses(values, factor):
    return factor * np.asarray(values, np.float64).mean(axis=1)


# --- optimizer.py -----------------------------------------------------------------------------------------------------


def sgd(values, velocity, gradients, learning_rate, momentum, nesterov, decay):
    """Return the values and the velocity as they become."""
    values, velocity, gradients = _double(values, velocity, gradients)
    values = values - decay * values
    if velocity.size == 0:
        return values - learning_rate * gradients, velocity
    velocity = momentum * velocity - learning_rate * gradients
    return values + (momentum * velocity - learning_rate * gradients if nesterov else velocity), velocity


def adam(values, m, v, largest, gradients, learning_rate, beta_1, beta_2, epsilon, step, decay):
    """Return the values, both moments and the largest second one as they become."""
    values, m, v, largest, gradients = _double(values, m, v, largest, gradients)
    values = values - decay * values
    m = beta_1 * m + (1 - beta_1) * gradients
    v = beta_2 * v + (1 - beta_2) * gradients**2
    alpha = learning_rate * np.sqrt(1 - beta_2**step) / (1 - beta_1**step)
    largest = np.maximum(largest, v) if largest.size else largest
    return values - alpha * m / (np.sqrt(largest if largest.size else v) + epsilon), m, v, largest


# --- optimizer_adaptive.py --------------------------------------------------------------------------------------------


def adaptive_step(values, s, q, p, gradients, code, learning_rate, a, b, c, d, epsilon, decay):
    """Return the values and the three arrays of state as they become."""
    w, s, q, p, g = _double(values, s, q, p, gradients)
    w = w - decay * w
    if code == 0:  # Adagrad
        s = s + g**2
        return w - learning_rate * g / np.sqrt(s + epsilon), s, q, p
    if code == 1:  # Adadelta
        s = a * s + (1 - a) * g**2
        u = g * np.sqrt(q + epsilon) / np.sqrt(s + epsilon)
        return w - learning_rate * u, s, a * q + (1 - a) * u**2, p
    if code == 2:  # RMSprop
        s = a * s + (1 - a) * g**2
        p = a * p + (1 - a) * g if p.size else p
        u = learning_rate * g / np.sqrt(s - (p**2 if p.size else 0) + epsilon)
        q = b * q + u if q.size else q
        return w - (q if q.size else u), s, q, p
    if code == 4:  # Adamax
        s, q = s + (g - s) * a, np.maximum(b * q, np.abs(g))
        return w - learning_rate * s / (q + epsilon), s, q, p
    if code == 5:  # Lion
        return w - learning_rate * np.sign(a * s + (1 - a) * g), b * s + (1 - b) * g, q, p
    if code == 6:  # FTRL
        n = s + g**2
        q = q + g + 2 * d * w - (n**a - s**a) * w / learning_rate
        return (np.clip(q, -b, b) - q) / (n**a / learning_rate + 2 * c), n, q, p
    if code == 8:  # schedule-free
        q = q + (g**2 - q) * b
        z = s - learning_rate * g / (np.sqrt(q / d) + epsilon)
        average = (1 - c) * (w - (1 - a) * s) / a + c * z  # of w, which lies between the two, the one that was
        return (1 - a) * z + a * average, z, q, p
    s, q = s + (g - s) * a, q + (g**2 - q) * b
    if code == 3:  # Nadam
        return w - learning_rate * (c * s + d * g) / (np.sqrt(q) + epsilon), s, q, p
    return w, s, q, c * s / (np.sqrt(d * q) + epsilon)  # LAMB


# --- optimizer_parts.py -----------------------------------------------------------------------------------------------


def _cut(array, offsets):
    return [np.asarray(array, np.float64)[i:j] for i, j in pairwise(offsets)]


def squared_norms(array, offsets):
    return np.array([(part**2).sum() for part in _cut(array, offsets)])


def scale_parts(array, factors, offsets, limit):
    """Return the array as it becomes."""
    parts = [factor * part for factor, part in zip(factors, _cut(array, offsets), strict=True)]
    return np.clip(np.concatenate([*parts, []]), -limit, limit)


def moving_average(average, values, share):
    """Return the average as it becomes."""
    average, values = _double(average, values)
    return (1 - share) * average + share * values


# --- penalty.py -------------------------------------------------------------------------------------------------------


def penalty(gradient, array, l1, l2):
    """Return the penalty as an array of one, and the gradient as it becomes."""
    gradient, w = _double(gradient, array)
    total = np.array([l1 * np.abs(w).sum() + l2 * (w * w).sum()])
    return total, gradient + l1 * np.sign(w) + 2 * l2 * w if gradient.size else gradient


# --- factored.py ------------------------------------------------------------------------------------------------------


def factored_step(state, gradients, beta, epsilon):
    """Return g over the root of its factored moment, and the state as it becomes; arrays (outer, R, C)."""
    u, out = np.empty(gradients.shape), state.astype(np.float64)
    for o, (g, s) in enumerate(zip(gradients.astype(np.float64), out, strict=True)):
        rows, columns = g.shape
        squares = g**2 + epsilon
        if 1 in g.shape:
            s[...] = beta * s + (1 - beta) * squares
            u[o] = g / np.sqrt(s)
            continue
        flat = s.reshape(-1)
        flat[:rows] = beta * flat[:rows] + (1 - beta) * squares.mean(axis=1)
        flat[rows:rows + columns] = beta * flat[rows:rows + columns] + (1 - beta) * squares.mean(axis=0)
        r, c = flat[:rows], flat[rows:rows + columns]
        u[o] = g / np.sqrt(np.outer(r / r.mean(), c))
    return u, out


# --- bounded_norms.py -------------------------------------------------------------------------------------------------


def bound_norms(array, low, high, rate, epsilon):
    """Return the array (outer, M, inner) as it becomes."""
    out = array.astype(np.float64)
    for o in range(array.shape[0]):
        for i in range(array.shape[2]):
            norm = np.sqrt((out[o, :, i] ** 2).sum())
            out[o, :, i] *= (rate * min(max(norm, low), high) + (1 - rate) * norm) / (norm + epsilon)
    return out
