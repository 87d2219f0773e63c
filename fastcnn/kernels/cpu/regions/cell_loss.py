"""The loss of YOLO's cells: which prior box learns which object, three losses and the gradient, in one pass.

A *place* is one prior box in one cell of one grid. An object belongs to each prior whose sides are within a factor
`ratio` of its own, and always to the one of the largest IoU of sides; there to the cell of its centre, and with
SQUARED_SIGMOID, whose boxes reach half a cell beyond, to the nearest neighbour across and down as well, as in YOLO v5.
Of several objects for one place, that one has it whose box overlaps most with the prior in the middle of the cell; of
equal ones the first. With `own` the places that have an object, b the box of a place and o its object::

    box          mean over own of 1 - overlap(b, o)                        overlap: IoU, GIoU, DIoU or CIoU, by a code
    objectness   mean over all places of BCE(sigmoid(t_4), IoU(b, o) if own else 0)       the IoU is a constant here
    class        mean over own of the sum over classes k of BCE(sigmoid(t_5+k), k is the class of o)

An image without objects has the second alone. Nothing is learned of places whose cell's middle lies in a crowd, nor of
places without an object whose box overlaps one by more than `ignored` all the same (Redmon and Farhadi, "YOLOv3", 2018,
section 2.1): it would be pushed to background though it is nearly right.
"""

import math

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.cpu.regions.coding import sigmoid, times_prior, within_cell
from fastcnn.kernels.cpu.regions.overlap import intersection_over_union, loss_and_slopes
from fastcnn.kernels.region_codes import SQUARED_SIGMOID

_NOBODY, _NOTHING = -1, -2  # of places that learn background, and that learn nothing


@kernel
def cell_loss(parts, dx, scratch, x, targets, cells, gains, grids):
    """Write the three losses of each image, their sum with gains, and its gradient.

    Parameters
    ----------
    parts : (4, N) array
        Written: the losses of box, objectness and class, and N times their sum with `gains`.
    dx : (N, P, 5 + K) array
        Written: the gradient of the mean of these sums; (0, P, 5 + K) where none is wanted.
    scratch : (2, N, P) array
        Afterwards the first half has the object of each place, below 0 where there is none.
    x : (N, P, 5 + K) array
        What the network gives: t_x, t_y, t_w, t_h, objectness, classes.
    targets : (N, M, 5 or more) array
        Corners, class and kind; of a class below 0 for none, of kind 1 for a crowd.
    cells : (P, 5) array
        Column, row, pixels a cell, and width and height of the prior of each place. Places go grid by grid, row by row,
        cell by cell.
    gains : (N, 4) array
        What the losses count for, with the weight of the image and 1 / N; last, 0 where the objectness of an object
        shall be 1 in place of the IoU.
    grids : (S,) array of fastcnn.geometry.regions.CELLS
    """
    chunks = min(max(1, x.shape[0]), chunks_for(16 * x.size, 2))
    parallel(_images, chunks, (chunks, (parts, dx, scratch), (x, targets), cells, gains, grids))


@inlined
def _images(chunk, chunks, outputs, data, cells, gains, grids):
    (parts, dx, scratch), (x, targets) = outputs, data
    begin, end = chunk_of(chunk, chunks, x.shape[0])
    for n in range(begin, end):
        _assign(scratch[0, n], scratch[1, n], targets[n], cells, grids)
        box, objectness, kind = _learn(dx[n if dx.size else 0:], x[n], targets[n], scratch[0, n], cells, gains[n],
                                       grids[0])
        parts[0, n], parts[1, n], parts[2, n] = box, objectness, kind
        parts[3, n] = x.shape[0] * (gains[n, 0] * box + gains[n, 1] * objectness + gains[n, 2] * kind)


@inlined
def _assign(owners, overlaps, targets, cells, grids):
    """Write who owns each place of an image."""
    for p in range(owners.size):
        owners[p], overlaps[p] = _NOBODY, 0
    if targets.shape[1] > 5:
        for m in range(targets.shape[0]):
            if targets[m, 4] >= 0 and targets[m, 5] == 1:
                _leave_out(owners, targets[m], cells)
    for m in range(targets.shape[0]):
        wide, high = targets[m, 2] - targets[m, 0], targets[m, 3] - targets[m, 1]
        if targets[m, 4] < 0 or not (wide > 0 and high > 0) or (targets.shape[1] > 5 and targets[m, 5] == 1):
            continue
        best = _best_prior(wide, high, cells, grids)
        begin, number = 0, 0
        for s in range(grids.size):
            for a in range(grids[s]["priors"]):
                pw, ph = cells[begin + a, 3], cells[begin + a, 4]
                if number == best or max(max(wide / pw, pw / wide), max(high / ph, ph / high)) < grids[s]["ratio"]:
                    _claim((owners, overlaps), targets[m], m, cells, grids[s], (begin, a))
                number += 1
            begin += grids[s]["rows"] * grids[s]["columns"] * grids[s]["priors"]


@inlined
def _leave_out(owners, crowd, cells):
    half = cells.dtype.type(0.5)
    for p in range(owners.size):
        x, y = (cells[p, 0] + half) * cells[p, 2], (cells[p, 1] + half) * cells[p, 2]
        if crowd[0] <= x < crowd[2] and crowd[1] <= y < crowd[3]:
            owners[p] = _NOTHING


@inlined
def _best_prior(wide, high, cells, grids):
    """Return the number, over all grids, of the prior whose sides overlap most; the first of equal ones."""
    best, most, begin, number = 0, cells.dtype.type(-1), 0, 0
    for s in range(grids.size):
        for a in range(grids[s]["priors"]):
            pw, ph = cells[begin + a, 3], cells[begin + a, 4]
            common = min(wide, pw) * min(high, ph)
            overlap = common / (wide * high + pw * ph - common)
            if overlap > most:
                best, most = number, overlap
            number += 1
        begin += grids[s]["rows"] * grids[s]["columns"] * grids[s]["priors"]
    return best


@inlined
def _claim(scratch, target, m, cells, grid, prior):
    """Give an object the places of one prior that are not another's with more right."""
    (owners, overlaps), (begin, a), half = scratch, prior, cells.dtype.type(0.5)
    rows, columns, priors = grid["rows"], grid["columns"], grid["priors"]
    stride = cells[begin, 2]
    box = target[0], target[1], target[2], target[3]
    across, down = half * (box[0] + box[2]) / stride, half * (box[1] + box[3]) / stride
    column, row = math.floor(across), math.floor(down)
    beside = column - 1 if across - column < half else column + 1
    below = row - 1 if down - row < half else row + 1
    for k in range(3 if grid["code"] == SQUARED_SIGMOID else 1):
        i, j = below if k == 2 else row, beside if k == 1 else column
        if not (0 <= i < rows and 0 <= j < columns):
            continue
        p = begin + (i * columns + j) * priors + a
        x, y = (cells[p, 0] + half) * stride, (cells[p, 1] + half) * stride
        pw, ph = half * cells[p, 3], half * cells[p, 4]
        overlap = intersection_over_union((x - pw, y - ph, x + pw, y + ph), box)
        if owners[p] < 0 or overlap > overlaps[p]:
            owners[p], overlaps[p] = m, overlap


@inlined
def _learn(gradients, x, targets, owners, cells, gains, grid):
    """Return the three losses of an image; write the gradient into gradients[0] if there is one."""
    real, code, ignored = x.dtype.type, grid["code"], grid["ignored"]
    wanted = gradients.shape[0] > 0
    places, own = x.shape[0], 0
    for p in range(places):
        own += owners[p] >= 0
    share, each = real(1) / real(max(own, 1)), real(1) / real(places)
    boxes, objectness, classes = 0.0, 0.0, 0.0
    for p in range(places):
        t, m = x[p], int(owners[p])
        goal = real(0)
        if wanted:
            for k in range(t.size):
                gradients[0, p, k] = real(0)
        if m >= 0:
            box = _box(t, cells[p], code)
            loss, slopes = loss_and_slopes(box, (targets[m, 0], targets[m, 1], targets[m, 2], targets[m, 3]),
                                           grid["overlap"])
            goal = real(1)
            if gains[3] > 0:
                goal = intersection_over_union(box, (targets[m, 0], targets[m, 1], targets[m, 2], targets[m, 3]))
            boxes += loss
            if wanted:
                _bring_back(gradients[0, p], slopes, t, cells[p], share * gains[0], code)
            for k in range(5, t.size):
                hit = real(1) if targets[m, 4] == k - 5 else real(0)
                classes += _entropy(t[k], hit)
                if wanted:
                    gradients[0, p, k] = share * gains[2] * (sigmoid(t[k]) - hit)
        elif m == _NOBODY and ignored < 1 and _overlaps_one(_box(t, cells[p], code), targets, ignored):
            m = _NOTHING
        if m != _NOTHING:
            objectness += _entropy(t[4], goal)
            if wanted:
                gradients[0, p, 4] = each * gains[1] * (sigmoid(t[4]) - goal)
    return boxes * share, objectness * each, classes * share


@inlined
def _overlaps_one(box, targets, least):
    """Return whether a box overlaps an object, no crowd, by more than a share."""
    for m in range(targets.shape[0]):
        counts = targets[m, 4] >= 0 and not (targets.shape[1] > 5 and targets[m, 5] == 1)
        one = targets[m, 0], targets[m, 1], targets[m, 2], targets[m, 3]
        if counts and intersection_over_union(box, one) > least:
            return True
    return False


@inlined
def _box(t, cell, code):
    half = type(t[0])(0.5)
    x, y = (cell[0] + within_cell(t[0], code)[0]) * cell[2], (cell[1] + within_cell(t[1], code)[0]) * cell[2]
    wide, high = half * cell[3] * times_prior(t[2], code)[0], half * cell[4] * times_prior(t[3], code)[0]
    return x - wide, y - high, x + wide, y + high


@inlined
def _bring_back(dx, slopes, t, cell, gain, code):
    half = type(t[0])(0.5)
    dx[0] = gain * (slopes[0] + slopes[2]) * cell[2] * within_cell(t[0], code)[1]
    dx[1] = gain * (slopes[1] + slopes[3]) * cell[2] * within_cell(t[1], code)[1]
    dx[2] = gain * (slopes[2] - slopes[0]) * half * cell[3] * times_prior(t[2], code)[1]
    dx[3] = gain * (slopes[3] - slopes[1]) * half * cell[4] * times_prior(t[3], code)[1]


@inlined(always=True)
def _entropy(t, goal):
    """Return the binary cross-entropy of sigmoid(t)."""
    real = type(t)
    return max(t, real(0)) - t * goal + real(math.log1p(math.exp(-abs(t))))
