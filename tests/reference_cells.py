"""The loss of YOLO's cells, written naively: the contract that its kernel is tested against."""

import numpy as np

from tests.reference_regions import box_loss, box_overlaps, decode_cells, decode_cells_backward


def cell_loss(x, targets, cells, gains, grids, ratio, code, overlap=1, ignored=1.0):
    """Return the losses (N, 3) and the gradient of YOLO's cells, and the object of each place; slopes by hand."""
    x, targets, cells = (np.asarray(one, np.float64) for one in (x, targets, cells))
    owners = np.array([_owners(each, cells, grids, ratio, code) for each in targets]).reshape(x.shape[:2])
    parts, dx = np.zeros((len(x), 3)), np.zeros(x.shape)
    for n in range(len(x)):
        mine = np.flatnonzero(owners[n] >= 0)
        goal = np.zeros(x.shape[1])
        if len(mine):
            t, cell, truth = x[n, mine], cells[mine], targets[n, owners[n, mine]]
            boxes = _boxes(t, cell, code)
            losses, slopes = box_loss(boxes, truth[:, :4], np.zeros(0), overlap, 1.0)
            parts[n, 0] = losses.mean()
            goal[mine] = np.diag(box_overlaps(boxes, truth[:, :4], 0)) if gains[n, 3] else 1
            for k, p in enumerate(mine):
                back = decode_cells_backward(slopes[k].reshape(1, 1, 1, 1, 4), t[k].reshape(1, 1, 1, 1, -1),
                                             cell[k:k + 1, 3:], cell[k, 2], code).ravel()
                dx[n, p] += gains[n, 0] * back / len(mine)
            hits = truth[:, 4:5] == np.arange(x.shape[2] - 5)
            parts[n, 2] = _cross_entropy(t[:, 5:], hits).sum(1).mean()
            dx[n, mine, 5:] = gains[n, 2] / len(mine) * (1 / (1 + np.exp(-t[:, 5:])) - hits)
        counts = owners[n] != -2
        real = targets[n][(targets[n, :, 4] >= 0) & ~(targets[n, :, 5:6] == 1).any(1)]
        if ignored < 1 and len(real):
            counts &= (owners[n] >= 0) | ~(box_overlaps(_boxes(x[n], cells, code), real[:, :4], 0) > ignored).any(1)
        parts[n, 1] = (_cross_entropy(x[n, :, 4], goal) * counts).sum() / x.shape[1]
        dx[n, :, 4] = gains[n, 1] / x.shape[1] * (1 / (1 + np.exp(-x[n, :, 4])) - goal) * counts
    return parts, dx, owners


def _boxes(t, cells, code):
    """Return the boxes of places: each a grid of one cell, found at (0, 0), and the cell's corner is added."""
    return np.array([decode_cells(one.reshape(1, 1, 1, 1, -1), cell[None, 3:], cell[2], code).ravel()
                     + np.tile(cell[:2] * cell[2], 2) for one, cell in zip(t, cells, strict=True)]).reshape(-1, 4)


def _cross_entropy(t, goal):
    return np.logaddexp(0, t) - t * goal


def _owners(objects, cells, grids, ratio, code):
    """Return the object of each place: all claims first, then the one of the largest overlap, the first of equals."""
    middles, half = (cells[:, :2] + 0.5) * cells[:, 2:3], cells[:, 3:] / 2
    priors = np.concatenate([middles - half, middles + half], 1)
    owners, claims = np.full(len(cells), -1), [[] for _ in cells]
    grid_of = np.repeat(np.arange(len(grids)), grids.prod(1))
    for m, row in enumerate(objects):
        if row[4] < 0:
            continue
        if len(row) > 5 and row[5] == 1:
            inside = (middles >= row[:2]).all(1) & (middles < row[2:4]).all(1)
            owners[inside] = -2
            continue
        sides, middle = row[2:4] - row[:2], (row[:2] + row[2:4]) / 2
        common = np.minimum(sides, cells[:, 3:]).prod(1)
        alike = common / (sides.prod() + cells[:, 3:].prod(1) - common)
        best = cells[alike.argmax(), 3:], grid_of[alike.argmax()]
        factor = np.maximum(sides / cells[:, 3:], cells[:, 3:] / sides).max(1)
        fits = (factor < ratio) | ((cells[:, 3:] == best[0]).all(1) & (grid_of == best[1]))
        at = middle / cells[:, 2:3]
        cell = np.floor(at)
        step = np.where(at - cell < 0.5, -1, 1)
        places = [cell, cell + step * [1, 0], cell + step * [0, 1]][: 3 if code == 1 else 1]
        near = np.any([(cells[:, :2] == place).all(1) for place in places], axis=0)
        for p in np.flatnonzero(fits & near):
            claims[p].append((-box_overlaps(priors[p:p + 1], row[None, :4], 0)[0, 0], m))
    for p, claimed in enumerate(claims):
        if claimed:
            owners[p] = min(claimed)[1]
    return owners
