"""The triplet loss of a batch of embeddings: distances, which triplets count, and the gradient, in three passes.

With anchors a, positives p of a's class, negatives n of others, and D[i, j] = |x_i - x_j|^2::

    L = mean over the triplets that count of max(D[a, p] - D[a, n] + margin, 0)

    ALL         every (a, p, n) whose loss is above 0                                     (Hermans et al., 2017)
    SEMI_HARD   for each (a, p) the nearest n that is further away than p; the furthest n where none is
                                                                                          (Schroff et al., 2015)
    HARD        for each a its furthest p and its nearest n                               (Hermans et al., 2017)

    x -> D (N, N), a row of anchors at a time -> S = dL / dD -> dx_i = 2 sum_j (S[i, j] + S[j, i]) (x_i - x_j)

Of equal distances the lower index is taken. Without a triplet that counts the loss and its gradient are 0.
"""

import numpy as np

from fastcnn.kernels import loss_codes as codes
from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel


@kernel
def triplet_loss(losses, dx, distances, slopes, x, labels, mining, margin):
    """Write a loss for each anchor, whose mean over the batch is L, and the gradient of L.

    Parameters
    ----------
    losses : (N,) array
        Written.
    dx : (N, C) or (0, C) array
        Written; of shape (0, C) where no gradient is wanted.
    distances, slopes : (N, N) float64 arrays
        Scratch: D and S.
    x : (N, C) array
        Embeddings.
    labels : (N,) int64 array
    mining : int
        ALL, SEMI_HARD or HARD of `fastcnn.kernels.loss_codes`.
    margin : float
    """
    rows = x.shape[0]
    chunks = min(rows, chunks_for(rows * x.size, 1 << 14))
    parallel(_measure, chunks, (chunks, distances, slopes, x, labels, mining, margin))
    count = 0.0  # triplets that count: each row left their number behind its slopes' diagonal
    for i in range(rows):
        count += slopes[i, i]
    share = 1.0 / count if count > 0 else 0.0
    for i in range(rows):
        losses[i] = distances[i, i] * share * rows
        slopes[i, i] = 0.0
    if dx.size > 0:
        parallel(_bring_back, chunks, (chunks, dx, slopes, x, 2 * share))


@inlined
def _measure(chunk, chunks, distances, slopes, x, labels, mining, margin):
    begin, end = chunk_of(chunk, chunks, x.shape[0])
    for a in range(begin, end):
        for j in range(x.shape[0]):
            total = 0.0
            for k in range(x.shape[1]):
                step = np.float64(x[a, k]) - np.float64(x[j, k])
                total += step * step
            distances[a, j] = total
            slopes[a, j] = 0.0
        if mining == codes.ALL_TRIPLETS:
            loss, count = _all(distances[a], slopes[a], labels, a, margin)
        elif mining == codes.SEMI_HARD:
            loss, count = _semi_hard(distances[a], slopes[a], labels, a, margin)
        else:
            loss, count = _hard(distances[a], slopes[a], labels, a, margin)
        distances[a, a], slopes[a, a] = loss, count


@inlined
def _all(distances, slopes, labels, a, margin):
    loss, count = 0.0, 0.0
    for p in range(labels.size):
        if p == a or labels[p] != labels[a]:
            continue
        for n in range(labels.size):
            if labels[n] == labels[a]:
                continue
            value = distances[p] - distances[n] + margin
            if value > 0:
                loss += value
                count += 1
                slopes[p] += 1
                slopes[n] -= 1
    return loss, count


@inlined
def _semi_hard(distances, slopes, labels, a, margin):
    loss, count = 0.0, 0.0
    for p in range(labels.size):
        if p == a or labels[p] != labels[a]:
            continue
        nearest, furthest = -1, -1
        for n in range(labels.size):
            if labels[n] == labels[a]:
                continue
            if distances[n] > distances[p] and (nearest < 0 or distances[n] < distances[nearest]):
                nearest = n
            if furthest < 0 or distances[n] > distances[furthest]:
                furthest = n
        n = nearest if nearest >= 0 else furthest
        if n >= 0:
            loss += _add(distances, slopes, p, n, margin)
            count += 1
    return loss, count


@inlined
def _hard(distances, slopes, labels, a, margin):
    p, n = -1, -1
    for j in range(labels.size):
        if j != a and labels[j] == labels[a] and (p < 0 or distances[j] > distances[p]):
            p = j
        if labels[j] != labels[a] and (n < 0 or distances[j] < distances[n]):
            n = j
    if p < 0 or n < 0:
        return 0.0, 0.0
    return _add(distances, slopes, p, n, margin), 1.0


@inlined
def _add(distances, slopes, p, n, margin):
    """Return the loss of a triplet, and note its slopes."""
    value = distances[p] - distances[n] + margin
    if value <= 0:
        return 0.0
    slopes[p] += 1
    slopes[n] -= 1
    return value


@inlined
def _bring_back(chunk, chunks, dx, slopes, x, scale):
    begin, end = chunk_of(chunk, chunks, x.shape[0])
    for i in range(begin, end):
        for k in range(x.shape[1]):
            total = 0.0
            for j in range(x.shape[0]):
                total += (slopes[i, j] + slopes[j, i]) * (np.float64(x[i, k]) - np.float64(x[j, k]))
            dx[i, k] = total * scale
